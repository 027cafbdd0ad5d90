# scripts/new-module: what it makes is a module as doc/module.schema.json has it,
# is registered from the server's share folder, and passes its own pgTAP test,
# which fails once the module is broken; what it refuses, it says, and then
# leaves nothing.
use strict;
use warnings FATAL => 'all';

use Cwd qw(abs_path);
use File::Path qw(make_path);
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('modules');
my $shared = $node->config_data('--sharedir') . '/publicdigit/modules';
plan skip_all => "cannot write to $shared" unless -w $shared;

my $script = abs_path('scripts/new-module');
my $root = abs_path('.');
my $folder = PostgreSQL::Test::Utils::tempdir();
my $python = '/usr/bin/python3';    # the one that Debian's packages are for

# Runs a command in a folder: its exit code, output and errors.
sub run_in
{
	my ($where, @command) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err, init => sub { chdir $where or die $! });
	return ($? >> 8, $out, $err);
}

# All files below a folder.
sub files
{
	my ($where) = @_;
	my (undef, $out) = run_in($where, 'find', '.', '-mindepth', '1', '-printf', '%P\n');
	return [ sort split /\n/, $out ];
}

# --- what it makes ----------------------------------------------------------------

my ($status, $out, $err) = run_in('/', $script, 'club_card', $folder);
is($status, 0, 'a tenant\'s module');
is($err, '', 'without complaint');
like($out, qr{^Module club_card is in \Q$folder\E/club_card:$}m, 'it says where it is');
my @common = qw(migrations module.json seeds test test/club_card.sql);
is_deeply(files("$folder/club_card"), [ sort @common, 'migrations/tenant', 'seeds/tenant',
		(map { "migrations/tenant/0001_create_club_card_items.$_.sql" } qw(up down verify)),
		'seeds/tenant/0001_club_card_items.sql' ], 'its files');
is_deeply([ (stat "$folder/club_card")[2] & 0777 ], [ 0777 & ~umask ], 'the server can read it, if the umask lets');

($status, $out, $err) = run_in($folder, $script, '--context', 'landlord', 'club_card2');
is($status, 0, 'a landlord\'s module, in the current folder');
is_deeply(files("$folder/club_card2"), [ sort qw(migrations module.json seeds test test/club_card2.sql),
		(map { "migrations/0001_create_club_card2_items.$_.sql" } qw(up down verify)),
		'seeds/0001_club_card2_items.sql' ], 'its files');

make_path("$folder/there is room");
($status) = run_in($folder, $script, 'user', 'there is room', '--context', 'tenant');
is($status, 0, 'a word of SQL for a name, and a folder with spaces');
my $longest = 'm' x 63;
($status) = run_in($folder, $script, '--context', 'landlord', $longest, '.');
is($status, 0, 'the longest name');
my %path = (club_card => $folder, club_card2 => $folder, user => "$folder/there is room", $longest => $folder);

my $documents = encode_json({ map { $_ => slurp_file("$path{$_}/$_/module.json") } keys %path });
IPC::Run::run([ $python, 'test/clients/validate.py', 'doc/module.schema.json' ], '<', \$documents, '>', \$out)
  or die 'validate.py failed';
is_deeply(decode_json($out), { map { $_ => [] } keys %path }, 'each manifest is as the schema says');
unlike(join('', map { slurp_file($_) } split /\n/, (run_in('/', 'find', $folder, '-type', 'f'))[1]), qr/\@[A-Z]+\@/,
	'nothing is left to fill in');

# --- in a server ------------------------------------------------------------------

my @links;
END { unlink @links }
for my $name (keys %path)
{
	symlink "$path{$name}/$name", "$shared/$name" or die "$shared/$name: $!";
	push @links, "$shared/$name";
}

$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
# A fresh database with what the tests need.
sub new_database
{
	my ($name, $more) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, 'CREATE EXTENSION pgtap; CREATE EXTENSION publicdigit CASCADE;' . ($more // ''));
	return;
}
new_database('registry');
for my $name (sort keys %path)
{
	(undef, $out, $err) = $node->psql('registry', "SELECT publicdigit.register_module('$name')");
	is($out, '1.0.0', 'registered from disk: ' . substr $name, 0, 20);
	is($err, '', 'and no hazard in it');
}
is($node->safe_psql('registry', "SELECT count(*) FROM publicdigit.module_script WHERE path LIKE 'test/%'"), 0,
	'without its test');

# The seed runs, though it has nothing but comments.
$node->safe_psql('registry', <<'SQL');
SELECT publicdigit.setup('pd_owner', 'pd_app'), publicdigit.create_tenant('acme');
SQL
(undef, undef, $err) = $node->psql('registry',
	q(SELECT publicdigit.install_module('club_card', 'acme'), publicdigit.install_module('club_card2')));
is($err, '', 'installed without a warning');
is($node->safe_psql('registry', "SELECT publicdigit.seed_module('club_card', 'acme'), publicdigit.seed_module('club_card2', '\@landlord')"),
	'1|1', 'and seeded');

sub prove
{
	my ($database, $where, $file) = @_;
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	return run_in($where, 'pg_prove', '--verbose', '-d', $database, $file);
}
new_database('fresh');
new_database('ready', "SELECT publicdigit.setup('pd_owner', 'pd_app', admin => 'pd_admin')");
for my $name (sort keys %path)
{
	for my $database ('fresh', 'ready')
	{
		($status, $out, $err) = prove($database, "$path{$name}/$name", "test/$name.sql");
		is($status, 0, 'its test passes: ' . substr($name, 0, 20) . " in database $database") or diag($out, $err);
		cmp_ok(scalar(() = $out =~ /^ok \d/mg), '>=', 8, 'and tests something');
	}
}
is($node->safe_psql($_, 'SELECT (SELECT count(*) FROM publicdigit.tenants) + (SELECT count(*) FROM publicdigit.modules)'),
	0, "nothing stays in database $_") for 'fresh', 'ready';
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'pgtap%'"), 0, 'nor a role');
($status, $out) = prove('fresh', $folder, 'club_card/test/club_card.sql');
isnt($status, 0, 'in another folder it does not run');
like($out, qr/The current folder has no module\.json\./, 'and says why');

# Its test notices what is wrong.  Each changes a file of the module.
for my $change (
	[ 'club_card', 'migrations/tenant/0001_create_club_card_items.down.sql', qr/^.*$/s, 'SELECT 1;', 'nothing is dropped' ],
	[ 'club_card', 'migrations/tenant/0001_create_club_card_items.up.sql', qr/TABLE club_card_items \(/,
		'TABLE club_card_item (', 'the table has another name' ],
	[ 'club_card', 'module.json', qr/refuse_if_data/, 'drop', 'uninstalling takes rows away' ],
	[ 'club_card2', 'module.json', qr/refuse_if_data/, 'archive', 'uninstalling puts rows away' ],
	[ 'club_card', 'module.json', qr/"tables"/, '"grants": {"club_card_items": ["select"]}, "tables"', 'writing is not granted' ],
	[ 'club_card2', 'module.json', qr/"shared"/, '"tenant"', 'the table is not shared' ],
	[ 'club_card2', 'migrations/0001_create_club_card2_items.verify.sql', qr/EXISTS/, 'NOT EXISTS', 'verification fails' ])
{
	my ($name, $file, $from, $to, $what) = @$change;
	my $path = "$folder/$name/$file";
	my $good = slurp_file($path);
	my $bad = $good =~ s/$from/$to/r;
	isnt($bad, $good, "$what: the file is changed");
	unlink $path;
	append_to_file($path, $bad);
	($status) = prove('fresh', "$folder/$name", "test/$name.sql");
	isnt($status, 0, "$what: its test fails");
	unlink $path;
	append_to_file($path, $good);
}
$node->stop;

# --- what it refuses --------------------------------------------------------------

($status, $out) = run_in('/', $script, '--help');
is($status, 0, '--help');
like($out, qr/^usage: new-module NAME \[--context tenant\|landlord\] \[FOLDER\]\n/, 'shows the arguments');

my $empty = "$folder/empty";
make_path("$empty/taken", "$empty/sealed");
append_to_file("$empty/file", '');
symlink 'nowhere', "$empty/dangling" or die $!;
chmod 0555, "$empty/sealed" or die $!;
my $before = files($empty);
for my $case (
	[ 'no name', qr/the name of the module is missing/ ],
	[ 'one too many', qr/argument "c" is one too many/, 'a', '.', 'c' ],
	[ 'no value', qr/option --context needs a value, tenant or landlord/, 'a', '--context' ],
	[ 'unknown context', qr/the context is "shared", but it must be tenant or landlord/, 'a', '--context', 'shared' ],
	[ 'unknown option', qr/unknown option "--contex"; the options are --context and --help/, '--contex', 'landlord', 'a' ],
	[ 'empty name', qr/the name is "", but it must have lower-case letters/, '' ],
	[ 'upper case', qr/the name is "Members", but it must have lower-case letters/, 'Members' ],
	[ 'digit first', qr/the name is "1a", but/, '1a' ],
	[ 'hyphen', qr/the name is "digital-card", but/, 'digital-card' ],
	[ 'other letters', qr/the name is ".*", but/, "d\xc3\xa9mo" ],
	[ 'path', qr{the name is "../a", but}, '../a' ],
	[ 'line end', qr/the name is "a\n", but/, "a\n" ],
	[ 'long name', qr/the name has 64 bytes, but 63 are allowed: "m{64}"/, 'm' x 64 ],
	[ 'folder there', qr{"\Q$empty\E/taken" is there already}, 'taken' ],
	[ 'file there', qr{"\Q$empty\E/file" is there already}, 'file' ],
	[ 'link there', qr{"\Q$empty\E/dangling" is there already}, 'dangling' ],
	[ 'no such folder', qr/there is no folder "nowhere"/, 'a', 'nowhere' ],
	[ 'file for a folder', qr/there is no folder "file"/, 'a', 'file' ],
	[ 'no right to write', qr{folder "\Q$empty\E/sealed" cannot be written to}, 'a', 'sealed' ])
{
	my ($what, $reason, @arguments) = @$case;
	($status, $out, $err) = run_in($empty, $script, @arguments);
	is($status, 2, "$what: exit code 2");
	like($err, qr/^new-module: $reason/m, "$what: and the reason");
	is($out, '', "$what: and nothing else");
}
is_deeply(files($empty), $before, 'none of them made anything');

# Nothing is half made: here a template is missing.
my $copy = "$folder/copy";
make_path($copy);
run_in($root, 'cp', '-R', "$root/scripts/new-module", "$root/scripts/new-module.d", $copy);
unlink "$copy/new-module.d/tenant/test.sql" or die $!;
($status) = run_in($empty, "$copy/new-module", 'half');
isnt($status, 0, 'where a file cannot be made');
is_deeply(files($empty), $before, 'the others are taken away');

done_testing();
