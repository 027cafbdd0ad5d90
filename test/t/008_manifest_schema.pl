# doc/module.schema.json and register_module() agree on what a manifest is: each
# case of test/manifests/cases.json is given to both, and both name the key that
# is wrong.  What a schema cannot say stands there as "code_only", with the
# reason, and the schema lets it pass.  "of_document" says of a case that a file
# may be like that, since its scripts lie beside it.
use strict;
use warnings FATAL => 'all';

use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $schema = 'doc/module.schema.json';
my $python = '/usr/bin/python3';    # the one that Debian's packages are for
my $json = JSON::PP->new->ascii->canonical->allow_nonref;
ok(system($python, '-c', 'import jsonschema') == 0,
	'jsonschema is installed: Debian\'s package "python3-jsonschema"') or die 'no jsonschema';

# What the schema, or a definition in it, says of documents.
sub validate
{
	my ($documents, @definition) = @_;
	my $in = $json->encode($documents);
	my ($out, $err) = ('', '');
	IPC::Run::run([ $python, 'test/clients/validate.py', $schema, @definition ],
		'<', \$in, '>', \$out, '2>', \$err)
	  or die "validate.py failed: $err";
	is($err, '', 'the validator complains of nothing');
	return $json->decode($out);
}

my @cases = @{ $json->decode(slurp_file('test/manifests/cases.json')) };
my %text = map { $_->{name} => $json->encode($_->{document}) } @cases;
cmp_ok(scalar @cases, '>=', 60, 'there are many cases');
is(scalar keys %text, scalar @cases, 'each with a name of its own');
cmp_ok(scalar(grep { $_->{code_only} } @cases), '<=', 12, 'few of them for the code alone');

# --- the code -------------------------------------------------------------------

my $node = PostgreSQL::Test::Cluster->new('manifests');
$node->init(extra => [ '--encoding=UTF8', '--no-locale' ]);
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION publicdigit CASCADE;
CREATE TABLE manifest (name text, document text);
-- What goes wrong when a document is registered; nothing is left of it.
CREATE FUNCTION problem(document text) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	IF document LIKE '{%' THEN
		PERFORM publicdigit.register_module(document);
	ELSE
		PERFORM publicdigit.register_module(document::jsonb);
	END IF;
	RAISE SQLSTATE 'GOOD0';
EXCEPTION
	WHEN SQLSTATE 'GOOD0' THEN RETURN NULL;
	WHEN OTHERS THEN RETURN jsonb_build_object('sqlstate', SQLSTATE, 'message', SQLERRM);
END $$;
SQL
sub literal { my ($text) = @_; return "'" . ($text =~ s/'/''/gr) . "'" }
my $rows = join ",\n", map { '(' . literal($_) . ', ' . literal($text{$_}) . ')' } sort keys %text;
my $problem = $json->decode($node->safe_psql('postgres', <<"SQL"));
INSERT INTO manifest VALUES $rows;
SELECT json_object_agg(name, problem(document)) FROM manifest;
SQL
my (undef, undef, $hint) = $node->psql('postgres', "SELECT publicdigit.register_module('"
	  . $text{'a hazard that there is not'} . "')");
my ($hazards) = $hint =~ /^HINT:  The hazards are: (.*)\.$/m;
$node->stop;

# --- both -----------------------------------------------------------------------

my $errors = validate(\%text, 'document');
my $of_file = validate({ map { $_->{name} => $text{ $_->{name} } }
	  grep { !$_->{of_document} && (ref $_->{document} ne 'HASH' || !exists $_->{document}{scripts}) } @cases });

# A key below another one: where the schema's errors stand, or what they name.
sub names
{
	my ($errors, $key) = @_;
	my ($parent, $last) = $key =~ /^([^.]*)\.(.*)$/s ? ($1, $2) : ('', $key);
	return grep { /^\Q$key\E[.:]/ || /^\Q$parent\E: .*'\Q$last\E'/ } @$errors;
}

for my $case (@cases)
{
	my ($name, $key) = @$case{ 'name', 'key' };
	my $code = $problem->{$name};
	my @sides = ([ 'in a document', $errors->{$name} ]);
	push @sides, [ 'in a file', $of_file->{$name} ] if exists $of_file->{$name};

	if ($case->{good})
	{
		is($code, undef, "$name: the code takes it");
		is_deeply($_->[1], [], "$name: so does the schema, $_->[0]") for @sides;
		next;
	}
	is($code->{sqlstate}, '22023', "$name: the code refuses it");
	if (defined $key)
	{
		my $quoted = $key =~ s/^scripts\.//r;
		like($code->{message}, qr/"(\Q$key\E|\Q$quoted\E)"/, "$name: and names the key");
	}
	for my $side (@sides)
	{
		if ($case->{code_only})
		{
			is_deeply($side->[1], [], "$name: the schema does not, $side->[0]: $case->{code_only}");
			next;
		}
		isnt(scalar @{ $side->[1] }, 0, "$name: so does the schema, $side->[0]");
		ok(names($side->[1], $key), "$name: and names the key")
		  or diag(explain($side->[1]))
		  if defined $key;
	}
}

# The hazards are listed twice; the code's list is in the hint of its error.
is_deeply([ sort split /, /, $hazards ],
	[ sort @{ $json->decode(slurp_file($schema))->{properties}{accept}{additionalProperties}{items}{enum} } ],
	'the schema lists the hazards that there are');

# --- files that are there ---------------------------------------------------------

my %files = map { $_ => slurp_file($_) } glob 'modules/*/module.json';
my $page = slurp_file('doc/modules.md');
$files{"doc/modules.md, module $2"} = $1
  while $page =~ /^```json\n(\{.*?"name": "(\w+)".*?)^```\n/msg;
my $checked = validate(\%files);
is_deeply($checked->{$_}, [], "$_ is as the schema says") for sort keys %files;

my $with_scripts = validate({ x => '{"name": "demo", "version": "1.0.0", "context": "tenant", "scripts": {}}' });
is(scalar @{ $with_scripts->{x} }, 1, 'a file has no scripts');
like($with_scripts->{x}[0], qr/'scripts' was unexpected/, 'and that is what is wrong');

done_testing();
