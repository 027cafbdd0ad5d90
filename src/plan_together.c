/*-------------------------------------------------------------------------
 *
 * plan_together.c
 *	  Whether modules stand together once some of them have gone down or away.
 *
 * On the way down nothing is resolved: what is left must do for all who require
 * it, and a lower version that requires more than the higher one did must find it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "plan.h"
#include "range.h"
#include "spi.h"

/* A module as it will be when all changes are made. */
typedef struct Outcome
{
	const char *module;
	const PdManifest *manifest; /* NULL when it is gone */
	bool		is_changed;
} Outcome;

/*
 * outcomes_of
 *		What the target will have, with the changes made.
 */
static List *
outcomes_of(const PdTarget *target, const List *changes)
{
	List	   *outcomes = NIL;
	ListCell   *cell;

	foreach(cell, pd_installations(pd_target_tenant(target)))
	{
		const PdInstallation *installed = lfirst(cell);
		Outcome    *outcome = palloc(sizeof(Outcome));
		const PdChange *change = NULL;
		ListCell   *other;

		foreach(other, changes)
		{
			if (strcmp(((PdChange *) lfirst(other))->ledger->module, installed->module) == 0)
				change = lfirst(other);
		}
		outcome->module = installed->module;
		outcome->is_changed = change != NULL;
		if (change != NULL)
			outcome->manifest = change->to == NULL || change->verb == PD_VERB_ARCHIVE ? NULL :
				change->to->source->manifest;
		else
			outcome->manifest = installed->status == PD_ARCHIVED ? NULL :
				pd_version_manifest(installed->version_id);
		outcomes = lappend(outcomes, outcome);
	}
	return outcomes;
}

/*
 * ensure_met
 *		An error (2BP01) where what will be there of a module is not what
 *		another one requires, which changes itself or not.
 */
static void
ensure_met(const PdManifest *manifest, const List *outcomes, bool is_changed)
{
	ListCell   *cell;

	foreach(cell, manifest->requires)
	{
		const PdRequirement *requirement = lfirst(cell);
		ListCell   *other;

		foreach(other, outcomes)
		{
			const Outcome *outcome = lfirst(other);
			const char *problem;

			if (strcmp(outcome->module, requirement->module) != 0 ||
				(outcome->manifest != NULL &&
				 pd_range_contains(pd_range_parse(requirement->range, &problem),
								   outcome->manifest->version)))
				continue;
			ereport(ERROR,
					(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
					 errmsg("module \"%s\" version %s requires module \"%s\" in the range \"%s\"",
							manifest->name, manifest->version, requirement->module,
							requirement->range),
					 outcome->manifest == NULL ?
					 errdetail("It would be gone.") :
					 errdetail("Version %s would be left.", outcome->manifest->version),
					 is_changed ?
					 errhint("Choose a version of module \"%s\" that goes with what is there.",
							 manifest->name) :
					 errhint("Uninstall or downgrade module \"%s\" first.", manifest->name)));
		}
	}
}

/*
 * is_among
 *		Will the target have this module, in whatever version?
 */
static bool
is_among(const List *outcomes, const char *module)
{
	ListCell   *cell;

	foreach(cell, outcomes)
	{
		const Outcome *outcome = lfirst(cell);

		if (outcome->manifest != NULL && strcmp(outcome->module, module) == 0)
			return true;
	}
	return false;
}

/*
 * ensure_required_there
 *		An error (55000) where a version that a module goes down to requires
 *		what the higher one did not, and neither the target nor the landlord has.
 */
static void
ensure_required_there(const PdManifest *manifest, const List *outcomes)
{
	ListCell   *cell;

	foreach(cell, manifest->requires)
	{
		const PdRequirement *requirement = lfirst(cell);
		PdInstallation *landlords = pd_installation_find(requirement->module, NULL);
		const char *problem;

		if (is_among(outcomes, requirement->module) ||
			(landlords != NULL && landlords->status != PD_ARCHIVED &&
			 pd_range_contains(pd_range_parse(requirement->range, &problem),
							   landlords->version)))
			continue;
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" version %s requires module \"%s\" in the range \"%s\"",
						manifest->name, manifest->version, requirement->module,
						requirement->range),
				 landlords == NULL || landlords->status == PD_ARCHIVED ?
				 errdetail("It is not installed.") :
				 errdetail("The landlord has version %s.", landlords->version),
				 errhint("Install it first, in a version of that range.")));
	}
}

/*
 * ensure_tenants_met
 *		The same for what tenants have, of the landlord's modules.
 *
 * What lies in an archive does not count.  When it comes back, its requirements are
 * resolved anew; and no script drops what its tables refer to.
 */
static void
ensure_tenants_met(const List *changes, const List *outcomes)
{
	ListCell   *cell;

	foreach(cell, changes)
	{
		const char *module = ((PdChange *) lfirst(cell))->ledger->module;
		List	   *ids = NIL;
		ListCell   *id;
		uint64		n;

		n = pd_spi_query("SELECT DISTINCT i.version_id::text AS version_id"
						 " FROM publicdigit.installation AS i"
						 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
						 " WHERE i.context = 'tenant' AND i.status <> 'archived'"
						 " AND v.manifest->'requires' ? $1",
						 PD_ARGS(pd_text(module)));
		for (uint64 row = 0; row < n; row++)
			ids = lappend(ids, pd_spi_text(row, "version_id"));
		foreach(id, ids)
			ensure_met(pd_version_manifest(strtoll(lfirst(id), NULL, 10)),
					   outcomes, false);
	}
}

/*
 * pd_plan_ensure_together
 *		An error (2BP01) unless what will be there does for all who require it.
 */
void
pd_plan_ensure_together(const PdTarget *target, const List *changes)
{
	List	   *outcomes = outcomes_of(target, changes);
	ListCell   *cell;

	foreach(cell, outcomes)
	{
		const Outcome *outcome = lfirst(cell);

		if (outcome->manifest == NULL)
			continue;
		ensure_met(outcome->manifest, outcomes, outcome->is_changed);
		if (outcome->is_changed)
			ensure_required_there(outcome->manifest, outcomes);
	}
	if (target->context == PD_LANDLORD)
		ensure_tenants_met(changes, outcomes);
}
