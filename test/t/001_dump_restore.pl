# A landlord database with two tenants, dumped and restored into another
# cluster: nothing is lost, and everything goes on working there.
use strict;
use warnings FATAL => 'all';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db = 'landlord';

sub new_cluster
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'publicdigit'");
	$node->start;
	return $node;
}

# What the application reads when it is bound to a tenant.
sub read_as_web
{
	my ($node, $tenant, $query) = @_;
	return $node->safe_psql($db, <<"SQL", extra_params => [ '-U', 'web' ]);
\\o /dev/null
BEGIN;
SELECT publicdigit.use_tenant('$tenant');
\\o
$query;
COMMIT;
SQL
}

# The schema as pg_dump writes it, without the lines that differ every time.
sub schema_of
{
	my ($node) = @_;
	my ($dump) = run_command([ 'pg_dump', '--schema-only', '-d', $node->connstr($db) ]);
	return join "\n", grep { !/^(--|\\(un)?restrict |$)/ } split /\n/, $dump;
}

my @views = qw(tenants domains tenant_access modules module_installations
  migrations protected_tables landlord_references);

sub registry_of
{
	my ($node) = @_;
	return { map { $_ => $node->safe_psql($db, "SELECT v FROM publicdigit.$_ AS v ORDER BY v::text") } @views };
}

my $members = 'SELECT email, card_number FROM members LEFT JOIN digital_cards'
  . ' ON member_id = members.id ORDER BY email';

my $old = new_cluster('old');
$old->safe_psql('postgres', "CREATE DATABASE $db");
$old->safe_psql($db, <<'SQL');
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup('pd_owner', 'pd_app', admin => 'pd_admin');
CREATE ROLE web LOGIN IN ROLE pd_app;
SELECT publicdigit.register_module('geography');
SELECT publicdigit.register_module('members');
SELECT publicdigit.register_module('digital_card');
SELECT publicdigit.create_tenant('acme', domains => ARRAY['acme.example.org']);
SELECT publicdigit.create_tenant('new-town', 'New Town', domains => ARRAY['*.newtown.example']);
SELECT publicdigit.create_tenant('gone');
SELECT publicdigit.drop_tenant('gone', force => true);
SELECT publicdigit.grant_tenant_access('pd_app', 'acme');
SELECT publicdigit.grant_tenant_access('web', 'new-town');
SELECT publicdigit.install_module('geography');
SELECT publicdigit.seed_module('geography');
SELECT publicdigit.install_module('digital_card', 'acme');
SELECT publicdigit.install_module('members', 'new-town');
CREATE TABLE landlord.notes (tenant_id uuid NOT NULL, note text);
SELECT publicdigit.protect_table('landlord.notes');
SQL
$old->safe_psql($db, <<'SQL', extra_params => [ '-U', 'web' ]);
BEGIN;
SELECT publicdigit.use_tenant('acme');
INSERT INTO members (full_name, email, country_code) VALUES ('Asha', 'asha@acme.example', 'NP');
INSERT INTO digital_cards (member_id, card_number) SELECT id, 'A-1' FROM members;
COMMIT;
BEGIN;
SELECT publicdigit.use_tenant('new-town');
INSERT INTO members (full_name, email) VALUES ('Clara', 'clara@newtown.example');
COMMIT;
SQL

is( $old->safe_psql($db, <<'SQL'), '', 'pg_dump takes along every table and sequence of the registry');
SELECT c.oid::regclass
FROM pg_class AS c, pg_extension AS e
WHERE c.relnamespace = 'publicdigit'::regnamespace AND c.relkind IN ('r', 'p', 'S')
  AND e.extname = 'publicdigit' AND c.oid <> ALL (coalesce(e.extconfig, '{}'))
SQL

# --- dump, and restore elsewhere ----------------------------------------------

my $folder = PostgreSQL::Test::Utils::tempdir;
$old->command_ok([ 'pg_dumpall', '--roles-only', '-f', "$folder/roles.sql" ], 'the roles are dumped');
$old->command_ok([ 'pg_dump', '-Fc', '-f', "$folder/dump", $db ], 'the database is dumped');

my $new = new_cluster('new');
# Not --set ON_ERROR_STOP: the new cluster's superuser exists.
$new->command_ok([ 'psql', '-X', '-q', '-d', 'postgres', '-f', "$folder/roles.sql" ], 'the roles are restored');
$new->safe_psql('postgres', "CREATE DATABASE $db");
$new->command_ok([ 'pg_restore', '--exit-on-error', '-d', $db, "$folder/dump" ], 'the database is restored');

is_deeply(registry_of($new), registry_of($old), 'the registry is the same');
my $fingerprints = "SELECT i.tenant, i.module, publicdigit.fingerprint(coalesce(i.tenant, '\@landlord'), i.module)"
  . ' FROM publicdigit.module_installations AS i ORDER BY 1, 2';
my $printed = $new->safe_psql($db, $fingerprints);
is($printed, $old->safe_psql($db, $fingerprints), 'so are the fingerprints of what is installed');
is(() = $printed =~ /\|sha256:[0-9a-f]{64}$/mg, 4, 'of all four');
is($new->safe_psql($db, 'SELECT * FROM publicdigit.check_drift()'), '||extra|table notes||present',
	'and what was made by hand is all that differs from the modules');

# In parallel: the data of the registry's tables, which refer to each other, by itself.
$new->safe_psql('postgres', 'CREATE DATABASE in_parallel');
for my $step ([ 'pre-data' ], [ 'data' ], [ 'post-data', '-j', 2 ])
{
	my ($section, @jobs) = @$step;
	$new->command_ok([ 'pg_restore', '--exit-on-error', "--section=$section", @jobs, '-d', 'in_parallel', "$folder/dump" ],
		"restored by sections: $section");
}
is($new->safe_psql('in_parallel', 'SELECT count(*) FROM publicdigit.module_installations'),
	$old->safe_psql($db, 'SELECT count(*) FROM publicdigit.module_installations'), 'and nothing is missing');
is(schema_of($new), schema_of($old), 'schemas, policies and grants are the same');

# --- it goes on working ---------------------------------------------------------

# References to the landlord hold, and still go with their column.
for my $restored ($db, 'in_parallel')
{
	my ($rc, $stdout, $stderr) = $new->psql($restored, "DELETE FROM landlord.countries WHERE code = 'NP'");
	like($stderr, qr/Key \(code\)=\(NP\) is still referenced by 1 tenant: acme\./, "$restored: a country that is used stays");
	($rc, $stdout, $stderr) = $new->psql($restored, "UPDATE tenant_acme.members SET country_code = 'ZZ'");
	like($stderr, qr/Key \(country_code\)=\(ZZ\) is not present/, "$restored: a country that is not there is refused");
	is($new->safe_psql($restored, <<'SQL'), "t\n0", "$restored: keys are found by name, and the reference goes with its column");
SELECT landlord_table = 'landlord.countries'::regclass FROM publicdigit.landlord_reference_key;
BEGIN;
ALTER TABLE tenant_acme.members DROP COLUMN country_code;
SELECT count(*) FROM publicdigit.landlord_references WHERE table_name = 'tenant_acme.members'::regclass;
ROLLBACK;
SQL
}

is(read_as_web($new, 'acme', $members), 'asha@acme.example|A-1', 'a tenant sees its rows');
is(read_as_web($new, 'new-town', 'SELECT email FROM members'),
	'clara@newtown.example', 'so does the other');
is($new->safe_psql($db, "SELECT publicdigit.find_tenant('x.newtown.example') = id"
		. " FROM publicdigit.tenants WHERE slug = 'new-town'"),
	't', 'a tenant is found by host name');

my ($status, $out, $err) = $new->psql($db, <<'SQL', extra_params => [ '-U', 'web' ]);
\set VERBOSITY sqlstate
SELECT count(*) FROM tenant_acme.members;
INSERT INTO tenant_acme.members (full_name, email) VALUES ('Nobody', 'n@example.org');
SQL
unlike($out, qr/[1-9]/, 'with no tenant bound nothing is seen');
like($err, qr/ERROR:  42501/, 'and nothing can be written');

$new->safe_psql($db, "SELECT publicdigit.install_module('digital_card', 'new-town')");
$new->safe_psql($db, <<'SQL', extra_params => [ '-U', 'web' ]);
BEGIN;
SELECT publicdigit.use_tenant('new-town');
INSERT INTO digital_cards (member_id, card_number) SELECT id, 'N-1' FROM members;
COMMIT;
SQL
is(read_as_web($new, 'new-town', $members),
	'clara@newtown.example|N-1', 'another module installs and works');
is($new->safe_psql($db, 'SELECT table_name FROM publicdigit.protected_tables ORDER BY table_name::text'),
	join("\n", qw(landlord.notes tenant_acme.digital_cards tenant_acme.members
		tenant_new_town.digital_cards tenant_new_town.members)),
	'every table is protected');

$new->safe_psql($db, "SELECT publicdigit.create_tenant('gone')");
is($new->safe_psql($db, "SELECT schema_name FROM publicdigit.tenants WHERE slug = 'gone'"),
	'tenant_gone_2', 'the schema name of a dropped tenant is still not used again');

$new->safe_psql($db, "SELECT publicdigit.drop_tenant('acme', force => true)");
is($new->safe_psql($db, "SELECT to_regnamespace('tenant_acme') IS NULL, count(*) FROM publicdigit.domains"),
	't|1', 'a tenant is dropped, with its schema and domains');
is(read_as_web($new, 'new-town', $members),
	'clara@newtown.example|N-1', 'the other one keeps its rows');

done_testing();
