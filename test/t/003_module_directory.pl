# Modules in the server's share folder: what is read, what is let be, and what
# available_modules() and register_module() say of a faulty one.  The test puts
# its modules beside the installed ones, and takes them away again.
use strict;
use warnings FATAL => 'all';

use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use POSIX qw(mkfifo);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
my $publicdigit = $node->config_data('--sharedir') . '/publicdigit';
my $folder = "$publicdigit/modules";
plan skip_all => "cannot write to $folder" unless -w $folder;

my %made;
END { remove_tree(keys %made) }

# Writes a file of a module, and notes its folder for later.
sub put
{
	my ($path, $content) = @_;
	my ($module) = split '/', $path;
	$made{"$folder/$module"} = 1;
	make_path(dirname("$folder/$path"));
	open my $handle, '>:raw', "$folder/$path" or die "cannot write $folder/$path: $!";
	print $handle $content;
	close $handle or die "cannot write $folder/$path: $!";
	return;
}

# A module of a tenant's without tables, and files of it.
sub module
{
	my ($name, %files) = @_;
	put("$name/module.json", qq({"name": "$name", "version": "1.0.0", "context": "tenant"}))
	  unless exists $files{'module.json'};
	put("$name/$_", $files{$_}) for grep { defined $files{$_} } keys %files;
	return;
}

my $up = 'migrations/tenant/0001_a.up.sql';
my %problem;

# A module, and what is wrong with it.
sub faulty
{
	my ($problem, $name, %files) = @_;
	module($name, %files);
	$problem{$name} = $problem;
	return;
}

faulty('module.json of module "t_empty" cannot be read: The file is missing.',
	't_empty', 'module.json' => '');
unlink "$folder/t_empty/module.json" or die $!;
faulty('module.json of module "t_syntax" is not valid JSON: The server says:'
	  . ' invalid input syntax for type json. Token "demo" is invalid. (JSON data, line 2:  "name": demo...)',
	't_syntax', 'module.json' => qq({\n "name": demo}));
faulty('key "grants.a" is there twice in module.json of module "t_twice": Only the last one would count.',
	't_twice', 'module.json' => '{"name": "t_twice", "version": "1.0.0", "context": "tenant",'
	  . ' "tables": {"a": "tenant"}, "grants": {"a": ["select"], "a": []}}');
faulty('module.json of module "t_latin" cannot be read: It is not text in UTF-8.',
	't_latin', 'module.json' => qq({"name": "t_latin", "title": "\xe9"}));
faulty("$up of module \"t_zero\" cannot be read: It is not text in UTF-8.",
	't_zero', $up => "SELECT 1\0");
faulty('invalid value of key "name" in module.json of module "t_name":'
	  . ' The value is "other", but it must be the folder\'s name.',
	't_name', 'module.json' => '{"name": "other", "version": "1.0.0", "context": "tenant"}');
faulty('invalid value of key "version" in module.json of module "t_version": The value is "1",'
	  . ' but a version is MAJOR.MINOR.PATCH, whole numbers without leading zeros up to'
	  . ' 2147483647, with an optional -PRERELEASE and +BUILD; a part of the prerelease that'
	  . ' begins with a digit is a whole number too.',
	't_version', 'module.json' => '{"name": "t_version", "version": "1", "context": "tenant"}');
faulty('unknown key "scripts" in module.json of module "t_scripts": The value is {}; keys that'
	  . ' can stand there are: name, title, description, version, context, requires, tables,'
	  . ' grants, views, installer, on_uninstall, accept, $schema.',
	't_scripts', 'module.json' =>
	  '{"name": "t_scripts", "version": "1.0.0", "context": "tenant", "scripts": {}}');
faulty('module.json of module "t_folder" cannot be read: It is no regular file.',
	't_folder', 'module.json/x' => '', 'module.json' => undef);
faulty('module "t_installer" has the script "installer.sql" and no key "installer": The script makes'
	  . ' the functions that the key names.', 't_installer', 'installer.sql' => '');
faulty('migrations/v2 of module "t_nested" cannot be read: It is a folder where scripts should be.',
	't_nested', 'migrations/v2/0001_a.up.sql' => '');
faulty('seeds/tenant/tenant of module "t_deep" cannot be read: It is a folder where scripts should be.',
	't_deep', 'seeds/tenant/tenant/a.sql' => '');
faulty('invalid path of script "migrations/tenant/1_a.up.sql": A migration\'s name begins with'
	  . ' a number of four digits or more, an underscore and a word.',
	't_number', 'migrations/tenant/1_a.up.sql' => '');
faulty('invalid path of script "migrations/0001_a.up.sql": It is the landlord\'s script,'
	  . ' and the module\'s context is tenant.',
	't_landlord', 'migrations/0001_a.up.sql' => '');
faulty('migration "0001_b" of module "t_down" has no up script:'
	  . ' There is only "migrations/tenant/0001_b.down.sql".',
	't_down', $up => '', 'migrations/tenant/0001_b.down.sql' => '');
faulty('module "t_gap" has no migration with the number 0001: Found "0002_a" in its place.',
	't_gap', 'migrations/tenant/0002_a.up.sql' => '');
faulty("$up of module \"t_large\" cannot be read: It has 16777217 bytes; 16777216 are allowed.",
	't_large', $up => '');
truncate "$folder/t_large/$up", 16 * 1024 * 1024 + 1 or die $!;
faulty("seeds/tenant/a.sql of module \"t_pipe\" cannot be read: It is no regular file.", 't_pipe');
make_path("$folder/t_pipe/seeds/tenant");
mkfifo("$folder/t_pipe/seeds/tenant/a.sql", 0600) or die $!;
faulty("could not open file \"$folder/t_secret/$up\" for reading: Permission denied",
	't_secret', $up => '');
chmod 0, "$folder/t_secret/$up" or die $!;
faulty('invalid module name "T-Name": The name is "T-Name", but'
	  . ' a module\'s name has lower-case letters, digits and underscores, a letter first, and at'
	  . ' most 63 bytes.', 'T-Name');

# Not modules at all.
put('t_file', '');
module(".t_hidden");
module("t_\xff");
put('../t_outside/module.json', '{"name": "t_outside", "version": "1.0.0", "context": "tenant"}');
delete $made{"$folder/.."};
$made{"$publicdigit/t_outside"} = 1;

# Good ones.
my $euro = "-- \xe2\x82\xac\r\n";
module('t_good', $up => "-- \xc3\xa9\r\nSELECT 1", 'seeds/tenant/a.sql' => '', 'notes.sql' => '(',
	'migrations/tenant/README' => '(', 'migrations/tenant/.0001_a.up.sql' => '(',
	'migrations/tenant/0001_a.up.sql~' => '(', 'doc/a.sql' => '(');
module('t_large_good', $up => '');
truncate "$folder/t_large_good/$up", 0 or die $!;
put("t_large_good/$up", '-' x (16 * 1024 * 1024));
module('t_euro', $up => $euro);
symlink "$folder/t_target", "$folder/t_link" or die $!;
$made{"$folder/t_link"} = 1;
put('t_target/module.json', '{"name": "t_link", "version": "2.0.0", "context": "landlord", "title": "L"}');
$problem{t_target} = 'invalid value of key "name" in module.json of module "t_target":'
  . ' The value is "t_link", but it must be the folder\'s name.';

$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION publicdigit CASCADE');

sub rows
{
	my ($database, $query) = @_;
	return $node->safe_psql($database, $query, extra_params => [ '-F', '|' ]);
}

my $available = q(SELECT module, problem FROM publicdigit.available_modules()
	WHERE module ~* '^[.]?t[-_]' AND problem IS NOT NULL ORDER BY module COLLATE "C");
is(rows('postgres', $available),
	join("\n", map { "$_|$problem{$_}" } sort keys %problem),
	'each faulty module is a row with its problem');

my $good = q(SELECT * FROM publicdigit.available_modules()
	WHERE module ~* '^[.]?t[-_]' AND problem IS NULL ORDER BY module COLLATE "C");
is(rows('postgres', $good), <<'END' =~ s/\n\z//r, 'the others are rows without one');
t_euro|1.0.0|tenant|t_euro|f|
t_good|1.0.0|tenant|t_good|f|
t_large_good|1.0.0|tenant|t_large_good|f|
t_link|2.0.0|landlord|L|f|
END
is(rows('postgres', q(SELECT count(*) FROM publicdigit.available_modules() WHERE version IS NULL AND (context, title, registered) IS NOT DISTINCT FROM (NULL, NULL, NULL))),
	scalar keys %problem, 'a faulty module has nothing but its name and problem');

my %sqlstate = (t_empty => '22023', t_syntax => '22023', t_installer => '22023',
	t_secret => '42501', 'T-Name' => '42704', '../t_outside' => '42704', '.' => '42704',
	"t_good/../t_good" => '42704', t_file => '42704', t_nowhere => '42704');
for my $name (sort keys %sqlstate)
{
	my ($status, undef, $stderr) = $node->psql('postgres',
		"\\set VERBOSITY sqlstate\nSELECT publicdigit.register_module('$name')");
	like($stderr, qr/ERROR:  $sqlstate{$name}$/, "register_module('$name') raises $sqlstate{$name}");
}
is(rows('postgres', 'SELECT count(*) FROM publicdigit.modules'), '0', 'nothing is registered');

is(rows('postgres', q(SELECT publicdigit.register_module('t_good'))), '1.0.0', 'a good one is registered');
is( rows('postgres', q(SELECT path, encode(convert_to(content, 'UTF8'), 'hex') FROM publicdigit.module_script ORDER BY path COLLATE "C")),
	"$up|" . unpack('H*', "-- \xc3\xa9\r\nSELECT 1") . "\nseeds/tenant/a.sql|",
	'with its scripts alone, and their line ends as they are');
is(rows('postgres', q(SELECT registered FROM publicdigit.available_modules() WHERE module = 't_good')),
	't', 'and then it is known as registered');

# Registered content stays when the folder changes.
put("t_good/$up", 'SELECT 2');
my ($status, undef, $stderr) = $node->psql('postgres',
	"\\set VERBOSITY sqlstate\nSELECT publicdigit.register_module('t_good')");
like($stderr, qr/ERROR:  PD002$/, 'a changed folder with the same version is refused');
put("t_good/$up", "-- \xc3\xa9\r\nSELECT 1");

# As one document, for a server whose share folder is out of reach.
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', 'CREATE EXTENSION publicdigit CASCADE');
my ($packed, $complaint) = run_command([ 'scripts/pack-module', "$folder/t_good" ]);
is($complaint, '', 'scripts/pack-module packs a folder');
$node->safe_psql('other', "SELECT publicdigit.register_module(\$module\$$packed\$module\$::jsonb)");
is( rows('other', q(SELECT checksum FROM publicdigit.modules)),
	rows('postgres', q(SELECT checksum FROM publicdigit.modules)),
	'with the same checksum as the folder');
my %unpackable = ('t_pipe' => 'seeds/tenant/a.sql is no regular file',
	't_zero_' => 'there is no folder', 't_latin' => 'module.json is not text in UTF-8',
	't_syntax' => 'module.json is no JSON object', 't_twice' => 'key "grants.a" is there twice in module.json');
for my $name (sort keys %unpackable)
{
	($packed, $complaint) = run_command([ 'scripts/pack-module', "$folder/$name" ]);
	like($complaint, qr/^pack-module: \Q$unpackable{$name}/m, "and says why not $name");
	is($packed, '', 'of which it writes nothing');
}

# In a database of another encoding.
$node->safe_psql('postgres',
	q(CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'));
$node->safe_psql('latin', 'CREATE EXTENSION publicdigit CASCADE');
is(rows('latin', q(SELECT publicdigit.register_module('t_good'))), '1.0.0',
	'what the encoding has is registered');
is( rows('latin', q(SELECT checksum FROM publicdigit.modules)),
	rows('postgres', q(SELECT checksum FROM publicdigit.modules)),
	'with the same checksum as in UTF-8');
like(rows('latin', q(SELECT problem FROM publicdigit.available_modules() WHERE module = 't_euro')),
	qr/^character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"/,
	'what it has not is a problem');

$node->stop;
done_testing();
