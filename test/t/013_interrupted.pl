# A change of modules whose session or client goes in its midst, or with it the whole
# server: all is as it was, whoever comes next makes the change, and the session leaves
# no temporary table behind.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('interrupted');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'publicdigit'
client_connection_check_interval = '100ms'
CONF
$node->start;

# The third of four migrations waits, either way, for a lock that the test holds.
$node->safe_psql('postgres', <<'SQL');
SET client_min_messages = error;
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup('owner', 'app'), publicdigit.create_tenant('acme');
SELECT publicdigit.register_module(jsonb_build_object('name', 'work', 'version', version, 'context', 'tenant',
    'tables', '{"t1": "tenant"}'::jsonb, 'scripts', jsonb_object_agg(format('migrations/tenant/000%s_t.%s.sql', n, way),
        format(CASE way WHEN 'up' THEN 'CREATE TABLE t%s (tenant_id uuid)' ELSE 'DROP TABLE t%s' END, n)
        || CASE n WHEN 3 THEN '; SELECT pg_advisory_xact_lock(1)' ELSE '' END)))
FROM (VALUES ('1.0.0', 1), ('1.1.0', 4)) AS v (version, last), generate_series(1, last) AS n, (VALUES ('up'), ('down')) AS w (way)
GROUP BY version;
SELECT publicdigit.install_module('work', 'acme', '1.0.0');
CREATE FUNCTION state() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(part, E'\n' ORDER BY part) FROM (
        SELECT i::text FROM publicdigit.installation AS i
        UNION ALL SELECT m::text FROM publicdigit.tenant_migration AS m
        UNION ALL SELECT e::text FROM publicdigit.migration_event AS e
        UNION ALL SELECT o::text FROM publicdigit.module_object AS o
        UNION ALL SELECT t::text FROM publicdigit.tenants AS t
        UNION ALL SELECT n::text FROM pg_namespace AS n WHERE nspname !~ '^pg_t'
        UNION ALL SELECT p::text FROM pg_policy AS p
        UNION ALL SELECT concat_ws(' ', c.oid, relname, relacl, relrowsecurity, attname)
            FROM pg_class AS c LEFT JOIN pg_attribute AS a ON attrelid = c.oid
            WHERE relnamespace::regnamespace::text ~ '^(tenant|landlord)'
    ) AS parts (part)
$$;
SQL

# Starts psql with some statements, one after the other.
sub start
{
	my ($sql, $out) = @_;
	return IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SET client_min_messages = error',
			map { ('-c', $_) } split /; /, $sql ], '<', \undef, '>&', $out);
}

# Makes a call, does something when it has got to the lock, and compares.
sub interrupted
{
	my ($call, $name, $act) = @_;
	my $before = $node->safe_psql('postgres', 'SELECT state()');
	my ($held, $said) = ('', '');
	my $holder = start('SELECT pg_advisory_lock(1); SELECT pg_sleep(600)', \$held);
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted")
	  or die 'nobody holds the lock';
	my $session = start("CREATE TEMP TABLE mine (n int); SELECT publicdigit.$call", \$said);
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
	  or die 'nobody waits for the lock';

	$act->($session);
	$session->finish;
	$node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
	$holder->finish;
	$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'")
	  or die 'somebody still holds the lock';
	is($node->safe_psql('postgres', 'SELECT state()'), $before, "$name: all is as before");
	return $said;
}

# Ends the session that waits for the lock.
sub terminate
{
	return $node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
}

like(interrupted("upgrade_module('work', 'acme')", 'a terminated upgrade', \&terminate),
	qr/FATAL:  terminating connection due to administrator command\n(?s:.*)script "migrations\/tenant\/0003_t.up.sql", statement 2 at line 1\nupgrade of module "work" version 1.1.0 for tenant "acme"/,
	'its client is told where it was');
is($node->psql('postgres', "SELECT publicdigit.migrate_tenant('acme')"), 0, 'the upgrade goes through');

interrupted("check_drift('acme')", 'a terminated drift check', \&terminate);
interrupted("downgrade_module('work', 'acme', '1.0.0')", 'a downgrade whose client is gone', sub {
	my ($session) = @_;
	$session->kill_kill;
	$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
	  or die 'the session stays';
});
is($node->psql('postgres', "SELECT publicdigit.downgrade_module('work', 'acme', '1.0.0')"), 0, 'the downgrade goes through');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname = 'mine'"), 0, 'no temporary table is left');

interrupted("upgrade_module('work', 'acme')", 'an upgrade when the server goes down', sub {
	$node->stop('immediate');
	$node->start;
});
is($node->psql('postgres', "SELECT publicdigit.upgrade_module('work', 'acme')"), 0, 'the upgrade goes through');
is($node->safe_psql('postgres', "SELECT string_agg(migration, ' ' ORDER BY migration) FROM publicdigit.migrations"),
	'0001_t 0002_t 0003_t 0004_t', 'all migrations are applied');
is($node->safe_psql('postgres', "SELECT count(*) FROM publicdigit.check_drift()"), 0, 'nothing differs');

$node->stop;
done_testing();
