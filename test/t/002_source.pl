# What holds for the source tree and the installed library, without a server:
# META.json keeps the rules of the PGXN Meta Spec 1.0.0, the version has one
# value everywhere, the library exports nothing without our prefix, and no test
# lacks its expected output.
use strict;
use warnings FATAL => 'all';

use File::Basename qw(fileparse);
use JSON::PP;
use Test::More;

sub slurp
{
	my ($file) = @_;
	open my $handle, '<', $file or die "cannot read $file: $!";
	local $/ = undef;
	return scalar <$handle>;
}

# --- META.json ---------------------------------------------------------------

my $semver = qr/^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-?[a-zA-Z][0-9A-Za-z-]*)?$/;
my $term = qr{^[^\s[:cntrl:]/\\]{2,}$};
my $url = qr{^[a-z][a-z+.-]*://[^/]+};
my $text = qr/./;
my $licenses = join '|', qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd
  freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0 mit mozilla_1_0
  mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib open_source
  restricted unrestricted unknown);

# Each returns what is wrong with a value, or nothing.
sub like_a
{
	my ($pattern) = @_;
	return sub { defined $_[0] && !ref $_[0] && $_[0] =~ $pattern ? () : 'has a bad value' };
}

# A string, or a list of them.
sub list_of
{
	my ($check) = @_;
	return sub {
		my ($value) = @_;
		my @items = ref $value eq 'ARRAY' ? @$value : ($value);
		return @items ? map { $check->($_) } @items : 'is empty';
	};
}

# Keys that end in "!" must be there.  "*" stands for any other key, and has the
# pattern that it must match and its check.  Keys x_... are anybody's own.
sub map_of
{
	my (%rules) = @_;
	my $any = delete $rules{'*'} || [ qr/^(?!)/ ];
	my @required = grep { s/!$// } my @names = sort keys %rules;
	my %check = map { s/!$//r => $rules{$_} } keys %rules;
	return sub {
		my ($map) = @_;
		return 'is no object' if ref $map ne 'HASH';
		my @wrong = map { "$_ is missing" } grep { !defined $map->{$_} } @required;
		for my $key (grep { !/^x_/i } sort keys %$map)
		{
			my $check = $check{$key} || ($key =~ $any->[0] ? $any->[1] : sub { 'is unknown' });
			push @wrong, map { "$key $_" } $check->($map->{$key});
		}
		return @wrong;
	};
}

my $prereqs = map_of('*' => [ qr/^(configure|build|test|runtime|develop)$/,
	map_of('*' => [ qr/^(requires|recommends|suggests|conflicts)$/,
		map_of('*' => [ $term, like_a(qr/^(0|([<>=!]=? *)?\d+\.\d+\.\d+)$/) ]) ]) ]);
my $meta_spec = map_of(
	'name!' => like_a($term),
	'abstract!' => like_a($text),
	'version!' => like_a($semver),
	'maintainer!' => list_of(like_a($text)),
	'license!' => list_of(like_a(qr/^($licenses)$/)),
	'provides!' => map_of('*' => [ $term, map_of(
		'file!' => like_a($text),
		'version!' => like_a($semver),
		'docfile' => like_a($text),
		'abstract' => like_a($text)) ]),
	'meta-spec!' => map_of('version!' => like_a(qr/^1\.0\.0$/), 'url' => like_a($url)),
	'description' => like_a($text),
	'generated_by' => like_a($text),
	'release_status' => like_a(qr/^(stable|testing|unstable)$/),
	'tags' => list_of(like_a(qr{^[^[:cntrl:]/\\]{1,256}$})),
	'no_index' => map_of('file' => list_of(like_a($text)), 'directory' => list_of(like_a($text))),
	'prereqs' => $prereqs,
	'resources' => map_of(
		'homepage' => like_a($url),
		'license' => list_of(like_a($url)),
		'bugtracker' => map_of('web' => like_a($url), 'mailto' => like_a(qr/@/)),
		'repository' => map_of('url' => like_a($url), 'web' => like_a($url),
			'type' => like_a(qr/^[^[:upper:]]+$/))));

my $meta = JSON::PP->new->utf8->decode(slurp('META.json'));
is_deeply([ $meta_spec->($meta) ], [], 'META.json keeps the rules of PGXN');

# The rules themselves are worth something.
is_deeply(
	[ $meta_spec->({ %$meta, version => '0.1', license => 'mine', colour => 'red', name => undef }) ],
	[ 'name is missing', 'colour is unknown', 'license has a bad value',
		'name has a bad value', 'version has a bad value' ],
	'a META.json that breaks them is refused');

my $provided = $meta->{provides}{publicdigit};
ok(-e $provided->{file}, "META.json: file $provided->{file} exists");
ok(-e $provided->{docfile}, "META.json: docfile $provided->{docfile} exists");

# --- one version -------------------------------------------------------------

my ($version) = slurp('publicdigit.control') =~ /^default_version = '(.*)'$/m;
is($meta->{version}, $version, 'META.json has the version of the control file');
is($provided->{version}, $version, 'so has what it provides');
like(slurp('CHANGELOG.md'), qr/^## \Q$version\E\b/m, 'CHANGELOG.md has an entry for it');

# --- the library -------------------------------------------------------------

my $library = qx(pg_config --pkglibdir);
chomp $library;
$library .= '/publicdigit.so';
my @symbols = map { (split)[-1] } grep { / [A-Z] / } qx(nm -D --defined-only '$library');
ok(@symbols > 0, 'the installed library has symbols');
# A sanitizer adds symbols of its own to what it instruments.
is_deeply(
	[ grep { !/^(pd_|pg_finfo_pd_|_PG_init$|Pg_magic_func$|__(asan|odr_asan|ubsan)|_(init|fini|edata|end)$|__bss_start$)/ } @symbols ],
	[], 'all that it exports begins with pd_');

my %exported = map { $_ => 1 } @symbols;
my @functions = map { slurp($_) =~ /'MODULE_PATHNAME',\s*'(\w+)'/g } glob 'src/sql/*.sql';
is_deeply([ grep { !$exported{$_} || !$exported{"pg_finfo_$_"} } @functions ],
	[], 'each C function that the SQL names is there');

# --- tests -------------------------------------------------------------------

sub lacks
{
	my ($inputs, $folder, $from, $to) = @_;
	return [ grep { !-e "$folder/" . (fileparse($_, $from))[0] . $to } glob $inputs ];
}

is_deeply(lacks('sql/*.sql', 'expected', qr/\.sql/, '.out'), [],
	'each sql/*.sql has its expected output');
is_deeply(lacks('expected/*.out', 'sql', qr/(?:_\d)?\.out/, '.sql'), [],
	'each expected output has its sql/*.sql');
is_deeply(lacks('test/isolation/specs/*.spec', 'test/isolation/expected', qr/\.spec/, '.out'), [],
	'each isolation spec has its expected output');

done_testing();
