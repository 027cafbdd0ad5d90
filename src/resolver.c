/*-------------------------------------------------------------------------
 *
 * resolver.c
 *	  Which versions a target has to go to.
 *
 * Everything is read at the start: the target's installed modules, the one
 * that is asked for, and every version of what these can lead to.  Then
 * solver.c searches, under these rules:
 *
 * - The asked-for module gets the named version, or the highest with which all
 *	 requirements can be met.
 * - What is installed stays at its version where that fits; else it goes to the
 *	 highest that fits, never to a lower one.
 * - What is required and missing gets the highest version that fits.
 * - The requirements of all modules that the target has afterwards hold.
 * - A tenant's change never changes the landlord, and a landlord's change
 *	 breaks no module of a tenant.
 *
 * Where these rules leave no choice, resolver_report.c says why.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "range.h"
#include "resolver.h"
#include "resolver_report.h"
#include "semver.h"
#include "spi.h"

/* What is installed: a version of a module. */
typedef struct Installed
{
	char	   *module;
	bool		is_target;		/* for the target, not for the landlord */
	int64		id;				/* of the version */
} Installed;

/*
 * find_installed
 *		What the target and the landlord have, as a list of Installed.
 */
static List *
find_installed(const PdTarget *target)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *list = NIL;
	uint64		n;

	n = pd_spi_query("SELECT i.module, i.version_id, i.context = $2 AS is_target"
					 " FROM publicdigit.installation AS i"
					 " WHERE (i.tenant_id = $1 OR i.tenant_id IS NULL)"
					 " AND i.status <> 'archived'",
					 PD_ARGS(pd_uuid(pd_target_tenant(target)),
							 pd_text(pd_context_name(target->context))));
	/* SPI leaves another one current. */
	MemoryContextSwitchTo(context);
	for (uint64 row = 0; row < n; row++)
	{
		Installed  *installed = palloc(sizeof(Installed));
		bool		isnull;

		installed->module = pd_spi_text(row, "module");
		installed->is_target = DatumGetBool(pd_spi_datum(row, "is_target", &isnull));
		installed->id = DatumGetInt64(pd_spi_datum(row, "version_id", &isnull));
		list = lappend(list, installed);
	}
	return list;
}

/*
 * load_modules
 *		Read all versions of the asked-for module, of what the target has, and
 *		of what these lead to.
 */
static PdModules *
load_modules(const PdTarget *target, const char *module)
{
	List	   *list = find_installed(target);
	List	   *names = list_make1(unconstify(char *, module));
	PdModules  *modules;
	ListCell   *lc;

	foreach(lc, list)
	{
		const Installed *installed = lfirst(lc);

		if (installed->is_target)
			names = lappend(names, installed->module);
	}
	modules = pd_modules_load(names, target->context);

	foreach(lc, list)
	{
		const Installed *installed = lfirst(lc);
		int			number = pd_module_number(modules, installed->module);

		for (int i = 0; number >= 0 && i < modules->modules[number].ncandidates; i++)
		{
			if (modules->modules[number].candidates[i].id == installed->id)
				modules->modules[number].installed = i;
		}
	}
	return modules;
}

/*
 * named_candidate
 *		The place of the version that was asked for; -1 where none is named.
 *		Errors: 42704 where it is not registered, 55000 where a higher one is
 *		installed.
 */
static int
named_candidate(const PdResolution *resolution)
{
	const PdModule *module = &resolution->modules->modules[resolution->asked];
	int			place = 0;

	if (resolution->version == NULL)
		return -1;
	/* Build metadata does not count in semver's order; a name is exact. */
	while (place < module->ncandidates &&
		   strcmp(module->candidates[place].version, resolution->version) != 0)
		place++;
	if (place == module->ncandidates)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version \"%s\" of module \"%s\" is not registered",
						resolution->version, module->name),
				 errhint("The view publicdigit.modules lists the registered versions.")));
	if (module->installed >= 0 && place > module->installed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" is installed for %s in version %s, which is higher than %s",
						module->name, pd_target_name(resolution->target),
						module->candidates[module->installed].version,
						resolution->version),
				 errhint("Go back to a lower version with publicdigit.downgrade_module().")));
	return place;
}

/*
 * restrict_asked
 *		Let the asked-for module be at the version that was named, or at any
 *		that is not lower than the installed one.
 *
 * Prereleases count where nothing else is registered, or where one is
 * installed; releases are preferred even then.
 */
static void
restrict_asked(const PdResolution *resolution)
{
	const PdModule *module = &resolution->modules->modules[resolution->asked];
	int			named = named_candidate(resolution);
	int			lowest = module->installed >= 0 ? module->installed : module->ncandidates - 1;
	List	   *releases = NIL;
	List	   *prereleases = NIL;
	Bitmapset  *values = NULL;
	ListCell   *lc;
	bool		only_prereleases = true;

	for (int i = 0; i < module->ncandidates; i++)
	{
		bool		is_prerelease = pd_semver_is_prerelease(module->candidates[i].version);

		only_prereleases = only_prereleases && is_prerelease;
		if (i > lowest || (named >= 0 && i != named))
			continue;
		if (is_prerelease)
			prereleases = lappend_int(prereleases, i + 1);
		else
			releases = lappend_int(releases, i + 1);
	}
	if (named >= 0 || only_prereleases ||
		(module->installed >= 0 &&
		 pd_semver_is_prerelease(module->candidates[module->installed].version)))
		releases = list_concat(releases, prereleases);

	foreach(lc, releases)
		values = bms_add_member(values, lfirst_int(lc));
	pd_solver_prefer(resolution->solver, resolution->asked, releases);
	pd_solver_restrict(resolution->solver, PD_CLASH_ASKED, resolution->asked,
					   values, NULL, NULL);
}

/*
 * is_wanted
 *		Does any version that was read require a module in a range that holds
 *		this version?
 */
static bool
is_wanted(const PdResolution *resolution, int number, int place)
{
	PdModules  *modules = resolution->modules;
	PdModule   *module = &modules->modules[number];

	for (int i = 0; i < modules->nmodules; i++)
	{
		for (int j = 0; j < modules->modules[i].ncandidates; j++)
		{
			ListCell   *lc;

			CHECK_FOR_INTERRUPTS();
			foreach(lc, pd_candidate_requires(&modules->modules[i].candidates[j]))
			{
				const PdRequirement *requirement = lfirst(lc);

				if (strcmp(requirement->module, module->name) == 0 &&
					bms_is_member(place, pd_module_in_range(modules, number, requirement->range)))
					return true;
			}
		}
	}
	return false;
}

/*
 * restrict_installed
 *		Let a module that the target has stay, or go to a higher version; to
 *		a prerelease only from another one, or where somebody requires it.
 */
static void
restrict_installed(const PdResolution *resolution, int number)
{
	const PdModule *module = &resolution->modules->modules[number];
	int			installed = module->installed;
	bool		is_prerelease = pd_semver_is_prerelease(module->candidates[installed].version);
	List	   *order = list_make1_int(installed + 1);
	List	   *prereleases = NIL;
	Bitmapset  *values = NULL;
	ListCell   *lc;

	for (int i = 0; i < installed; i++)
	{
		if (!pd_semver_is_prerelease(module->candidates[i].version))
			order = lappend_int(order, i + 1);
		else if (is_prerelease || is_wanted(resolution, number, i))
			prereleases = lappend_int(prereleases, i + 1);
	}
	order = list_concat(order, prereleases);

	foreach(lc, order)
		values = bms_add_member(values, lfirst_int(lc));
	pd_solver_prefer(resolution->solver, number, order);
	pd_solver_restrict(resolution->solver, PD_CLASH_KEPT, number, values, NULL, NULL);
}

/*
 * restrict_landlord
 *		Let a module of the landlord, which a tenant's module may require, be
 *		as it is.
 */
static void
restrict_landlord(const PdResolution *resolution, int number)
{
	const PdModule *module = &resolution->modules->modules[number];

	pd_solver_take_as_given(resolution->solver, number);
	pd_solver_restrict(resolution->solver, PD_CLASH_LANDLORD, number,
					   bms_make_singleton(module->installed + 1), NULL, NULL);
}

/*
 * restrict_for_tenants
 *		Let the landlord's modules stay in the ranges in which modules that
 *		tenants have require them.  What was out of its range before is no
 *		reason to refuse.
 */
static void
restrict_for_tenants(const PdResolution *resolution)
{
	PdModules  *modules = resolution->modules;
	MemoryContext context = CurrentMemoryContext;
	uint64		n;

	n = pd_spi_query("SELECT v.module, v.version::text AS version,"
					 " r.key AS required, r.value AS range"
					 " FROM publicdigit.module_version AS v"
					 " CROSS JOIN LATERAL pg_catalog.jsonb_each_text(v.manifest->'requires') AS r"
					 " WHERE EXISTS (SELECT FROM publicdigit.installation AS i"
					 " WHERE i.version_id = v.id AND i.context = 'tenant' AND i.status <> 'archived')"
					 " ORDER BY v.module, v.version, r.key",
					 NULL, 0);
	MemoryContextSwitchTo(context);
	for (uint64 row = 0; row < n; row++)
	{
		PdRequirement *requirement;
		Bitmapset  *values = NULL;
		int			number = pd_module_number(modules, pd_spi_text(row, "required"));
		int			place = -1;
		const Bitmapset *holds;

		if (number < 0 || modules->modules[number].installed < 0)
			continue;
		requirement = palloc(sizeof(PdRequirement));
		requirement->module = modules->modules[number].name;
		requirement->range = pd_spi_text(row, "range");
		holds = pd_module_in_range(modules, number, requirement->range);
		if (!bms_is_member(modules->modules[number].installed, holds))
			continue;
		while ((place = bms_next_member(holds, place)) >= 0)
			values = bms_add_member(values, place + 1);
		pd_solver_restrict(resolution->solver, PD_CLASH_TENANTS, number, values,
						   requirement,
						   psprintf("%s %s", pd_spi_text(row, "module"),
									pd_spi_text(row, "version")));
	}
}

/*
 * restrict_all
 *		Tell the solver what holds from the start.  The asked-for module comes
 *		first, so that its version is decided first.
 */
static void
restrict_all(const PdResolution *resolution)
{
	PdContextKind context = resolution->target->context;

	restrict_asked(resolution);
	for (int i = 0; i < resolution->modules->nmodules; i++)
	{
		const PdModule *module = &resolution->modules->modules[i];

		if (i == resolution->asked || !module->is_registered)
			continue;
		if (module->context != context)
			restrict_landlord(resolution, i);
		else if (module->installed >= 0)
			restrict_installed(resolution, i);
	}
	if (context == PD_LANDLORD)
		restrict_for_tenants(resolution);
}

/*
 * add_changes
 *		Append what changes of a module and, before it, of what its chosen
 *		version requires.
 */
static void
add_changes(const PdResolution *resolution, int number, Bitmapset **visited,
			List **changes)
{
	PdModules  *modules = resolution->modules;
	PdModule   *module = &modules->modules[number];
	int			chosen = pd_solver_chosen(resolution->solver, number);
	ListCell   *lc;

	check_stack_depth();
	if (chosen < 0 || module->context != resolution->target->context ||
		bms_is_member(number, *visited))
		return;
	*visited = bms_add_member(*visited, number);
	foreach(lc, pd_candidate_requires(&module->candidates[chosen]))
	{
		const PdRequirement *requirement = lfirst(lc);

		add_changes(resolution, pd_module_number(modules, requirement->module),
					visited, changes);
	}
	if (chosen != module->installed)
		*changes = lappend(*changes, &module->candidates[chosen]);
}

/*
 * contains
 *		Is a version in a range?
 */
static bool
contains(const char *range, const char *version)
{
	const char *problem;

	return pd_range_contains(pd_range_parse(range, &problem), version);
}

/*
 * resolve_alone
 *		The version to upgrade a tenant's installed module to, where nothing
 *		else has to change for it; NULL where that takes a search.
 *
 * Most upgrades are of this kind, and come for thousands of tenants in turn.
 */
static PdVersion *
resolve_alone(const PdTarget *target, const char *module, const char *version)
{
	PdVersion  *to = pd_version_find(module, version);
	const PdManifest *manifest = to->source->manifest;
	int			met = 0;
	bool		is_higher = false;
	uint64		n;

	n = pd_spi_query("SELECT i.module::text AS module, v.version::text AS version,"
					 " v.manifest->'requires'->>$2 AS range"
					 " FROM publicdigit.installation AS i"
					 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
					 " WHERE i.tenant_id = $1 AND i.status <> 'archived'",
					 PD_ARGS(pd_uuid(&target->tenant.id), pd_text(module)));
	for (uint64 row = 0; row < n; row++)
	{
		const char *other = pd_spi_text(row, "module");
		const char *installed = pd_spi_text(row, "version");
		const char *range = pd_spi_text(row, "range");
		ListCell   *lc;

		if (strcmp(other, module) == 0)
			is_higher = pd_semver_compare(manifest->version, installed) > 0;
		else if (range != NULL && !contains(range, manifest->version))
			return NULL;
		foreach(lc, manifest->requires)
		{
			const PdRequirement *requirement = lfirst(lc);

			if (strcmp(requirement->module, other) == 0 &&
				contains(requirement->range, installed))
				met++;
		}
	}
	return is_higher && met == list_length(manifest->requires) ? to : NULL;
}

/*
 * pd_resolve
 *		The versions that have to be installed, or upgraded to, so that a
 *		target has a module at a version, or, for NULL, at the highest that is
 *		possible; what is required comes first.
 *
 * NIL where nothing has to change.  Errors: 42704 where what is asked for or
 * required is not registered, 55000 where versions do not go together, 54000
 * where the search takes too long.
 */
List *
pd_resolve(const PdTarget *target, const char *module, const char *version)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext search;
	PdResolution resolution = {target, version};
	Bitmapset  *visited = NULL;
	List	   *changes = NIL;
	List	   *versions = NIL;
	PdClash    *clash;
	ListCell   *lc;

	if (target->context == PD_TENANT && pd_installation_find(module, &target->tenant.id) != NULL)
	{
		PdVersion  *alone = resolve_alone(target, module, version);

		if (alone != NULL)
			return list_make1(alone);
	}

	search = AllocSetContextCreate(caller, "publicdigit resolver",
								   ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(search);
	resolution.modules = load_modules(target, module);
	resolution.asked = pd_module_number(resolution.modules, module);
	resolution.solver = pd_solver_create(resolution.modules);
	pd_resolver_ensure_registered(&resolution, resolution.asked, NULL);
	restrict_all(&resolution);

	clash = pd_solver_run(resolution.solver);
	if (clash != NULL)
		pd_resolver_report(&resolution, clash);

	add_changes(&resolution, resolution.asked, &visited, &changes);
	for (int i = 0; i < resolution.modules->nmodules; i++)
		add_changes(&resolution, i, &visited, &changes);

	MemoryContextSwitchTo(caller);
	foreach(lc, changes)
	{
		const PdCandidate *candidate = lfirst(lc);

		versions = lappend(versions, pd_version_load(candidate->id));
	}
	MemoryContextDelete(search);
	return versions;
}
