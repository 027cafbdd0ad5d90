/*-------------------------------------------------------------------------
 *
 * plan_away.c
 *	  Which modules go when one is uninstalled.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "plan.h"
#include "spi.h"

/*
 * dependents_of
 *		Names of the target's modules that require a module: of those that are
 *		installed, or of those in the archive, where they may refer to each other.
 */
static List *
dependents_of(const PdTarget *target, const char *module, bool archived)
{
	List	   *names = NIL;
	uint64		n;

	n = pd_spi_query("SELECT i.module::text AS module FROM publicdigit.installation AS i"
					 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
					 " WHERE (i.tenant_id = $1 OR $1 IS NULL AND i.tenant_id IS NULL)"
					 " AND (i.status = 'archived') = $3"
					 " AND v.manifest->'requires' ? $2 ORDER BY i.module",
					 PD_ARGS(pd_uuid(pd_target_tenant(target)), pd_text(module),
							 pd_datum(BOOLOID, BoolGetDatum(archived))));
	for (uint64 row = 0; row < n; row++)
		names = lappend(names, pd_spi_text(row, "module"));
	return names;
}

/*
 * pd_plan_ensure_no_tenant_needs
 *		An error (2BP01) while a tenant has a module that requires this one of
 *		the landlord, which is to go.  Cascade does not reach into tenants.
 *
 * One in the archive counts, too: its rows may have the landlord's keys, and will
 * need them again.
 */
void
pd_plan_ensure_no_tenant_needs(const char *module)
{
	bool		isnull;

	pd_spi_query("SELECT count(DISTINCT i.tenant_id)::text AS tenants,"
				 " string_agg(DISTINCT i.module::text, ', ') AS modules,"
				 " bool_or(i.status = 'archived') AS archived"
				 " FROM publicdigit.installation AS i"
				 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
				 " WHERE i.context = 'tenant' AND v.manifest->'requires' ? $1",
				 PD_ARGS(pd_text(module)));
	if (pd_spi_text(0, "modules") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("module \"%s\" is still needed by tenants", module),
				 errdetail("Installed modules that require it: %s; tenants: %s.",
						   pd_spi_text(0, "modules"), pd_spi_text(0, "tenants")),
				 DatumGetBool(pd_spi_datum(0, "archived", &isnull)) ?
				 errhint("Uninstall these modules for the tenants first; what lies in an archive is thrown away with cascade => true.") :
				 errhint("Uninstall these modules for the tenants first.")));
}

/*
 * report_dependents
 *		Raise 2BP01 for a module that others need.
 */
pg_noreturn static void
report_dependents(const PdTarget *target, const char *module,
				  const List *dependents)
{
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("module \"%s\" is still needed by module \"%s\"",
					module, (char *) linitial(dependents)),
			 errdetail_plural("%s has %d installed module that requires it.",
							  "%s has %d installed modules that require it.",
							  list_length(dependents),
							  target->context == PD_TENANT ? "The tenant" : "The landlord",
							  list_length(dependents)),
			 errhint("Uninstall what needs it first, or call uninstall_module with cascade => true.")));
}

/*
 * add_removal
 *		Add the removal of a module to the changes and, with cascade, before it
 *		those of the modules that need it.  Errors: 55000, 2BP01.
 *
 * Nobody throws away what is in the archive by calling twice what has put it
 * there: that takes cascade.
 */
static List *
add_removal(const PdTarget *target, const char *module, bool cascade,
			List *changes)
{
	PdInstallation *installed = pd_installation_find(module, pd_target_tenant(target));
	List	   *dependents;
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, changes)
	{
		if (strcmp(((PdChange *) lfirst(cell))->ledger->module, module) == 0)
			return changes;		/* a cascade came this way before */
	}

	if (installed == NULL)
		pd_plan_report_not_installed(target, module);
	if (installed->status == PD_ARCHIVED && !cascade)
		pd_plan_report_archived(target, module,
								"Bring it back with publicdigit.install_module(), or throw it away by calling uninstall_module with cascade => true.");
	dependents = dependents_of(target, module, installed->status == PD_ARCHIVED);
	if (dependents != NIL && !cascade)
		report_dependents(target, module, dependents);
	foreach(cell, dependents)
		changes = add_removal(target, lfirst(cell), cascade, changes);
	return lappend(changes, installed->status == PD_ARCHIVED ?
				   pd_change_discard(target, installed) :
				   pd_change_away(target, installed, true));
}

/*
 * pd_plan_uninstall
 *		Remove a module and, with cascade, what needs it, or what lies of them in
 *		the archive.  Errors: 55000, 2BP01.
 */
List *
pd_plan_uninstall(const PdTarget *target, const char *module, bool cascade)
{
	if (pd_installation_find(module, pd_target_tenant(target)) == NULL)
		pd_plan_report_not_installed(target, module);
	if (target->context == PD_LANDLORD)
		pd_plan_ensure_no_tenant_needs(module);
	return add_removal(target, module, cascade, NIL);
}
