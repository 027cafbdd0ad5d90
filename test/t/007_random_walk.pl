# Random sequences of switches, savepoints, cursors, prepared statements, SET ROLE,
# DISCARD, exception blocks and more: after each statement the bound tenant, the
# visible rows, results and SQLSTATEs are what a model says that was written apart
# from the extension (test/clients/random_walk.py and model.py).
#
# A failure shows the shortest script that still differs, and how to run it again.
# PUBLICDIGIT_SEED has the same sequences drawn again, PUBLICDIGIT_LOAD, a factor, fewer of
# them, where the server is slow.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db = 'walk';
my $sequences = 2000 * ($ENV{PUBLICDIGIT_LOAD} // 1);
my $seed = $ENV{PUBLICDIGIT_SEED} || int(rand(1e9));
my $python = '/usr/bin/python3';    # the one that Debian's packages are for
my $folder = 'test/clients';

# A summary without one of these would have left out what the walk is for.
my @kinds = qw(begin block close commit deallocate declare discard execute fetch forget
  function loop midquery plan_mode prepare qualified read release reset rollback
  rollback_to savepoint seal set_path set_role set_user use_landlord use_tenant);

die 'psycopg2 is missing: install Debian\'s package "python3-psycopg2"'
  if system($python, '-c', 'import psycopg2') != 0;

my $node = PostgreSQL::Test::Cluster->new('walk');
$node->init;
# Many statements are refused; they need not fill the log.
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'publicdigit'
log_statement = none
log_min_messages = log
CONF
$node->start;
$node->safe_psql('postgres', "CREATE DATABASE $db");
$node->command_ok([ 'psql', '-X', '-q', '-d', $db, '-f', "$folder/random_walk.sql" ],
	'tenants, users and rows are made');

note("seed $seed");
my $out = '';
{
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, PGDATABASE => $db,
		PYTHONDONTWRITEBYTECODE => 1);
	IPC::Run::run([ $python, "$folder/random_walk.py", '--seed', $seed, '--sequences', $sequences ],
		'>&', \$out);
}
my ($last) = $out =~ /^(\{.*\})\s*\z/m;
my $summary = $last ? decode_json($last) : { mismatches => 'no summary', kinds => {} };

is($summary->{mismatches}, 0, 'the session is always where the model says')
  or diag("seed $seed\n$out");
cmp_ok($summary->{sequences} // 0, '>=', $sequences, "$sequences sequences have run");
note(sprintf '%d steps, %d of them refused, %d checks, %s s',
	map { $summary->{$_} // 0 } qw(steps refused checks seconds));

# Of 2,000 sequences the rarest kind makes more than a hundred.
my $least = $sequences >= 2000 ? 50 : int($sequences / 200);
is_deeply([ grep { ($summary->{kinds}{$_} // 0) < $least } @kinds ],
	[], "each kind of step has happened at least $least times");
is_deeply([ grep { my $kind = $_; !grep { $_ eq $kind } @kinds } sort keys %{ $summary->{kinds} } ],
	[], 'and there is none that is not looked for');

$node->stop;
done_testing();
