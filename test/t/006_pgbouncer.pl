# Tenants behind a real PgBouncer: twenty clients share four server connections,
# by transaction and then by session with DISCARD ALL between the clients.  They
# switch tenants at random, fail, roll back, have queries cancelled and break off
# in the middle (test/clients/pooler.py).  Whatever a client before them did on
# the same connection, they read and write rows of the tenant they asked for, and
# none where they asked for none.
#
# PUBLICDIGIT_SEED makes the clients draw the same again; the order in which the
# pool serves them still differs.  PUBLICDIGIT_LOAD, a factor from 0.1 on, is for
# builds and servers that are slow.
use strict;
use warnings FATAL => 'all';

use File::Spec::Functions qw(catfile path);
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $db = 'landlord';
my $tenants = 50;
my $seeded = 5;    # rows of a tenant's in each table; pooler.py has the same
my $clients = 20;
my $servers = 4;
my $transactions = 10_000 * ($ENV{PUBLICDIGIT_LOAD} // 1);
my $seed = $ENV{PUBLICDIGIT_SEED} // int(rand(1e9));
my $python = '/usr/bin/python3';    # the one that Debian's packages are for

my ($program) = grep { -x } map { catfile($_, 'pgbouncer') } path(), '/usr/sbin';
ok(defined $program, 'PgBouncer is installed: Debian\'s package "pgbouncer"')
  or die 'no PgBouncer';
ok(system($python, '-c', 'import psycopg2') == 0,
	'psycopg2 is installed: Debian\'s package "python3-psycopg2"') or die 'no psycopg2';

# --- fifty tenants ------------------------------------------------------------

my $node = PostgreSQL::Test::Cluster->new('pooled');
$node->init;
# Connections that were broken off count until their backend has ended.
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'publicdigit'
max_connections = 50
log_statement = none
CONF
$node->start;

# Table note is each tenant's own, event has rows of all.
my $columns = <<'SQL';
	id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	tenant_id uuid,
	client    int NOT NULL,
	revision  int NOT NULL DEFAULT 0,
	body      text NOT NULL
SQL
my $module = encode_json({
	name => 'notes', version => '1.0.0', context => 'tenant',
	tables => { note => 'tenant' },
	scripts => { 'migrations/tenant/0001_note.up.sql' => "CREATE TABLE note (\n$columns);" } });

$node->safe_psql('postgres', "CREATE DATABASE $db");
$node->safe_psql($db, <<"SQL");
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup('pd_owner', 'pd_app');
CREATE ROLE web LOGIN IN ROLE pd_app;
SELECT publicdigit.grant_tenant_access('web', '*');

CREATE TABLE landlord.event (\n$columns);
ALTER TABLE landlord.event OWNER TO pd_owner;
CREATE INDEX ON landlord.event (tenant_id, client);
SELECT publicdigit.protect_table('landlord.event');
GRANT SELECT, INSERT, UPDATE ON landlord.event TO pd_app;

SELECT publicdigit.register_module(\$\$$module\$\$::jsonb);
SELECT publicdigit.create_tenant(format('t%s', n)) FROM generate_series(1, $tenants) AS n;
SELECT publicdigit.install_module('notes', slug) FROM publicdigit.tenants;
SQL

# All tenants' rows, past row-level security; slug is where a note was found.
my $all_rows = $node->safe_psql($db, <<'SQL');
SELECT 'SELECT NULL AS slug, tenant_id, body FROM landlord.event' ||
	string_agg(format(' UNION ALL SELECT %L, tenant_id, body FROM %I.note', slug, schema_name), '')
FROM publicdigit.tenants
SQL

$node->safe_psql($db, <<"SQL");
DO \$\$
DECLARE
	tenant record;
BEGIN
	FOR tenant IN SELECT * FROM publicdigit.tenants LOOP
		EXECUTE format('INSERT INTO landlord.event (tenant_id, client, body)'
			' SELECT %1\$L, 0, %2\$L FROM generate_series(1, $seeded);'
			'INSERT INTO %3\$I.note (tenant_id, client, body)'
			' SELECT %1\$L, 0, %2\$L FROM generate_series(1, $seeded)',
			tenant.id, tenant.slug || ' from the start', tenant.schema_name);
	END LOOP;
END
\$\$;
ANALYZE;
SQL
my $ids = $node->safe_psql($db, 'SELECT json_object_agg(slug, id) FROM publicdigit.tenants');
my $expected_rows = 2 * $seeded * $tenants;

# --- PgBouncer ------------------------------------------------------------------

my $folder = PostgreSQL::Test::Utils::tempdir_short;
my $port = 6432;       # only names the socket: it does not listen on TCP
my $pgbouncer;

sub start_pgbouncer
{
	my ($mode) = @_;
	my $host = $node->host;
	my $server_port = $node->port;
	append_to_file("$folder/$mode.ini", <<"INI");
[databases]
$db = host=$host port=$server_port
[pgbouncer]
listen_addr =
listen_port = $port
unix_socket_dir = $folder
auth_type = trust
auth_file = $folder/users
pool_mode = $mode
default_pool_size = $servers
max_client_conn = 100
server_reset_query = DISCARD ALL
INI
	$pgbouncer = IPC::Run::start([ $program, "$folder/$mode.ini" ], '<', \undef,
		'>', "${PostgreSQL::Test::Utils::log_path}/pgbouncer_$mode.log", '2>&1');
	my @ask = ('psql', '-XAt', '-h', $folder, '-p', $port, '-U', 'pgbouncer', '-c', 'SHOW VERSION',
		'pgbouncer');
	my ($version, $stderr);
	for (1 .. 100)
	{
		return note($version) if IPC::Run::run(\@ask, '>', \$version, '2>', \$stderr);
		usleep(100_000);
	}
	die "PgBouncer does not answer: $stderr";
}

sub stop_pgbouncer
{
	$pgbouncer->kill_kill(grace => 5) if $pgbouncer;
	undef $pgbouncer;
	return;
}

END
{
	local $?;
	stop_pgbouncer();
}

append_to_file("$folder/users", qq("web" ""\n));

# --- both kinds of pool ---------------------------------------------------------

my $first = 1;
for my $mode ('transaction', 'session')
{
	start_pgbouncer($mode);
	note("$mode mode: PUBLICDIGIT_SEED=$seed");
	my $start = time;
	my $timeout = IPC::Run::timeout(10 * $PostgreSQL::Test::Utils::timeout_default);
	my ($out, $err) = ('', '');
	IPC::Run::run([ $python, 'test/clients/pooler.py', $folder, $port, $db, $mode, $clients, $first,
			$transactions, $seed ], '<', \$ids, '>', \$out, '2>', \$err, $timeout);
	stop_pgbouncer();
	my ($last) = $out =~ /^(\{.*\})$/m or die "$mode mode: no summary: $out$err";
	my $got = decode_json($last);
	note(sprintf('%.1f s, ', time - $start), explain($got));

	is($err, '', "$mode mode: the clients complain of nothing");
	is_deeply($got->{problems}, [], 'each answer is what it should be')
	  or diag("$got->{problem_count} problems in all; to draw the same: PUBLICDIGIT_SEED=$seed");
	is($got->{wrong_rows}, 0, 'no row is of another tenant');
	cmp_ok($got->{rows}, '>=', 10 * $transactions, 'many rows are checked');
	is($got->{tenants}, $tenants, 'of every tenant');
	cmp_ok($got->{transactions}, '>=', $transactions, 'in many transactions');
	cmp_ok($got->{$_}, '>=', $transactions / 200, "$_ were among them")
	  for qw(commit rollback fail vanish errors cancels unbound);
	is($got->{most_servers}, $servers, 'all clients shared the server connections');
	is($got->{most_clients}, $clients, 'at the same time');

	$first += $clients;
	$expected_rows += $got->{written};
	is($node->safe_psql($db, <<"SQL"), "$expected_rows|0", 'committed rows are all where they belong');
SELECT count(*), count(*) FILTER (WHERE t.slug IS DISTINCT FROM split_part(body, ' ', 1)
	OR t.slug <> r.slug)
FROM ($all_rows) AS r LEFT JOIN publicdigit.tenants AS t ON t.id = tenant_id
SQL
}

$node->stop;
done_testing();
