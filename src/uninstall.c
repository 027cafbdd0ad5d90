/*-------------------------------------------------------------------------
 *
 * uninstall.c
 *	  uninstall_module: down scripts in reverse, all or nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "install.h"
#include "spi.h"

/* One installation that is to go. */
typedef struct Removal
{
	PdInstallation *installed;
	PdModuleSource *source;
	List	   *scripts;		/* of PdScript, in the order to run */
} Removal;

/*
 * ensure_no_tenant_needs
 *		An error (2BP01) while a tenant has a module that requires this one of
 *		the landlord.  Cascade does not reach into tenants.
 */
static void
ensure_no_tenant_needs(const char *module)
{
	pd_spi_query("SELECT count(DISTINCT i.tenant_id)::text AS tenants,"
				 " string_agg(DISTINCT i.module::text, ', ') AS modules"
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
				 errhint("Uninstall these modules for the tenants first.")));
}

/*
 * installed_dependents
 *		Names of the target's installed modules that require a module.
 */
static List *
installed_dependents(const PdTarget *target, const char *module)
{
	List	   *names = NIL;
	uint64		n;

	n = pd_spi_query("SELECT i.module::text AS module FROM publicdigit.installation AS i"
					 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
					 " WHERE (i.tenant_id = $1 OR $1 IS NULL AND i.tenant_id IS NULL)"
					 " AND v.manifest->'requires' ? $2 ORDER BY i.module",
					 PD_ARGS(pd_uuid(pd_target_tenant(target)), pd_text(module)));
	for (uint64 row = 0; row < n; row++)
		names = lappend(names, pd_spi_text(row, "module"));
	return names;
}

/*
 * applied_migrations
 *		The stems of an installation's applied migrations, the last first.
 */
static List *
applied_migrations(const PdTarget *target, int64 installation)
{
	List	   *migrations = NIL;
	uint64		n;

	if (target->context == PD_TENANT)
		n = pd_spi_query("SELECT migration FROM publicdigit.tenant_migration"
						 " WHERE installation_id = $1 ORDER BY migration COLLATE \"C\" DESC",
						 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installation))));
	else
		n = pd_spi_query("SELECT migration FROM publicdigit.landlord_migration"
						 " WHERE installation_id = $1 ORDER BY migration COLLATE \"C\" DESC",
						 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installation))));
	for (uint64 row = 0; row < n; row++)
		migrations = lappend(migrations, pd_spi_text(row, "migration"));
	return migrations;
}

/*
 * down_scripts
 *		The scripts that undo an installation, in the order to run.  An error
 *		(55000), before anything runs, where one is missing.
 */
static List *
down_scripts(const PdTarget *target, const PdInstallation *installed,
			 const PdModuleSource *source)
{
	List	   *scripts = NIL;
	ListCell   *cell;

	foreach(cell, applied_migrations(target, installed->id))
	{
		const char *migration = lfirst(cell);
		const PdScript *script = pd_find_script(source, PD_SCRIPT_DOWN, migration);

		if (script == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("module \"%s\" version %s cannot be uninstalled",
							source->manifest->name, source->manifest->version),
					 errdetail("Migration \"%s\" has no down script.", migration),
					 errhint("Only publicdigit.drop_tenant() removes such a module; let every module bring down scripts.")));
		scripts = lappend(scripts, (void *) script);
	}
	return scripts;
}

/*
 * ensure_tables_gone
 *		An error (55000) where down scripts have left a table that the
 *		manifest names.
 */
static void
ensure_tables_gone(const PdTarget *target, const PdManifest *manifest)
{
	Oid			nspid = get_namespace_oid(pd_target_schema(target), false);
	ListCell   *cell;

	foreach(cell, manifest->tables)
	{
		const PdTableSpec *spec = lfirst(cell);

		if (OidIsValid(get_relname_relid(spec->name, nspid)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the down scripts of module \"%s\" leave table \"%s\" behind",
							manifest->name, spec->name),
					 errhint("Drop the table in the down script of the migration that makes it.")));
	}
}

/*
 * plan_removal
 *		Add an installation to the steps and, with cascade, before it those
 *		that need it.  Everything is decided here, before a script runs.
 */
static List *
plan_removal(const PdTarget *target, const char *module, bool cascade,
			 List *steps)
{
	PdInstallation *installed = pd_installation_find(module, pd_target_tenant(target));
	Removal    *removal = palloc(sizeof(Removal));
	List	   *dependents;
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, steps)
	{
		if (((Removal *) lfirst(cell))->installed->id == installed->id)
			return steps;		/* a cascade came this way before */
	}

	dependents = installed_dependents(target, module);
	if (dependents != NIL && !cascade)
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
	foreach(cell, dependents)
		steps = plan_removal(target, lfirst(cell), cascade, steps);

	removal->installed = installed;
	removal->source = pd_version_load(installed->version_id)->source;
	removal->scripts = down_scripts(target, installed, removal->source);
	return lappend(steps, removal);
}

/*
 * remove_one
 *		Undo one installation.
 */
static void
remove_one(const PdTarget *target, const Removal *removal)
{
	const PdManifest *manifest = removal->source->manifest;
	PdTargetWork work;
	PdScriptRun run;
	ListCell   *cell;

	pd_target_begin_work(&work, "removal", manifest, target);
	pd_script_start(&run, target->context, &target->tenant, manifest);
	foreach(cell, removal->scripts)
		pd_script_execute(&run, lfirst(cell));
	pd_finish_run(&run);
	ensure_tables_gone(target, manifest);

	/* The ledger's rows go with it. */
	pd_spi_query("DELETE FROM publicdigit.installation WHERE id = $1",
				 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(removal->installed->id))));
	pd_target_end_work(&work);
}

/*
 * uninstall_module(module, tenant, cascade DEFAULT false)
 *		Undo a module's migrations and forget its installation.
 *		Errors: 22004, 22023, 42704, 55000, 2BP01, and those of the scripts.
 */
PD_TENANT_FUNCTION(pd_uninstall_module, 1, PD_ALLOW_LANDLORD)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	PdTarget	target;
	PdSpi		spi;
	ListCell   *cell;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("cascade must not be null")));

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_target_resolve(ref, pd_version_find(module, NULL)->source->manifest, &target);
	pd_target_lock(&target, PD_TARGET_REMOVE);
	if (pd_installation_find(module, pd_target_tenant(&target)) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" is not installed for %s",
						module, pd_target_name(&target)),
				 errhint("The view publicdigit.module_installations lists what is.")));
	if (target.context == PD_LANDLORD)
		ensure_no_tenant_needs(module);
	foreach(cell, plan_removal(&target, module, PG_GETARG_BOOL(2), NIL))
		remove_one(&target, lfirst(cell));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}
