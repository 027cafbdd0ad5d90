# The examples of README.md and doc/*.md: each ```sql block gives what the
# ```text block after it shows.  A page's blocks run in one session, README's in
# an empty database, the others' in one that scripts/quickstart has left.  Ids
# differ each time; a line "..." stands for lines that are left out.  The server
# has a key, for those about tokens.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db = 'publicdigit_landlord';
my $steps = 'scripts/quickstart.d';

my $node = PostgreSQL::Test::Cluster->new('doc');
$node->init;
my $key_file = $node->basedir . '/token.key';
append_to_file($key_file, join '', map { chr(33 + int rand 94) } 1 .. 43);
chmod 0600, $key_file or die "$key_file: $!";
$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'publicdigit'
publicdigit.key_file = '$key_file'
CONF
$node->start;
# The examples call the superuser so.
$node->psql('postgres', 'CREATE ROLE postgres SUPERUSER LOGIN');

# All that psql prints for a script, errors in their place.
sub output_of
{
	my ($user, $sql, @options) = @_;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	my $out = '';
	IPC::Run::run([ 'psql', '-X', '-q', '-U', $user, '-d', $db, @options ],
		'<', \$sql, '>&', \$out);
	return $out;
}

# A fresh database; roles outlive it and may be there.
sub prepare
{
	my ($as_quickstart_leaves_it) = @_;
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $db WITH (FORCE)");
	$node->safe_psql('postgres', 'DROP ROLE IF EXISTS '
		  . 'ops, web, reports, publicdigit_owner, publicdigit_app, publicdigit_admin');
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	return unless $as_quickstart_leaves_it;
	for my $step (sort glob "$steps/[0-9]*.sql")
	{
		output_of($step =~ /application/ ? 'web' : 'postgres', '', '-f', $step);
	}
}

# What may differ: ids, and the layout that follows from them.
sub normal
{
	my ($text) = @_;
	$text =~ s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/ID/g;
	$text =~ s/-{3,}/---/g;
	$text =~ s/ +/ /g;
	return [ map { s/\s+$//r } grep { /\S/ } split /\n/, $text ];
}

# The lines, as a pattern in which "..." is any number of them.
sub pattern
{
	return join '', map { $_ eq '...' ? '(?:.*\n)*?' : quotemeta($_) . '\n' } @_;
}

for my $page ('README.md', sort glob 'doc/*.md')
{
	my @examples;
	my $text = slurp_file($page);
	push @examples, [ $1, $2 ]
	  while $text =~ /^```sql\n(.*?)^```\n(?:```text\n(.*?)^```\n)?/msg;
	next unless @examples;

	my $is_readme = $page eq 'README.md';
	prepare(!$is_readme);
	my $script = join '', map { "$_->[0]\n\\echo \@\@\n" } @examples;
	my @got = split /^\@\@\n/m, output_of($is_readme ? 'postgres' : 'ops', $script);

	for my $i (0 .. $#examples)
	{
		my ($sql, $wanted) = @{ $examples[$i] };
		my ($name) = $sql =~ /^((?!\\c ).*)/m;
		my $got = join '', map { "$_\n" } @{ normal($got[$i] // '') };
		if (defined $wanted)
		{
			my $pattern = pattern(@{ normal($wanted) });
			like($got, qr/^$pattern\z/, "$page: $name");
		}
		else
		{
			unlike($got, qr/ERROR|FATAL/, "$page: $name");
		}
	}
}

$node->stop;
done_testing();
