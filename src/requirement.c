/*-------------------------------------------------------------------------
 *
 * requirement.c
 *	  What registered modules require of each other.
 *
 * A module may be registered before what it requires, so each check looks
 * both ways: at what the new version requires, and at who requires it.
 *
 * A cycle is one of versions, not of names: members 1.0 may require what
 * requires members 2.0.  Since a target has one version of each module, a way
 * that leads through two versions of one is no cycle either.  Only versions
 * that the new one leads to are read.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "candidate.h"
#include "compat.h"
#include "range.h"
#include "requirement.h"
#include "spi.h"

/* The search for a way from a version back to itself. */
typedef struct Search
{
	const PdManifest *start;
	PdModules  *modules;		/* what it leads to */
	Bitmapset **visited;		/* for each module, candidates without a way
								 * back, or on the way */
	Bitmapset  *on_way;			/* modules */
	List	   *way;			/* of psprintf'ed "module version" */
} Search;

/*
 * report_landlord_needs_tenant
 *		Raise 22023: what is installed once cannot stand on what each tenant
 *		has or has not.
 */
pg_noreturn static void
report_landlord_needs_tenant(const char *landlord, const char *version,
							 const char *tenant, const char *range)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("module \"%s\" of context landlord cannot require module \"%s\" of context tenant",
					landlord, tenant),
			 errdetail("Key \"requires.%s\" of version %s is \"%s\".",
					   tenant, version, range),
			 errhint("Remove the requirement, or change the context of one of them.")));
}

/*
 * ensure_landlord_needs_no_tenant
 *		Raise 22023 where a landlord's module requires a tenant's, and one of
 *		the two is new.
 */
static void
ensure_landlord_needs_no_tenant(const PdManifest *manifest, const PdModules *modules)
{
	ListCell   *lc;

	if (manifest->context == PD_TENANT)
	{
		if (pd_spi_query("SELECT v.module, v.version::text AS version,"
						 " v.manifest->'requires'->>$1 AS range"
						 " FROM publicdigit.module_version AS v"
						 " JOIN publicdigit.module AS m ON m.name = v.module"
						 " WHERE m.context = 'landlord' AND v.manifest->'requires' ? $1"
						 " ORDER BY v.module, v.version LIMIT 1",
						 PD_ARGS(pd_text(manifest->name))) > 0)
			report_landlord_needs_tenant(pd_spi_text(0, "module"),
										 pd_spi_text(0, "version"), manifest->name,
										 pd_spi_text(0, "range"));
		return;
	}
	foreach(lc, manifest->requires)
	{
		const PdRequirement *requirement = lfirst(lc);
		const PdModule *module;

		module = &modules->modules[pd_module_number(modules, requirement->module)];
		if (module->is_registered && module->context == PD_TENANT)
			report_landlord_needs_tenant(manifest->name, manifest->version,
										 module->name, requirement->range);
	}
}

/*
 * report_cycle
 *		Raise 22023 with the versions of a cycle.
 */
pg_noreturn static void
report_cycle(const Search *search)
{
	StringInfoData chain;
	ListCell   *lc;

	initStringInfo(&chain);
	foreach(lc, search->way)
		appendStringInfo(&chain, "%s requires ", (char *) lfirst(lc));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("module \"%s\" would require itself", search->start->name),
			 errdetail("The cycle is: %s%s %s.", chain.data,
					   search->start->name, search->start->version),
			 errhint("Remove one of these requirements, or move what both need into a module of its own.")));
}

/*
 * follow
 *		Follow what a version requires, and raise on coming back to the start.
 *
 * Other versions of the start's module are not entered: they are never
 * installed beside it.  Nor are those of a module that is on the way already.
 * Returns the modules for which that has cut the search short: what was found
 * to lead nowhere may still lead back on a way without them.  So versions are
 * looked at more than once only among modules whose names form a cycle.
 */
static Bitmapset *
follow(Search *search, char *name_and_version, List *requires)
{
	Bitmapset  *cut = NULL;
	ListCell   *lc;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	search->way = lappend(search->way, name_and_version);
	foreach(lc, requires)
	{
		const PdRequirement *requirement = lfirst(lc);
		int			number = pd_module_number(search->modules, requirement->module);
		PdModule   *module = &search->modules->modules[number];
		const Bitmapset *holds;
		int			place = -1;

		if (strcmp(requirement->module, search->start->name) == 0)
		{
			const char *problem;

			if (pd_range_contains(pd_range_parse(requirement->range, &problem),
								  search->start->version))
				report_cycle(search);
			continue;
		}

		/* A landlord's module, which leads to no tenant's. */
		if (module->context != search->start->context)
			continue;

		holds = pd_module_in_range(search->modules, number, requirement->range);
		while ((place = bms_next_member(holds, place)) >= 0)
		{
			PdCandidate *candidate = &module->candidates[place];
			Bitmapset  *cut_below;

			if (bms_is_member(place, search->visited[number]))
				continue;
			if (bms_is_member(number, search->on_way))
			{
				cut = bms_add_member(cut, number);
				continue;
			}
			search->visited[number] = bms_add_member(search->visited[number], place);
			search->on_way = bms_add_member(search->on_way, number);
			cut_below = follow(search, psprintf("%s %s", module->name, candidate->version),
							   pd_candidate_requires(candidate));
			search->on_way = bms_del_member(search->on_way, number);

			cut_below = bms_del_member(cut_below, number);
			if (!bms_is_empty(cut_below))
				search->visited[number] = bms_del_member(search->visited[number], place);
			cut = bms_join(cut, cut_below);
		}
	}
	search->way = list_delete_last(search->way);
	return cut;
}

/*
 * pd_requirements_check
 *		Check a version that is to be registered against those that are.
 *
 * Raises 22023 for a cycle, and for a landlord's module that requires a
 * tenant's.
 */
void
pd_requirements_check(const PdManifest *manifest)
{
	Search		search = {0};
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, manifest->requires)
		names = lappend(names, ((PdRequirement *) lfirst(lc))->module);
	search.start = manifest;
	search.modules = pd_modules_load(names, manifest->context);
	search.visited = palloc0((search.modules->nmodules + 1) * sizeof(Bitmapset *));

	ensure_landlord_needs_no_tenant(manifest, search.modules);
	(void) follow(&search, psprintf("%s %s", manifest->name, manifest->version),
				  manifest->requires);
}
