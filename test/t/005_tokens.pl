# Tokens: what an independent library makes is accepted, anything else refused;
# keys and their rotation; where a token can be read; what a server without
# preloading or key says.
use strict;
use warnings FATAL => 'all';

use File::Spec::Functions qw(catfile);
use IPC::Run;
use JSON::PP;
use MIME::Base64 qw(encode_base64url decode_base64url);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $db = 'landlord';
my $python = '/usr/bin/python3';    # the one that Debian's packages are for
my $json = JSON::PP->new->canonical;
ok(system($python, '-c', 'import jwt, cryptography, psycopg2') == 0,
	'Debian\'s packages python3-jwt, python3-cryptography and python3-psycopg2 are installed')
  or die 'a Python module is missing';

# --- servers and keys -----------------------------------------------------------

my $keys = PostgreSQL::Test::Utils::tempdir();

# A key file of its own, with any permissions.
sub key_file
{
	my ($name, $text, $mode) = @_;
	my $file = catfile($keys, $name);
	unlink $file;
	open my $handle, '>', $file or die "$file: $!";
	print $handle $text;
	close $handle;
	chmod $mode // 0600, $file;
	return $file;
}

sub random_key { return join '', map { chr(33 + int rand 94) } 1 .. 43 }

sub new_server
{
	my ($name, $settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', $settings);
	$node->start;
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->safe_psql($db, <<'SQL');
SET client_min_messages = warning;
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup('pd_owner', 'pd_app', admin => 'pd_admin');
CREATE ROLE web LOGIN IN ROLE pd_app;
CREATE ROLE other LOGIN IN ROLE pd_app;
SELECT publicdigit.create_tenant(slug) FROM unnest('{acme, beta, gone}'::text[]) AS slug;
SELECT publicdigit.grant_tenant_access('web', 'acme', token_only => true),
       publicdigit.grant_tenant_access('web', 'beta'), publicdigit.grant_tenant_access('other', 'acme');
CREATE TABLE landlord.event (tenant_id uuid, body text);
ALTER TABLE landlord.event OWNER TO pd_owner;
SELECT publicdigit.protect_table('landlord.event');
GRANT SELECT, INSERT ON landlord.event TO pd_app;
INSERT INTO landlord.event SELECT id, slug FROM publicdigit.tenants;
SQL
	return $node;
}

my $key = key_file('now', random_key() . "\n");
my $old_key = key_file('before', random_key());
my $node = new_server('main', <<"CONF");
shared_preload_libraries = 'pg_stat_statements, publicdigit'
publicdigit.key_file = '$key'
publicdigit.previous_key_file = '$old_key'
log_statement = all
CONF
my %id = map { split /\|/ } split /\n/, $node->safe_psql($db, 'SELECT slug, id FROM publicdigit.tenants');

# --- the library's tokens -------------------------------------------------------

sub client
{
	my ($input, @arguments) = @_;
	my ($program, @rest) = @arguments;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $python, "test/clients/$program", @rest ], '<', \$input, '>', \$out, '2>', \$err)
	  or die "$program failed: $err";
	return $json->decode($out);
}

sub mint { my ($specs) = @_; return client($json->encode($specs), 'mint.py', $key) }

# Right claims for web and acme, with some changed; undef takes one away.
sub claims
{
	my (%changes) = @_;
	my %claims = (tenant => $id{acme}, role => 'web', aud => $db, exp => time + 600, nbf => time - 5, %changes);
	return { map { $_ => $claims{$_} } grep { defined $claims{$_} } keys %claims };
}

# What a session finds when it binds by a token: the tenant, or SQLSTATE and detail.
sub outcome
{
	my ($node, $token, %how) = @_;
	my $by = $how{by} // 'use_token';
	my $bind =
	    $by eq 'use_token' ? "SELECT publicdigit.use_token('$token') \\g /dev/null"
	  : $by eq 'SET'       ? "SET publicdigit.context = '$token';"
	  :                      '';
	local $ENV{PGOPTIONS} = "-c publicdigit.context=$token" if $by eq 'startup packet';
	my ($out, $err);
	my $status = $node->psql($db, <<"SQL", stdout => \$out, stderr => \$err, on_error_stop => 1,
\\set VERBOSITY verbose
BEGIN;
$bind
SELECT publicdigit.current_tenant() || ' sees ' || string_agg(body, ', ') FROM landlord.event;
COMMIT;
SQL
		extra_params => [ '-U', $how{role} // 'web' ]);
	return $out if $status == 0;
	return $1 if $err =~ /(FATAL:  .*)/;
	my ($state) = $err =~ /ERROR:  (\w{5}):/;
	my ($detail) = $err =~ /DETAIL:  (.*)/;
	return join ' ', grep { defined } $state, $detail;
}

my $good = mint({
	plain => { claims => claims() },
	'no nbf' => { claims => claims(nbf => undef) },
	'audiences' => { claims => claims(aud => [ 'elsewhere', $db ]) },
	'other claims' => { claims => claims(iat => time, sub => 'someone', nested => { a => [ 1, 2 ] }) },
	'fractional times' => { claims => claims(exp => time + 99.5, nbf => time - 1.5) },
	'key id' => { claims => claims(), headers => { kid => '1' } },
	'braces' => { claims => claims(tenant => uc "{$id{acme}}") },
	'before' => { claims => claims(), key => slurp_file($old_key) },
});
for my $name (sort keys %$good)
{
	is(outcome($node, $good->{$name}, by => $_), 'acme sees acme', "accepted: $name, by $_")
	  for 'use_token', 'SET', 'startup packet';
}

my ($head, $body, $signature) = split /\./, $good->{plain};
my $altered = encode_base64url($json->encode(claims(tenant => $id{beta})));
my $bad = mint({
	'other key' => { claims => claims(), key => random_key() },
	'RS256' => { claims => claims(), algorithm => 'RS256' },
	'none' => { claims => claims(), algorithm => 'none' },
	'HS384' => { claims => claims(), algorithm => 'HS384' },
	'HS512' => { claims => claims(), algorithm => 'HS512' },
	'crit' => { claims => claims(), headers => { crit => ['exp'] } },
	'other role' => { claims => claims(role => 'other') },
	'superuser' => { claims => claims(role => 'postgres') },
	'unknown role' => { claims => claims(role => 'nobody') },
	'role as a number' => { claims => claims(role => 1) },
	'no role' => { claims => claims(role => undef) },
	'other audience' => { claims => claims(aud => 'staging') },
	'no audience' => { claims => claims(aud => undef) },
	'other audiences' => { claims => claims(aud => [ 'a', 'b' ]) },
	'slug' => { claims => claims(tenant => 'acme') },
	'no tenant' => { claims => claims(tenant => undef) },
	'unknown tenant' => { claims => claims(tenant => '00000000-0000-0000-0000-000000000000') },
	'expired' => { claims => claims(exp => time - 1) },
	'expired long ago' => { claims => claims(exp => -1e300) },
	'not yet' => { claims => claims(nbf => time + 60) },
	'too long' => { claims => claims(exp => time + 3700) },
	'far future' => { claims => claims(exp => 1e300) },
	'no expiry' => { claims => claims(exp => undef) },
});
# What no library makes.
my %crafted = (
	'altered claims' => "$head.$altered.$signature",
	'signature of the other part' => "$body.$head.$signature",
	'no signature' => "$head.$body.",
	'no dots at all' => 'abc',
	'one dot' => "$head.$body",
	'three dots' => "$good->{plain}.x",
	'empty parts' => '..',
	'padding' => "$good->{plain}=",
	'newline' => "$good->{plain}\n",
	'base64 of the other alphabet' => "$head.$body." . ($signature =~ tr/-_/+\//r) . '+',
	'quarter of it' => substr($good->{plain}, 0, length($good->{plain}) / 4),
	'too long a text' => "$good->{plain}" . 'A' x 9000,
);
# The last character of a signature has two bits that mean nothing.
my $twin = substr($signature, -1);
$twin =~ tr/AEIMQUYcgkosw048BFJNRVZdhlptx159/BFJNRVZdhlptx159AEIMQUYcgkosw048/;
$crafted{'twin of the signature'} = "$head.$body." . substr($signature, 0, -1) . $twin;
for my $i (0, 10, 20, 30, 42)
{
	my $changed = $signature;
	substr($changed, $i, 1) = substr($changed, $i, 1) eq 'A' ? 'B' : 'A';
	$crafted{"signature altered at $i"} = "$head.$body.$changed";
}

my %reason = (
	'other role' => 'It is for role "other".',
	'superuser' => 'It is for role "postgres".',
	'other audience' => 'Its claim "aud" does not name "landlord".',
	'RS256' => 'Its header asks for another algorithm than HS256.',
	'none' => 'Its header asks for another algorithm than HS256.',
	'other key' => 'Its signature was not made with a key of this server.',
	'too long' => 'It is valid for longer than publicdigit.token_max_ttl, which is 3600 seconds.',
	'altered claims' => 'Its signature was not made with a key of this server.',
);
my %all = (%$bad, %crafted);
for my $name (sort keys %all)
{
	for my $by ('use_token', 'SET')
	{
		my $outcome = outcome($node, $all{$name}, by => $by);
		my $state = $name eq 'unknown tenant' ? 42704 : 28000;
		if (my $reason = $reason{$name}) { is($outcome, "$state $reason", "refused: $name, by $by") }
		else { like($outcome, qr/^$state\b/, "refused: $name, by $by") }
	}
}
for my $name ('other key', 'none', 'RS256', 'expired', 'other role', 'altered claims')
{
	like(outcome($node, $all{$name}, by => 'startup packet'), qr/FATAL:  invalid token/,
		"refused: $name, by startup packet");
}
like(outcome($node, $good->{plain}, role => 'other'), qr/^28000 It is for role "web"/,
	'refused: right token, by another role');

# --- where tokens are not accepted ----------------------------------------------

for my $statement (
	"ALTER ROLE web SET publicdigit.context = '$good->{plain}'",
	"ALTER DATABASE $db SET publicdigit.context = '$good->{plain}'",
	"CREATE FUNCTION pg_temp.f() RETURNS int SET publicdigit.context = '$good->{plain}' LANGUAGE sql RETURN 1")
{
	my (undef, undef, $err) = $node->psql($db, $statement, extra_params => [ '-U', 'postgres' ]);
	like($err, qr/invalid token/, 'refused: ' . substr($statement, 0, 20));
}
# Past ALTER ROLE's own check: it is dropped at log-in.
$node->safe_psql($db, <<"SQL");
INSERT INTO pg_db_role_setting SELECT 0, oid, ARRAY['publicdigit.context=$good->{plain}']
FROM pg_authid WHERE rolname = 'web';
SQL
is($node->safe_psql($db, 'SELECT publicdigit.current_tenant() IS NULL', extra_params => [ '-U', 'web' ]),
	't', 'refused: as a setting of the role');
$node->safe_psql($db, 'ALTER ROLE web RESET ALL');

# A value of use_tenant's making, which a test module can read, is worth nothing elsewhere.
$node->safe_psql($db, "CREATE FUNCTION raw_setting(text) RETURNS text LANGUAGE c AS 'raw_setting'");
my $own = $node->safe_psql($db, <<'SQL', extra_params => [ '-U', 'web' ]);
\o /dev/null
SELECT publicdigit.use_tenant('beta', false);
\o
SELECT public.raw_setting('publicdigit.context');
SQL
like($own, qr/^b:[A-Za-z0-9+\/=]{76}$/, 'a value of use_tenant is read');
for my $setting ("SET publicdigit.context = '$own'", "SELECT set_config('publicdigit.context', '$own', false)")
{
	my (undef, undef, $err) = $node->psql($db, $setting, extra_params => [ '-U', 'web' ]);
	like($err, qr/invalid value for parameter "publicdigit.context"/, 'and refused in another session');
}
is($node->safe_psql($db, <<'SQL', extra_params => [ '-U', 'web' ]), "t\nt", 'in its own session it can be put back');
\o /dev/null
SELECT publicdigit.use_tenant('beta', false);
SELECT public.raw_setting('publicdigit.context') AS own \gset
SELECT publicdigit.forget_tenant();
\o
SELECT publicdigit.current_tenant_id() IS NULL;
SET publicdigit.context = :'own';
SELECT publicdigit.current_tenant() = 'beta';
SQL

# --- the registry has the last word ---------------------------------------------

my $session;    # of the application, which goes on from test to test
my ($asked, $answer) = ('', '');

sub open_session
{
	my ($node) = @_;
	$session->kill_kill if defined $session;
	($asked, $answer) = ('', '');
	$session = IPC::Run::start([ $python, 'test/clients/session.py', 'shell', $node->connstr($db) . ' user=web' ],
		'<', \$asked, '>', \$answer, IPC::Run::timeout(600));
	return;
}

# What a statement returns there, or its error.
sub in_session
{
	my ($statement) = @_;
	$asked .= JSON::PP->new->allow_nonref->encode($statement) . "\n";
	$session->pump until $answer =~ s/^(.*)\n//;
	return JSON::PP->new->allow_nonref->decode($1);
}
open_session($node);
in_session("SET publicdigit.context = '$good->{plain}'");
my $who = 'SELECT publicdigit.current_tenant()';
is(in_session($who), 'acme', 'a session is bound by a token');
$node->safe_psql($db, "SELECT publicdigit.suspend_tenant('acme')");
like(in_session($who), qr/tenant "acme" is suspended/, 'its tenant is suspended: noticed at once');
like(outcome($node, $good->{plain}), qr/^55000/, 'replayed after the suspension: refused');
$node->safe_psql($db, "SELECT publicdigit.resume_tenant('acme')");
is(in_session($who), 'acme', 'resumed');
$node->safe_psql($db, "SELECT publicdigit.revoke_tenant_access('web', 'acme')");
like(in_session($who), qr/role "web" may not enter tenant "acme"/, 'its grant is taken back: noticed at once');
like(outcome($node, $good->{plain}), qr/^42501/, 'replayed after that: refused');
$node->safe_psql($db, "SELECT publicdigit.grant_tenant_access('web', 'acme', true)");
is(in_session($who), 'acme', 'granted again');
my $gone = mint({ gone => { claims => claims(tenant => $id{gone}) } })->{gone};
$node->safe_psql($db, "SELECT publicdigit.grant_tenant_access('web', 'gone')");
is(outcome($node, $gone), 'gone sees gone', 'another tenant');
$node->safe_psql($db, "DELETE FROM landlord.event WHERE body = 'gone'; SELECT publicdigit.drop_tenant('gone', true)");
like(outcome($node, $gone), qr/^42704/, 'replayed after it was dropped: refused');

# Expiry is compared when the tenant is used, not only when it is set.
my $short = mint({ short => { claims => claims(exp => time + 3) } })->{short};
in_session("BEGIN; SELECT publicdigit.use_token('$short')");
is(in_session($who), 'acme', 'a token of three seconds');
sleep 4;
like(in_session($who), qr/the token has expired/, 'expired in a transaction that goes on');
in_session('ROLLBACK');
is(in_session($who), 'acme', 'the session\'s own token is back after the transaction');

# --- without a token -----------------------------------------------------------

sub says
{
	my ($statement, %how) = @_;
	my (undef, $out, $err) = ($how{node} // $node)->psql($db, "\\set VERBOSITY verbose\n$statement",
		extra_params => [ '-U', $how{role} // 'web' ]);
	return $err =~ /ERROR:  (.*)/ ? $1 : $out;
}
like(says("SELECT publicdigit.use_tenant('acme')"), qr/^42501: role "web" may enter tenant "acme" with a token only/,
	'token_only: not without a token');
unlike(says("SELECT publicdigit.use_tenant('beta', false)"), qr/42501/, 'a plain grant: without one');
like(says("SET publicdigit.require_token = off"), qr/^42501/, 'require_token is not for everybody');
$node->safe_psql($db, 'ALTER ROLE web SET publicdigit.require_token = on');
like(says("SELECT publicdigit.use_tenant('beta')"), qr/^42501: role "web" may enter tenant "beta" with a token only/,
	'require_token: not without a token either');
is(outcome($node, $good->{plain}), 'acme sees acme', 'require_token: with one');
$node->safe_psql($db, 'ALTER ROLE web RESET publicdigit.require_token; GRANT other TO web;');
like(says("SET ROLE other; SELECT publicdigit.use_tenant('acme')"), qr/with a token only/,
	'token_only outweighs a plain grant that comes by membership');
$node->safe_psql($db, 'REVOKE other FROM web');

# --- issue_token ----------------------------------------------------------------

my $issued = $node->safe_psql($db, "SELECT publicdigit.issue_token('acme', '10 min', 'web')",
	extra_params => [ '-U', 'postgres' ]);
is(outcome($node, $issued), 'acme sees acme', 'issue_token: accepted here');
my $read = client($json->encode({ t => { token => $issued, audience => $db } }), 'mint.py', $key, 'verify')->{t};
is_deeply([ @$read{qw(tenant role aud)}, $read->{exp} - $read->{nbf} ], [ $id{acme}, 'web', $db, 600 ],
	'issue_token: the library verifies it and reads its claims');
like(says("SELECT publicdigit.issue_token('acme', '1 min', 'web')"), qr/^42501: permission denied for function/,
	'issue_token: not for the app role');
my %refused = (
	"'acme', '1 min', 'nobody'" => 42704, "'nothing', '1 min', 'web'" => 42704,
	"'acme', '2 hours', 'web'" => 22023, "'acme', '-1 min', 'web'" => 22023, "'acme', '0', 'web'" => 22023,
	"'acme', NULL, 'web'" => 22004, "NULL::text, '1 min', 'web'" => 22004, "'\@landlord', '1 min', 'web'" => 22023,
	"'acme', '1 min', 'pd_admin'" => 42501);
like(says("SELECT publicdigit.issue_token($_)", role => 'postgres'), qr/^$refused{$_}/, "issue_token: refused: $_")
  for sort keys %refused;

# --- audience, and another server -----------------------------------------------

my $there = new_server('there', "shared_preload_libraries = 'publicdigit'\npublicdigit.key_file = '$key'\n");
my $id_there = $there->safe_psql($db, "SELECT id FROM publicdigit.tenants WHERE slug = 'acme'");
my $for_there = mint({ t => { claims => claims(tenant => $id_there) } })->{t};
is(outcome($there, $for_there), 'acme sees acme', 'another server with the same key and audience accepts it');
$there->append_conf('postgresql.conf', "publicdigit.token_audience = 'staging'\n");
$there->reload;
like(outcome($there, $for_there), qr/^28000 Its claim "aud" does not name "staging"/,
	'with an audience of its own it refuses it');

# --- keys: rotation, bad files, none --------------------------------------------

# Waits until sessions to come use the settings of now.
sub reload
{
	my ($node) = @_;
	my $before = $node->safe_psql('postgres', 'SELECT pg_conf_load_time()');
	$node->reload;
	$node->poll_query_until('postgres', "SELECT pg_conf_load_time() > '$before'") or die 'no reload';
}
open_session($there);
$there->append_conf('postgresql.conf', "publicdigit.token_audience = ''\n");
reload($there);
in_session("SET publicdigit.context = '$for_there'");
is(in_session($who), 'acme', 'a session under the first key');
my $new_key = key_file('new', random_key());
$there->append_conf('postgresql.conf', "publicdigit.key_file = '$new_key'\npublicdigit.previous_key_file = '$key'\n");
reload($there);
is(outcome($there, $for_there), 'acme sees acme', 'rotation: the key before still counts');
$there->append_conf('postgresql.conf', "publicdigit.previous_key_file = ''\n");
reload($there);
like(outcome($there, $for_there), qr/^28000 Its signature/, 'rotation: then no more');
like(in_session("SET publicdigit.context = '$for_there'"), qr/invalid token/, 'in a session that was there before, too');
is(in_session($who), 'acme', 'which keeps what it has bound until it expires');
# The same file with other content.
key_file('new', slurp_file($key));
reload($there);
is(outcome($there, $for_there), 'acme sees acme', 'a file that has changed is read again at a reload');
open_session($there);
my %files = (
	'open to others' => [ key_file('open', random_key(), 0644), qr/has group or world access/ ],
	'too short' => [ key_file('short', 'x' x 31 . "\n"), qr/must hold 32 to 4096 bytes/ ],
	'too long' => [ key_file('long', 'x' x 4097), qr/must hold 32 to 4096 bytes/ ],
	'missing' => [ catfile($keys, 'nothing'), qr/could not access key file/ ],
	'a folder' => [ $keys, qr/is not a regular file/ ]);
for my $name (sort keys %files)
{
	my ($file, $message) = @{ $files{$name} };
	my $offset = -s $there->logfile;
	$there->append_conf('postgresql.conf', "publicdigit.key_file = '$file'\n");
	reload($there);
	like(outcome($there, $for_there), qr/^55000 The file that publicdigit.key_file names could not be used/,
		"key file $name: there is no key");
	like(in_session("SELECT publicdigit.use_token('$for_there')"), qr/tokens cannot be used on this server/,
		"key file $name: nor in a session that had one");
	like(slurp_file($there->logfile, $offset), $message, "key file $name: the log says so");
	$there->append_conf('postgresql.conf', "publicdigit.key_file = '$key'\n");
	reload($there);
	is(outcome($there, $for_there), 'acme sees acme', "key file $name: mended");
}

# --- reported to clients --------------------------------------------------------

my $connection = $node->connstr($db) . ' user=web';
$node->append_conf('postgresql.conf', "publicdigit.report_context = on\n");
$node->stop;
$node->start;
my $report = client('', 'session.py', 'report', $connection, $good->{plain});
is_deeply($report, { before => '', set => $good->{plain}, 'put back' => 'acme', reset => '', own => 'tenant',
		'own put back' => '28000' }, 'report_context: a pooler can put a token back, and nothing else');
$node->append_conf('postgresql.conf', "publicdigit.report_context = off\n");
$node->stop;
$node->start;

# --- where a token can be read --------------------------------------------------

open_session($node);
$node->safe_psql($db, 'CREATE EXTENSION pg_stat_statements; SELECT pg_stat_statements_reset();');
my $spy = sub {
	my ($query) = @_;
	return $node->safe_psql($db, $query, extra_params => [ '-U', 'web' ]);
};
my $part = substr $body, 0, 20;
for my $statement ("SET publicdigit.context = '$good->{plain}'",
	"SELECT publicdigit.use_token('$good->{plain}', false)",
	"SELECT set_config('publicdigit.context', '$good->{plain}', false)",
	"SET publicdigit.context = '$head.$body.x$signature'")
{
	my $offset = -s $node->logfile;
	in_session($statement);
	my $seen = $spy->("SELECT query FROM pg_stat_activity WHERE query LIKE '%context%' OR query LIKE '%use_token%'");
	like($seen, qr/\*\*\*\*/, 'pg_stat_activity shows asterisks to a session of the same role');
	unlike($spy->("SELECT string_agg(query, ' ') FROM pg_stat_activity WHERE pid <> pg_backend_pid()"),
		qr/\Q$part\E/, 'and not the token');
	my $log = slurp_file($node->logfile, $offset);
	unlike($log, qr/STATEMENT:.*\Q$part\E/, 'nor does an error in the log');
	like($log, qr/LOG:  statement:.*\Q$part\E/, 'log_statement does, before anybody can change it');
}
is($spy->("SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%$part%' AND query NOT LIKE '%pg_stat%'"), 0,
	'pg_stat_statements, loaded before publicdigit, does not have it');
isnt($spy->("SELECT count(*) FROM pg_stat_statements WHERE query LIKE 'SET publicdigit.context%'"), 0,
	'though it has the statement');
is(in_session("SELECT count(*) FROM pg_settings WHERE concat(setting, reset_val) LIKE '%$part%'"), 0,
	'pg_settings does not show it to the session itself');
is(in_session('SHOW publicdigit.context'), 'tenant', 'nor does SHOW');
is(in_session("SELECT current_setting('publicdigit.context')"), 'tenant', 'nor does current_setting()');
{
	local $ENV{PGOPTIONS} = "-c publicdigit.context=$good->{plain}";
	is($spy->("SELECT count(*) FROM pg_settings WHERE concat(setting, reset_val, boot_val) LIKE '%$part%'"), 0,
		'nor is it there as the value to reset to');
	is($spy->('RESET ALL; SELECT publicdigit.current_tenant()'), 'acme', 'to which RESET goes back');
}

# --- the protocol's function call -----------------------------------------------

$node->safe_psql($db, <<'SQL');
CREATE SEQUENCE tenant_beta.number;
CREATE SEQUENCE public.number;
GRANT USAGE ON SEQUENCE tenant_beta.number, public.number TO pd_app;
SQL
for my $sequence (qw(tenant_beta.number public.number))
{
	my ($nextval, $oid) = split /\|/,
	  $node->safe_psql($db, "SELECT 'nextval'::regproc::oid, '$sequence'::regclass::oid");
	my $call = client('', 'session.py', 'call', $connection, $nextval, $oid);
	ok(!$call->{done} && $call->{error} =~ /nextval may not be called here/, "$sequence by function call: refused");
	is($node->safe_psql($db, "SELECT is_called FROM $sequence"), 'f', 'and nothing is drawn');
}

# --- a server that does not preload ---------------------------------------------

my $plain = PostgreSQL::Test::Cluster->new('plain');
$plain->init;
$plain->append_conf('postgresql.conf', "publicdigit.key_file = '$key'\n");
$plain->start;
my (undef, undef, $notice) = $plain->psql('postgres', <<'SQL');
CREATE EXTENSION publicdigit CASCADE;
SET client_min_messages = notice;    -- the script of semver leaves another level behind
SELECT publicdigit.setup('pd_owner', 'pd_app');
SELECT publicdigit.setup('pd_owner', 'pd_app');
SQL
is(scalar(() = $notice =~ /NOTICE:  publicdigit is not in shared_preload_libraries/g), 1,
	'not preloaded: setup() says so once');
$plain->safe_psql('postgres', <<'SQL');
CREATE ROLE web LOGIN IN ROLE pd_app;
SELECT publicdigit.create_tenant('acme'), publicdigit.grant_tenant_access('web', 'acme');
SQL
for my $call ("issue_token('acme', '1 min')", "use_token('$good->{plain}')")
{
	my (undef, undef, $err) = $plain->psql('postgres', "SELECT publicdigit.$call");
	like($err, qr/tokens cannot be used on this server\nDETAIL:  publicdigit is not in shared_preload_libraries\./,
		'not preloaded: ' . substr($call, 0, 11) . ' says what is missing');
}
my (undef, $bound, $warning) = $plain->psql('postgres', <<"SQL", extra_params => [ '-U', 'web' ]);
SET publicdigit.context = '$good->{plain}';
SELECT publicdigit.current_tenant() IS NULL;
SQL
is($bound, 't', 'not preloaded: a token that was set before the library came binds nothing');
like($warning, qr/WARNING:  invalid token/, 'and it is said');

$session->kill_kill;
$_->stop for $node, $there, $plain;
done_testing();
