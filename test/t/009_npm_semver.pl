# Ranges: what npm's own library says of a range and a version, an installation
# does.  Pairs are fixed hard cases and what a generator makes; PUBLICDIGIT_SEED has
# it make the same again.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $json = JSON::PP->new->canonical;
my $folder = PostgreSQL::Test::Utils::tempdir();

# --- npm's library ---------------------------------------------------------------

my ($out, $err) = ('', '');
{
	local $ENV{npm_config_cache} = "$folder/cache";
	local $ENV{npm_config_update_notifier} = 'false';
	ok( IPC::Run::run(
			[ 'npm', 'install', '--prefix', $folder, '--no-audit', '--no-fund', 'semver' ],
			'>', \$out, '2>', \$err),
		'npm installs its library semver')
	  or die "npm failed: $out$err";
}

sub ask_npm
{
	my ($question) = @_;
	my ($input, $answer, $error) = ($json->encode($question), '', '');
	IPC::Run::run([ 'node', 'test/clients/ranges.js', $folder ], '<', \$input, '>', \$answer, '2>', \$error)
	  or die "node failed: $error";
	return $json->decode($answer);
}

# --- what npm takes and publicdigit refuses, and why -------------------------------

my @on_purpose = (
	# "^=1.2" is "^1.2" to npm, "> =1.2" is ">=1.2", "~ >1" is "~1", "v=1" is "1":
	# whoever writes two operators has most probably meant something else.
	[ 'a second operator' => qr/[<>=~^v]\s*[=v~^<>]/ ],
	# "^1.x.3" is "^1.x" to npm; in other ranges it refuses a number there, too.
	[ 'a number after an open one' => qr/[xX*]\.\d/ ],
	[ 'an operator in a hyphen range' => qr/(?:^|\|\|)[v\s]*=.*\s-\s|\s-\s+[v\s]*=/ ],
	# npm takes out all that looks like build metadata before it reads the rest, so that
	# "1.2+b" is "1.2", and "+b" is "*".
	[ 'build metadata without a whole version' => qr/^(?:(?<![\d.])\d+\.\d+\.[\dxX*]+(?:-[0-9A-Za-z.-]+)?\+[0-9A-Za-z.-]+|[^+])*+\+/ ],
	# npm takes a star out of whatever it stands in: "1.2.3*" is "1.2.3".
	[ 'a star glued to something' => qr/\*[^\s.|]|[^\s.|<>=~^v]\*/ ],
	# What no registered version can be: see PD_SEMVER_RULE.
	[ 'a part of a prerelease with a digit first that is no number' => qr/[-.]\d+[a-zA-Z-]/ ],
	[ 'a number above 2147483646' => qr/\d{10}/ ],
	# npm's white space is that of Unicode.
	[ 'white space beyond ASCII' => qr/[^\x00-\x7f]/ ],
);

sub reason
{
	my ($range) = @_;
	for my $case (@on_purpose) { return $case->[0] if $range =~ $case->[1] }
	return;
}

# --- hard cases --------------------------------------------------------------------

my @versions = qw(
  0.0.0 0.0.1 0.0.2 0.0.3 0.0.3-beta 0.0.3-pr.2 0.0.4 0.1.0 0.1.2 0.2.0-0 0.2.0 0.2.3 0.2.4 0.2.5 0.3.0 0.9.9
  1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0
  1.0.0+build.7 1.0.1 1.1.0 1.2.0-0 1.2.0-rc.1 1.2.0 1.2.2 1.2.3-alpha.3 1.2.3-alpha.7 1.2.3-beta.2 1.2.3-beta.4
  1.2.3-rc.1 1.2.3 1.2.3+a-b 1.2.4-alpha.3 1.2.4-beta.2 1.2.4 1.2.9 1.3.0-0 1.3.0-beta 1.3.0 1.9.9 1.10.0
  2.0.0-0 2.0.0-alpha 2.0.0-rc.1 2.0.0 2.0.0+x 2.1.0 2.3.0 2.3.4 2.3.4-b.1 2.3.5 2.4.0-0 2.4.0 2.9.9 3.0.0-0 3.0.0 3.1.4
  3.4.5-alpha.9 4.0.0 10.0.0 10.2.0 1.2147483646.0 2147483647.0.0
);
my @hard = (
	'', ' ', '*', 'x', 'X', '*.*', 'x.x.x', '*.x.X', '>=*', '<=*', '=*', '>*', '<*', '>x', '~*', '^*', '^x', '~x',
	'||', ' || ', '1.0.0||', '||1.0.0', '1.0.0 || || 2.0.0', '* || 2.0.0-rc.1', '<0.0.0-0', '<0.0.0-0 || 1.x', '<0.0.0', '>=0.0.0',
	'>=0.0.0 || 2.0.0-rc.1', '>=0.0.0-0', '>=0.0.0 <1', '* 1.x', '1.x *', '^0.0.0 || 1.0.0-rc.1',
	'1', '1.2', '1.2.3', '=1.2.3', 'v1.2.3', '=v1.2.3', '1.x', '1.2.x', '1.x.x', '1.2.*', '1.X', 'v1', 'v1.x', '= 1.2.3', '>= 1.2.3', '> v1.2',
	'^1.2.3', '^1.2', '^1', '^1.x', '^1.2.x', '^0', '^0.x', '^0.0', '^0.0.x', '^0.2', '^0.2.3', '^0.0.3', '^0.0.0', '^ 1.2.3', '^v1.2',
	'^1.2.3-beta.2', '^0.0.3-beta', '^0.2.0-0', '^1.0.0-alpha', '^1.2.0-rc.1', '^2.0.0-0', '^0.0.3-pr.1',
	'~1.2.3', '~1.2', '~1', '~0.2.3', '~0.2', '~0', '~1.2.3-beta.2', '~>1.2', '~> 1.2.3', '~ 1.2', '~v1.2', '~0.0.3', '~1.x', '~1.2.x',
	'>1', '>1.2', '>1.2.3', '>=1', '>=1.2', '<1', '<1.2', '<1.2.3', '<=1', '<=1.2', '<=1.2.3', '<2.0.0-0', '<2.0.0', '<=2.0.0-rc.1',
	'>1.2.3-alpha.3', '>=1.2.3-alpha.3 <1.3', '>1.2.3-beta.2 <1.2.4', '>=1.0.0-rc.1', '<1.0.0-beta.11', '>1.x', '<=1.x', '>=1.2.x', '<1.2.x',
	'>=1.2 <3', '>=1.2.3 <2.0.0 || >=3', '1.2 || 2.x', '^1.2||^2', '>=1.2.7 <1.3.0', '1.2.7 || >=1.2.9 <2.0.0', '>1 <1', '^1 ^2',
	'1.2.3 - 2.3.4', '1.2 - 2.3.4', '1.2.3 - 2.3', '1.2.3 - 2', '1 - 2', '1.x - 2.x', '* - 2', '1 - *', '* - *', '1.2.3 - 2.3.4 || 4',
	'1.0.0-alpha - 1.0.0-rc.1', '1.2.3-beta.2 - 2.0.0-0', 'v1.2 - v2', '1.2.3  -  2.3.4', "1.2.3\t-\n2.3.4", ' 1 - 2 ', '1.2.3+b - 2.0.0+x',
	'1.2.3-beta.2', '1.0.0-beta.11', '=2.0.0-0', '1.2.3+build', '^1.2.3+build.9', '1.0.0-rc.1+b', '>=1.0.0-alpha.beta <1.0.0-rc.1',
	'1.2.x-beta', '^1.2.x-beta', '10', '>9', '^1.2147483645', '<2147483646',
	"\t1.2.3 ", "1.2.3\n||\n2", "^1.2\r\n",
	# malformed
	'a', '1.2.3.4', '1.', '.1', '1..2', '01', '1.02', '1.2.03', '1.2.3-', '1.2.3-01', '1.2.3-a..b', '1.2.3-.a', '1.2.3+', '^', '~', '>', '<=', '=', '-', '- 1',
	'1 -', '1 - 2 - 3', '1 - 2 3', '>1 - 2', '1 - >2', '1.2.3-2.0.0 - 3', '1 -2', '1- 2', '|', '1 | 2', '1 ||| 2', '1,2', '>=1, <2', '1 && 2', '!1', '!=1', '><1', '=>1', '<>1', '^^1',
	'~~1', '^~1', '1.2.3beta', '1.x-beta', 'xx', '1x', 'x1', '1.2.xx', '-1', '+1', '1.-2', 'V1', 'latest', '1.2.3 latest', "1.2.3\x01", '(1)', '"1"', '1.2.3-é', '*-a',
	# on purpose
	'^=1.2', '~=1.2', '==1.2.3', '>==1', '> =1.2', '= =1', 'v=1.2.3', 'vv1', '~ >1.2', '~>=1', '^v=1', 'v 1.2', '1 - =2', '=1 - 2', '=1.2.3 - =2.0.0',
	'^1.x.3', '~1.x.3', '1.x.3', '*.1', '^x.1', '1.x.3 - 2', '^*.2.3',
	'1.2+b', '1+b', '^1+b', '*+b', '+b', '1.2.3 +b', '1.2.3+b+c', '1.x+b', '1.2.x+b', '1.2+b - 2',
	'>*=0.2.3', '*1.3.3', '1.2.3*', '*1.0.0-rc.1',
	'1.0.0-1a', '>=1.0.0-0x', '^2147483648', '<9007199254740991', "1.2\x{a0}||\x{2003}2", "\x{feff}1.2",
);

# --- generated ones -----------------------------------------------------------------

my $seed = $ENV{PUBLICDIGIT_SEED} || int(rand(1e9));
note("seed $seed");
srand $seed;

sub one_of { return $_[ rand @_ ] }
sub chance { return rand() < $_[0] }

sub prerelease { return join '.', map { one_of(qw(alpha beta rc 0 1 2 11 x a-b -)) } 1 .. one_of(1, 1, 2) }

sub partial
{
	my @parts = map { chance(0.12) ? one_of(qw(x X *)) : one_of(0, 0, 1, 1, 1, 2, 2, 3, 4, 10) } 1 .. one_of(1, 2, 2, 3, 3, 3, 3);
	for my $i (1 .. $#parts) { $parts[$i] = one_of(qw(x *)) if $parts[ $i - 1 ] =~ /\D/ }
	my $text = (chance(0.05) ? 'v' : '') . join '.', @parts;
	if (@parts == 3)
	{
		$text .= '-' . prerelease() if chance(0.25);
		$text .= '+' . one_of('b', 'b.7', '007') if chance(0.08) && $parts[2] =~ /\d/;
	}
	return $text;
}

sub set
{
	return partial() . ' - ' . partial() if chance(0.12);
	return join one_of(' ', ' ', '  '),
	  map { one_of('', '', '=', '<', '<=', '>', '>=', '>=', '~', '~>', '^', '^', '^') . one_of('', '', '', ' ') . partial() } 1 .. one_of(1, 1, 1, 2, 2, 3);
}

sub range
{
	my $text = join one_of('||', ' || '), map { set() } 1 .. one_of(1, 1, 1, 2, 3);
	if (chance(0.2))
	{
		my $at = int rand(1 + length $text);
		substr($text, $at, one_of(0, 1, 1)) = one_of('', split //, '0123456789.xX*^~<>=|-+ vab,');
	}
	return $text;
}

my @pairs = map { my $range = $_; map { [ $range, $_ ] } map { $versions[ rand @versions ] } 1 .. 4 } @hard;
# Each hard case is also decided for all versions at once, below.
push @pairs, [ range(), one_of(@versions) ] while @pairs < 2400;
my @ranges = (@hard, map { range() } 1 .. 400);

# --- the same by installations ---------------------------------------------------------

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'publicdigit'\nclient_min_messages = warning");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup('pd_owner', 'pd_app');
-- What an installation of a module that requires another one comes to: the version that it
-- brings, "none" where no registered one is in the range, "malformed", or another error.
CREATE FUNCTION pick(module text, range text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	picked text;
BEGIN
	PERFORM publicdigit.register_module(jsonb_build_object('name', 'asker', 'version', '1.0.0',
		'context', 'landlord', 'requires', jsonb_build_object(module, range)));
	PERFORM publicdigit.install_module('asker');
	SELECT i.version::text INTO STRICT picked FROM publicdigit.module_installations AS i WHERE i.module = pick.module;
	RAISE SQLSTATE 'UNDO0';
EXCEPTION
	WHEN SQLSTATE 'UNDO0' THEN RETURN picked;
	WHEN OTHERS THEN
		RETURN CASE WHEN SQLSTATE = '42704' AND SQLERRM LIKE 'no registered version of module%' THEN 'none'
			WHEN SQLSTATE = '22023' AND SQLERRM LIKE 'invalid value of key "requires.%' THEN 'malformed'
			ELSE SQLSTATE || ': ' || SQLERRM END;
END $$;
SQL

# 1.0.0 and 1.0.0+build.7 are one version, of which a module can have only one.
my %core;
my @distinct = grep { !$core{ s/\+.*//r }++ } @versions;
sub register { my ($module, $version) = @_; return "SELECT publicdigit.register_module('{\"name\": \"$module\", \"version\": \"$version\", \"context\": \"landlord\"}'::jsonb);\n" }
my %alone = map { $versions[$_] => "v$_" } 0 .. $#versions;
$node->safe_psql('postgres', join '', (map { register($alone{$_}, $_) } @versions), map { register('many', $_) } @distinct);

sub picks
{
	my (@questions) = @_;    # [module, range]
	my $document = $json->ascii->encode(\@questions) =~ s/'/''/gr;
	my $answer = $node->safe_psql('postgres', <<"SQL");
SELECT json_agg(pick(question->>0, question->>1) ORDER BY n)
FROM json_array_elements('$document') WITH ORDINALITY AS questions (question, n)
SQL
	return @{ $json->decode($answer) };
}

my $npm = ask_npm({ pairs => \@pairs, ranges => \@ranges, versions => \@distinct });
my @single = map { $_ eq 'malformed' || $_ eq 'none' ? $_ : /^\d/ && !/: / ? 'in' : $_ } picks(map { [ $alone{ $_->[1] }, $_->[0] ] } @pairs);
my @highest = picks(map { [ 'many', $_ ] } @ranges);

# --- comparison -----------------------------------------------------------------------

my %count;
my %purpose;
my @differ;

sub compare
{
	my ($what, $range, $npm, $ours) = @_;
	$ours = 'out' if $ours eq 'none' && $npm =~ /^(in|out)$/;
	if ($npm eq $ours) { $count{ $ours =~ /^\d/ ? 'highest' : $ours }++; return }
	my $reason = $ours eq 'malformed' ? reason($range) : undef;
	if (defined $reason) { $purpose{$reason}++; return }
	push @differ, sprintf '%s: range %s is %s to npm, %s here', $what, $json->allow_nonref->encode($range), $npm, $ours;
	return;
}
compare("version $pairs[$_][1]", $pairs[$_][0], $npm->{pairs}[$_], $single[$_]) for 0 .. $#pairs;
compare('highest', $ranges[$_], $npm->{highest}[$_], $highest[$_]) for 0 .. $#ranges;
ok(!@differ, sprintf 'no other difference between %d pairs and %d ranges', scalar @pairs, scalar @ranges)
  or diag(join "\n", "seed $seed", @differ[ 0 .. ($#differ < 40 ? $#differ : 40) ]);

# The comparison says something only where each outcome comes up often.
note(join ', ', map { "$_ $count{$_}" } sort keys %count);
cmp_ok($count{in} // 0, '>=', 200, 'pairs in range');
cmp_ok($count{out} // 0, '>=', 600, 'pairs out of range');
cmp_ok($count{malformed} // 0, '>=', 300, 'malformed ranges');
cmp_ok($count{highest} // 0, '>=', 200, 'ranges that hold a version');
note("refused here alone: $_, $purpose{$_} times") for sort keys %purpose;
is_deeply([ sort keys %purpose ], [ sort map { $_->[0] } @on_purpose ], 'each difference that is meant comes up');

$node->stop;
done_testing();
