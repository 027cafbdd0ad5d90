# Random registries: what an installation chooses is what trying all sets of versions
# finds.  PUBLICDIGIT_SEED has the same registries made again, PUBLICDIGIT_LOAD, a
# factor, fewer of them, where the server is slow.
use strict;
use warnings FATAL => 'all';

use JSON::PP;
use List::Util qw(max shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $json = JSON::PP->new->canonical;
my $seed = $ENV{PUBLICDIGIT_SEED} || int(rand(1e9));
# Fewer would leave out by chance what has to come up.
my $registries = max(250, int(400 * ($ENV{PUBLICDIGIT_LOAD} // 1)));
note("seed $seed");
srand $seed;

# The versions there can be, lowest first, and which of them the ranges hold.
my @all = qw(1.0.0 1.1.0 2.0.0 2.1.0);
my %holds = (
	'*' => [@all],
	'^1' => [qw(1.0.0 1.1.0)],
	'^2' => [qw(2.0.0 2.1.0)],
	'1.0.x' => ['1.0.0'],
	'>=1.1' => [qw(1.1.0 2.0.0 2.1.0)],
	'<2.1' => [qw(1.0.0 1.1.0 2.0.0)],
	'1.0.0 || 2.1.0' => [qw(1.0.0 2.1.0)],
);
my %in;
for my $range (keys %holds) { $in{$range}{$_} = 1 for @{ $holds{$range} } }
my %rank = map { $all[$_] => $_ } 0 .. $#all;
my @modules = qw(a b c d e);

sub one_of { return $_[ rand @_ ] }

# {module => {version => {module => range}}}; a module requires later ones alone.
sub registry
{
	my %registry;
	for my $i (0 .. $#modules)
	{
		for my $version (grep { rand() < 0.7 } @all)
		{
			$registry{ $modules[$i] }{$version} =
			  { map { $modules[$_] => one_of(sort keys %holds) } grep { rand() < 0.5 } $i + 1 .. $#modules };
		}
		$registry{ $modules[$i] } //= { '1.0.0' => {} };
	}
	return \%registry;
}

# --- the model ---------------------------------------------------------------------

# All sets of versions with the asked-for module that a target with some may go to.
sub solutions
{
	my ($registry, $installed, $asked, $version) = @_;
	my @sets = ({});
	for my $module (@modules)
	{
		my @values = sort { $rank{$b} <=> $rank{$a} } keys %{ $registry->{$module} };
		if (defined $installed->{$module}) { @values = grep { $rank{$_} >= $rank{ $installed->{$module} } } @values }
		elsif ($module ne $asked) { push @values, undef }
		@values = grep { $_ eq $version } @values if $module eq $asked && defined $version;
		# A module requires later ones: each is compared with those before it.
		my @next;
		for my $set (@sets)
		{
			my @ranges = map { $registry->{$_}{ $set->{$_} }{$module} // () } keys %$set;
			for my $value (@values)
			{
				if (!defined $value) { push @next, $set if !@ranges; next }
				next if grep { !$in{$_}{$value} } @ranges;
				# Nothing is installed that nobody requires.
				next if !@ranges && $module ne $asked && !defined $installed->{$module};
				push @next, { %$set, $module => $value };
			}
		}
		@sets = @next;
	}
	return @sets;
}

# The sets in which a module has the first of some values that any of them has.
sub preferring
{
	my ($module, $values, @sets) = @_;
	for my $value (@$values)
	{
		my @left = grep { $_->{$module} eq $value } @sets;
		return @left if @left;
	}
	return @sets;
}

# What is wrong with an outcome, or nothing.
sub fault
{
	my ($registry, $installed, $asked, $version, $outcome) = @_;
	my @sets = solutions($registry, $installed, $asked, $version);
	my @down = reverse @all;
	if (!ref $outcome)
	{
		return "it was refused with $outcome, but is possible: " . $json->encode($sets[0]) if @sets;
		return $outcome =~ /^(55000|42704)$/ ? undef : "it was refused with $outcome";
	}
	@sets = preferring($asked, \@down, @sets);
	@sets = preferring($_, [ $installed->{$_}, @down ], @sets) for grep { $_ ne $asked } sort keys %$installed;
	my ($same) = grep { $json->encode($_) eq $json->encode($outcome) } @sets;
	return 'it is not among: ' . $json->encode(\@sets) if !$same;
	# No other set has a higher version of something missing, and the rest alike.
	for my $set (@sets)
	{
		my @higher = grep { ($set->{$_} // '') ne ($outcome->{$_} // '') } @modules;
		return 'higher is possible: ' . $json->encode($set)
		  if @higher == 1 && defined $set->{ $higher[0] } && defined $outcome->{ $higher[0] } && $rank{ $set->{ $higher[0] } } > $rank{ $outcome->{ $higher[0] } };
	}
	return;
}

# --- the server ---------------------------------------------------------------------

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'publicdigit'\nclient_min_messages = error");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION publicdigit CASCADE;
SELECT publicdigit.setup('pd_owner', 'pd_app');
SELECT publicdigit.create_tenant('acme');
-- Registers modules and takes steps, [module, version]; what came of each.  None of it stays.
CREATE FUNCTION take(registry jsonb, steps jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	outcomes jsonb := '[]';
	step jsonb;
BEGIN
	PERFORM publicdigit.register_module(jsonb_build_object('name', m.key, 'version', v.key, 'context', 'tenant', 'requires', v.value))
	FROM jsonb_each(registry) AS m, jsonb_each(m.value) AS v;
	FOR step IN SELECT jsonb_array_elements(steps) LOOP
		BEGIN
			PERFORM publicdigit.install_module(step->>0, 'acme', step->>1);
			outcomes := outcomes || jsonb_build_array((SELECT jsonb_object_agg(module, version::text) FROM publicdigit.module_installations));
		EXCEPTION WHEN OTHERS THEN
			outcomes := outcomes || to_jsonb(SQLSTATE);
		END;
	END LOOP;
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	RETURN outcomes;
END $$;
SQL

my (%count, @faults);
for (my $done = 0; $done < $registries;)
{
	my (@registries, @steps);
	for (1 .. 50)
	{
		last if $done++ >= $registries;
		my $registry = registry();
		my @order = shuffle(@modules);
		push @registries, $registry;
		# Low versions first, so that there is something to upgrade.
		push @steps, [ map { [ $order[$_], rand() < 0.7 - $_ / 5 ? one_of(sort keys %{ $registry->{ $order[$_] } }) : undef ] } 0 .. 3 ];
	}
	my $answers = $json->decode($node->safe_psql('postgres',
		"SELECT json_agg(take(r->0, r->1) ORDER BY n) FROM json_array_elements('"
		  . $json->encode([ map { [ $registries[$_], $steps[$_] ] } 0 .. $#registries ])
		  . "'::json) WITH ORDINALITY AS q (j, n), LATERAL (SELECT j::jsonb AS r) AS x"));
	for my $i (0 .. $#registries)
	{
		my $installed = {};
		for my $j (0 .. 3)
		{
			my ($asked, $version) = @{ $steps[$i][$j] };
			my $outcome = $answers->[$i][$j];
			# What is installed already is install_module()'s own concern.
			next if defined $installed->{$asked};
			my $fault = fault($registries[$i], $installed, $asked, $version, $outcome);
			$count{ ref $outcome ? 'installed' : $outcome }++;
			$count{upgraded}++ if ref $outcome && grep { $outcome->{$_} ne $installed->{$_} } keys %$installed;
			push @faults, join "\n", 'seed ' . $seed, $json->encode($registries[$i]), 'with ' . $json->encode($installed),
			  "install $asked " . ($version // 'NULL'), 'gave ' . $json->allow_nonref->encode($outcome), $fault
			  if defined $fault;
			$installed = $outcome if ref $outcome;
		}
	}
}
ok(!@faults, "each installation in $registries registries chooses what the model does") or diag($faults[0]);
note(join ', ', map { "$_ $count{$_}" } sort keys %count);
ok($count{$_}, "$_ came up") for qw(installed upgraded 55000 42704);

$node->stop;
done_testing();
