/*-------------------------------------------------------------------------
 *
 * requirement.c
 *	  What registered modules require of each other.
 *
 * A module may be registered before what it requires, so each check looks
 * both ways: at what the new version requires, and at who requires it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compat.h"
#include "range.h"
#include "requirement.h"
#include "spi.h"

/* The search for a way from a version back to itself. */
typedef struct Search
{
	const PdManifest *start;
	List	   *registered;		/* of PdManifest */
	List	   *visited;		/* those of them that have been looked at */
	List	   *way;			/* of PdManifest, from start on */
} Search;

/*
 * registered_manifests
 *		The manifests of all registered versions.
 */
static List *
registered_manifests(void)
{
	List	   *manifests = NIL;
	uint64		n;

	n = pd_spi_query("SELECT v.manifest FROM publicdigit.module_version AS v"
					 " ORDER BY v.module, v.version", NULL, 0);
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		Datum		document = pd_spi_datum(row, "manifest", &isnull);

		CHECK_FOR_INTERRUPTS();
		manifests = lappend(manifests,
							pd_manifest_parse(DatumGetJsonbPCopy(document),
											  "registered manifest"));
	}
	return manifests;
}

/*
 * is_met_by
 *		Does a version of a module meet a requirement?
 */
static bool
is_met_by(const PdRequirement *requirement, const PdManifest *manifest)
{
	const char *problem;

	return strcmp(requirement->module, manifest->name) == 0 &&
		pd_range_contains(pd_range_parse(requirement->range, &problem),
						  manifest->version);
}

/*
 * ensure_landlord_needs_no_tenant
 *		Raise where a landlord's module requires a tenant's: what is installed
 *		once cannot stand on what each tenant has or has not.
 */
static void
ensure_landlord_needs_no_tenant(const PdManifest *from, const PdManifest *to)
{
	ListCell   *lc;

	if (from->context != PD_LANDLORD || to->context != PD_TENANT)
		return;
	foreach(lc, from->requires)
	{
		const PdRequirement *requirement = lfirst(lc);

		if (strcmp(requirement->module, to->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("module \"%s\" of context landlord cannot require module \"%s\" of context tenant",
							from->name, to->name),
					 errdetail("Key \"requires.%s\" of version %s is \"%s\".",
							   to->name, from->version, requirement->range),
					 errhint("Remove the requirement, or change the context of one of them.")));
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
	{
		const PdManifest *manifest = lfirst(lc);

		appendStringInfo(&chain, "%s %s requires ",
						 manifest->name, manifest->version);
	}
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
 * installed beside it.
 */
static void
follow(Search *search, const PdManifest *manifest)
{
	ListCell   *lc;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();

	search->way = lappend(search->way, unconstify(PdManifest *, manifest));
	foreach(lc, manifest->requires)
	{
		const PdRequirement *requirement = lfirst(lc);
		ListCell   *other;

		if (is_met_by(requirement, search->start))
			report_cycle(search);
		if (strcmp(requirement->module, search->start->name) == 0)
			continue;

		foreach(other, search->registered)
		{
			PdManifest *next = lfirst(other);

			if (is_met_by(requirement, next) &&
				!list_member_ptr(search->visited, next))
			{
				search->visited = lappend(search->visited, next);
				follow(search, next);
			}
		}
	}
	search->way = list_delete_last(search->way);
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
	ListCell   *lc;

	search.start = manifest;
	search.registered = registered_manifests();

	foreach(lc, search.registered)
	{
		const PdManifest *other = lfirst(lc);

		ensure_landlord_needs_no_tenant(manifest, other);
		ensure_landlord_needs_no_tenant(other, manifest);
	}
	follow(&search, manifest);
}
