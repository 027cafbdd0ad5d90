/*-------------------------------------------------------------------------
 *
 * candidate.c
 *	  Registered versions that a choice is made from, and what they require.
 *
 * One query reads all versions of the modules that some names lead to, by
 * whatever version and range.  Only the manifests' key "requires" is read, and
 * taken apart when somebody asks for it: of two hundred modules with twenty
 * versions each, an installation looks at one or two versions of most.  Which
 * versions a range holds is worked out once, since the versions of a module
 * mostly name the same ranges.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "candidate.h"
#include "json.h"
#include "range.h"
#include "spi.h"

/* An entry of PdModules.numbers. */
typedef struct ModuleNumber
{
	char		name[NAMEDATALEN];	/* hash key */
	int			number;
} ModuleNumber;

/* An element of PdModule.known_ranges. */
typedef struct KnownRange
{
	char	   *text;
	Bitmapset  *holds;			/* candidates */
} KnownRange;

/*
 * add_module
 *		The module of a row: the last one, where that has its name, or a new
 *		one.
 */
static PdModule *
add_module(PdModules *modules, uint64 row)
{
	PdModule   *module = &modules->modules[modules->nmodules];
	char	   *name = pd_spi_text(row, "module");
	const char *context = pd_spi_text(row, "context");
	ModuleNumber *entry;

	if (modules->nmodules > 0 && strcmp(module[-1].name, name) == 0)
		return &module[-1];

	module->name = name;
	module->is_registered = context != NULL;
	if (context != NULL && strcmp(context, pd_context_name(PD_TENANT)) == 0)
		module->context = PD_TENANT;
	else
		module->context = PD_LANDLORD;
	module->installed = -1;

	entry = hash_search(modules->numbers, name, HASH_ENTER, NULL);
	entry->number = modules->nmodules++;
	return module;
}

/*
 * add_candidate
 *		Append the version of a row to its module.  The module's array has
 *		room for it: it lies in that of all candidates.
 */
static void
add_candidate(PdModule *module, PdCandidate *candidate, uint64 row)
{
	bool		isnull;
	Datum		document;

	candidate->id = DatumGetInt64(pd_spi_datum(row, "id", &isnull));
	if (isnull)
		return;					/* required, and not registered */
	candidate->version = pd_spi_text(row, "version");
	document = pd_spi_datum(row, "requires", &isnull);
	if (!isnull)
		candidate->document = DatumGetJsonbPCopy(document);

	if (module->ncandidates == 0)
		module->candidates = candidate;
	module->ncandidates++;
}

/*
 * pd_modules_load
 *		Read all versions of some modules and of whatever modules of a context
 *		any of them requires, at whatever distance.
 *
 * Modules of another context that they require are read too, without what
 * those require.  None counts as installed.
 */
PdModules *
pd_modules_load(List *names, PdContextKind context)
{
	PdModules  *modules;
	PdCandidate *candidates;
	MemoryContext context_of_result = CurrentMemoryContext;
	HASHCTL		ctl;
	uint64		n;

	n = pd_spi_query("WITH RECURSIVE reached (name) AS ("
					 " SELECT n.name FROM pg_catalog.unnest($1) AS n (name)"
					 " UNION"
					 " SELECT k.name FROM reached AS r"
					 " JOIN publicdigit.module AS m ON m.name = r.name AND m.context = $2"
					 " JOIN publicdigit.module_version AS v ON v.module = m.name"
					 " CROSS JOIN LATERAL pg_catalog.jsonb_object_keys(v.manifest->'requires') AS k (name)"
					 ")"
					 " SELECT r.name AS module, m.context, v.id, v.version::text AS version,"
					 " v.manifest->'requires' AS requires"
					 " FROM reached AS r"
					 " LEFT JOIN publicdigit.module AS m ON m.name = r.name"
					 " LEFT JOIN publicdigit.module_version AS v ON v.module = m.name"
					 " ORDER BY r.name COLLATE \"C\", v.version DESC",
					 PD_ARGS(pd_text_array(names), pd_text(pd_context_name(context))));

	/* SPI leaves another one current. */
	MemoryContextSwitchTo(context_of_result);

	modules = palloc0(sizeof(PdModules));
	pd_semver_type(&modules->type);
	/* No module has more rows than there are. */
	modules->modules = palloc_extended((n + 1) * sizeof(PdModule),
									   MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	candidates = palloc_extended((n + 1) * sizeof(PdCandidate),
								 MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	ctl.keysize = NAMEDATALEN;
	ctl.entrysize = sizeof(ModuleNumber);
	ctl.hcxt = CurrentMemoryContext;
	modules->numbers = hash_create("publicdigit modules", 64, &ctl,
								   HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);

	for (uint64 row = 0; row < n; row++)
	{
		CHECK_FOR_INTERRUPTS();
		add_candidate(add_module(modules, row), &candidates[row], row);
	}
	SPI_freetuptable(SPI_tuptable);
	return modules;
}

/*
 * pd_module_number
 *		A module's place among those loaded; -1 where it is not one of them.
 */
int
pd_module_number(const PdModules *modules, const char *name)
{
	const ModuleNumber *entry;

	entry = hash_search(modules->numbers, name, HASH_FIND, NULL);
	return entry == NULL ? -1 : entry->number;
}

/*
 * pd_candidate_requires
 *		What a version requires, as a list of PdRequirement.
 */
List *
pd_candidate_requires(PdCandidate *candidate)
{
	ListCell   *lc;

	if (candidate->is_read || candidate->document == NULL)
		return candidate->requires;
	foreach(lc, pd_json_pairs(&candidate->document->root))
	{
		const PdJsonPair *pair = lfirst(lc);
		PdRequirement *requirement = palloc(sizeof(PdRequirement));

		requirement->module = pair->key;
		requirement->range = pd_json_string(&pair->value);
		candidate->requires = lappend(candidate->requires, requirement);
	}
	candidate->is_read = true;
	return candidate->requires;
}

/*
 * pd_module_in_range
 *		Which candidates of a module a range holds, as their places.
 */
const Bitmapset *
pd_module_in_range(PdModules *modules, int number, const char *range)
{
	PdModule   *module = &modules->modules[number];
	KnownRange *known;
	PdRange    *parsed;
	const char *problem;
	ListCell   *lc;

	foreach(lc, module->known_ranges)
	{
		known = lfirst(lc);
		if (strcmp(known->text, range) == 0)
			return known->holds;
	}

	/* Registration has checked it. */
	parsed = pd_range_parse(range, &problem);
	if (parsed == NULL)
		elog(ERROR, "range \"%s\" is malformed: %s", range, problem);
	known = palloc0(sizeof(KnownRange));
	known->text = pstrdup(range);
	pd_range_prepare(parsed, &modules->type);
	for (int i = 0; i < module->ncandidates; i++)
	{
		PdCandidate *candidate = &module->candidates[i];

		if (candidate->value == (Datum) 0)
			candidate->value = pd_semver_value(&modules->type, candidate->version);
		if (pd_range_contains_value(parsed, &modules->type,
									candidate->version, candidate->value))
			known->holds = bms_add_member(known->holds, i);
	}
	module->known_ranges = lappend(module->known_ranges, known);
	return known->holds;
}
