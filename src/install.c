/*-------------------------------------------------------------------------
 *
 * install.c
 *	  install_module and seed_module.
 *
 * Scripts, ledger and registry change in the caller's transaction, so that an
 * error leaves nothing of a module behind.  What is required is installed
 * first, with the highest registered version that fits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "errors.h"
#include "golden.h"
#include "grants.h"
#include "install.h"
#include "module_object.h"
#include "protect.h"
#include "range.h"
#include "semver.h"
#include "spi.h"

/*
 * pd_module_argument
 *		A module's name; 22004 for null.
 */
char *
pd_module_argument(FunctionCallInfo fcinfo, int argno)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("module must not be null")));
	return text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/*
 * pd_find_script
 *		A migration's script of a kind; NULL where the module has none.
 */
const PdScript *
pd_find_script(const PdModuleSource *source, PdScriptKind kind,
			   const char *migration)
{
	ListCell   *cell;

	foreach(cell, source->scripts)
	{
		const PdScript *script = lfirst(cell);

		if (script->kind == kind && strcmp(script->migration, migration) == 0)
			return script;
	}
	return NULL;
}

/*
 * warn_of_unnamed_tables
 *		Say which tables a tenant's module made and its manifest does not
 *		name: they are protected, and the app role has no use of them.
 */
static void
warn_of_unnamed_tables(const PdScriptRun *run)
{
	StringInfoData names;
	ListCell   *cell;

	initStringInfo(&names);
	foreach(cell, run->created)
	{
		char		relkind = get_rel_relkind(lfirst_oid(cell));
		char	   *name = get_rel_name(lfirst_oid(cell));

		if ((relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE) ||
			pd_parents_of(lfirst_oid(cell)) != NIL ||
			pd_manifest_table(run->manifest, name) != NULL)
			continue;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 quote_identifier(name));
	}
	if (names.len > 0)
		ereport(WARNING,
				(errmsg("module \"%s\" makes tables that its manifest does not name",
						run->manifest->name),
				 errdetail("The app role gets no privileges on: %s.", names.data),
				 errhint("Name them under \"tables\" in module.json.")));
}

/*
 * pd_finish_run
 *		After a module's scripts: check the golden rules on every table that
 *		they made or altered.  Must be called inside pd_spi_begin.
 */
void
pd_finish_run(PdScriptRun *run)
{
	List	   *tables = NIL;
	ListCell   *cell;

	/*
	 * A module's own permissive policies take the place of ours only now:
	 * until then the scripts themselves needed it to see a row.
	 */
	foreach(cell, run->relations)
		pd_settle_bound_policy(lfirst_oid(cell));

	foreach(cell, run->relations)
	{
		const char *name = get_rel_name(lfirst_oid(cell));
		const PdTableSpec *spec;

		if (name == NULL)
			continue;			/* dropped again */
		spec = pd_manifest_table(run->manifest, name);
		if (run->context == PD_TENANT || (spec != NULL && spec->is_tenant) ||
			pd_is_protected(lfirst_oid(cell), NULL))
			tables = lappend_oid(tables, lfirst_oid(cell));
	}
	pd_check_tables(tables, run->owner);
	pd_check_functions(run->functions);
	pd_check_materialized_views(run->relations);
}

/*
 * warn_of_keys
 *		Say which keys keep a tenant's module from placement "shared".
 */
static void
warn_of_keys(const PdScriptRun *run)
{
	char	   *keys;

	if (run->context != PD_TENANT)
		return;
	keys = pd_keys_without_tenant(run->created, PD_TENANT_COLUMN);
	if (keys != NULL)
		ereport(WARNING,
				(errmsg("module \"%s\" cannot be placed \"shared\"", run->manifest->name),
				 errdetail("Keys without column \"%s\": %s.", PD_TENANT_COLUMN, keys),
				 errhint("Nothing needs to be done as long as each tenant has its own schema.")));
}

/*
 * next_batch
 *		The number of the target's next batch in its ledger.
 */
static int32
next_batch(const PdTarget *target)
{
	bool		isnull;

	if (target->context == PD_TENANT)
		pd_spi_query("SELECT coalesce(max(l.batch), 0) + 1 AS batch"
					 " FROM publicdigit.installation AS i"
					 " JOIN publicdigit.tenant_migration AS l ON l.installation_id = i.id"
					 " WHERE i.tenant_id = $1",
					 PD_ARGS(pd_uuid(&target->tenant.id)));
	else
		pd_spi_query("SELECT coalesce(max(batch), 0) + 1 AS batch"
					 " FROM publicdigit.landlord_migration", NULL, 0);
	return DatumGetInt32(pd_spi_datum(0, "batch", &isnull));
}

/* The two ledgers have the same columns. */
#define RECORD_IN(ledger) \
	"INSERT INTO publicdigit." ledger \
	" (installation_id, migration, version, batch, checksum, duration)" \
	" SELECT $1, $2, v.version, $4, $5, make_interval(secs => $6)" \
	" FROM publicdigit.module_version AS v WHERE v.id = $3"

/*
 * record_migration
 *		Enter a migration into the target's ledger.
 */
static void
record_migration(const PdTarget *target, int64 installation,
				 const PdVersion *version, const PdScript *script,
				 int32 batch, TimestampTz started)
{
	long		seconds;
	int			microseconds;
	double		duration;

	TimestampDifference(started, GetCurrentTimestamp(), &seconds, &microseconds);
	duration = seconds + microseconds / 1000000.0;

	pd_spi_query(target->context == PD_TENANT ?
				 RECORD_IN("tenant_migration") : RECORD_IN("landlord_migration"),
				 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installation)),
						 pd_text(script->migration),
						 pd_datum(INT8OID, Int64GetDatum(version->id)),
						 pd_datum(INT4OID, Int32GetDatum(batch)),
						 pd_text(script->checksum),
						 pd_datum(FLOAT8OID, Float8GetDatum(duration))));
}

/*
 * ensure_tables_made
 *		An error (22023) for a table that the manifest names and that no
 *		script has made: there is none, or it is another module's.
 */
static void
ensure_tables_made(const PdScriptRun *run)
{
	ListCell   *cell;

	foreach(cell, run->manifest->tables)
	{
		const PdTableSpec *spec = lfirst(cell);
		Oid			relid = get_relname_relid(spec->name, run->schema);
		char		relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';

		if ((relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE) ||
			!list_member_oid(run->created, relid))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("no script of module \"%s\" makes the table \"%s\"",
							run->manifest->name, spec->name),
					 errdetail("The manifest names it under \"tables\"."),
					 errhint("Create the table in a migration, or take its name out of module.json.")));
	}
}

/*
 * install_one
 *		Install one version: its row, its migrations with their ledger, its
 *		grants, and the check of what came of it.
 */
static void
install_one(const PdTarget *target, const PdVersion *version, int32 batch)
{
	PdModuleSource *source = version->source;
	PdTargetWork work;
	PdScriptRun run;
	int64		installation;
	bool		isnull;
	ListCell   *cell;

	pd_target_begin_work(&work, "installation", source->manifest, target);
	pd_spi_query("INSERT INTO publicdigit.installation (context, tenant_id, module, version_id)"
				 " VALUES ($1, $2, $3, $4) RETURNING id",
				 PD_ARGS(pd_text(pd_context_name(target->context)),
						 pd_uuid(pd_target_tenant(target)),
						 pd_text(source->manifest->name),
						 pd_datum(INT8OID, Int64GetDatum(version->id))));
	installation = DatumGetInt64(pd_spi_datum(0, "id", &isnull));

	pd_script_start(&run, target->context, &target->tenant, source->manifest);
	foreach(cell, source->scripts)
	{
		const PdScript *script = lfirst(cell);
		const PdScript *verify;
		TimestampTz started = GetCurrentTimestamp();

		if (script->kind != PD_SCRIPT_UP)
			continue;
		pd_script_execute(&run, script);
		verify = pd_find_script(source, PD_SCRIPT_VERIFY, script->migration);
		if (verify != NULL)
			pd_script_execute(&run, verify);
		record_migration(target, installation, version, script, batch, started);
	}

	ensure_tables_made(&run);
	pd_finish_run(&run);
	pd_module_objects_record(&run, installation);
	pd_grant_tables(source->manifest, pd_target_schema(target));
	if (target->context == PD_TENANT)
		warn_of_unnamed_tables(&run);
	warn_of_keys(&run);
	pd_target_end_work(&work);
}

/*
 * ensure_fits
 *		An error (55000) unless the version that is installed, or will be, is
 *		in a range.
 */
static void
ensure_fits(const char *version, bool is_installed,
			const PdRequirement *requirement, const PdManifest *by)
{
	const char *problem;
	PdRange    *range = pd_range_parse(requirement->range, &problem);

	if (range == NULL)
		elog(ERROR, "range \"%s\" is malformed: %s", requirement->range, problem);
	if (!pd_range_contains(range, version))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" version %s requires module \"%s\" in the range \"%s\"",
						by->name, by->version, requirement->module, requirement->range),
				 is_installed ?
				 errdetail("Version %s is installed.", version) :
				 errdetail("Version %s would be installed, which another module requires.", version)));
}

/*
 * planned
 *		The version of a module that a plan installs, or NULL.
 */
static PdVersion *
planned(List *steps, const char *module)
{
	ListCell   *cell;

	foreach(cell, steps)
	{
		PdVersion  *version = lfirst(cell);

		if (strcmp(version->source->manifest->name, module) == 0)
			return version;
	}
	return NULL;
}

/*
 * plan_installation
 *		Add a version to the steps and, before it, what it requires and is not
 *		there.  Everything is decided here, before the first script runs.
 *		"path" holds the names of the modules whose requirements led here.
 */
static List *
plan_installation(const PdTarget *target, PdVersion *version, List *path,
				  List *steps)
{
	const PdManifest *manifest = version->source->manifest;
	ListCell   *cell;

	check_stack_depth();
	foreach(cell, path)
	{
		if (strcmp(lfirst(cell), manifest->name) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("module \"%s\" requires itself by way of module \"%s\"",
							manifest->name, (char *) llast(path))));
	}
	path = lappend(list_copy(path), manifest->name);

	foreach(cell, manifest->requires)
	{
		const PdRequirement *requirement = lfirst(cell);
		PdVersion  *required;
		PdVersion  *before = planned(steps, requirement->module);
		PdContextKind context;
		PdInstallation *installed;

		if (before != NULL)
		{
			ensure_fits(before->source->manifest->version, false, requirement, manifest);
			continue;
		}
		required = pd_version_find_in_range(requirement, manifest);
		context = required->source->manifest->context;
		installed = pd_installation_find(requirement->module,
										 context == PD_TENANT ? pd_target_tenant(target) : NULL);

		if (context == PD_TENANT && target->context == PD_LANDLORD)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("module \"%s\" of the landlord requires module \"%s\" of tenants",
							manifest->name, requirement->module)));
		if (installed != NULL)
			ensure_fits(installed->version, true, requirement, manifest);
		else if (context == target->context)
			steps = plan_installation(target, required, path, steps);
		else
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("module \"%s\" requires the landlord's module \"%s\", which is not installed",
							manifest->name, requirement->module),
					 errdetail("Installing for a tenant never changes the landlord."),
					 errhint("Run SELECT publicdigit.install_module('%s') first.",
							 requirement->module)));
	}
	return lappend(steps, version);
}

/*
 * report_installed
 *		What is installed already is a notice; another version of it is not
 *		what was asked for (55000).
 */
static void
report_installed(const PdTarget *target, const PdInstallation *installed,
				 const char *module, const char *version)
{
	if (version == NULL || strcmp(version, installed->version) == 0)
		ereport(NOTICE,
				(errmsg("module \"%s\" version %s is already installed for %s",
						module, installed->version, pd_target_name(target))));
	else
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" is installed for %s in version %s",
						module, pd_target_name(target), installed->version),
				 errhint("Uninstall it first to install version %s.", version)));
}

/*
 * install_module(module, tenant DEFAULT '@current', version DEFAULT NULL)
 *		Install a module and what it requires.
 *		Errors: 22004, 22023, 42704, 55000, PD001, and those of the scripts.
 */
PD_TENANT_FUNCTION(pd_install_module, 1, PD_ALLOW_LANDLORD | PD_ALLOW_UNBOUND)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	char	   *version_text = PG_ARGISNULL(2) ? NULL :
		text_to_cstring(PG_GETARG_TEXT_PP(2));
	PdVersion  *version;
	PdTarget	target;
	PdInstallation *installed;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	version = pd_version_find(module, version_text);
	pd_target_resolve(ref, version->source->manifest, &target);
	pd_target_lock(&target, PD_TARGET_ADD);

	installed = pd_installation_find(module, pd_target_tenant(&target));
	if (installed != NULL)
		report_installed(&target, installed, module, version_text);
	else
	{
		List	   *steps = plan_installation(&target, version, NIL, NIL);
		int32		batch = next_batch(&target);
		ListCell   *cell;

		foreach(cell, steps)
			install_one(&target, lfirst(cell), batch);
	}
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * seed_module(module, tenant DEFAULT '@current') → integer
 *		Run the seed scripts of the installed version that have not run yet.
 *		Errors: 22004, 22023, 42704, 55000, and those of the scripts.
 */
PD_TENANT_FUNCTION(pd_seed_module, 1, PD_ALLOW_LANDLORD | PD_ALLOW_UNBOUND)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	PdVersion  *version;
	PdTarget	target;
	PdInstallation *installed;
	PdTargetWork work;
	PdScriptRun run;
	ListCell   *cell;
	int32		count = 0;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	version = pd_version_find(module, NULL);
	pd_target_resolve(ref, version->source->manifest, &target);
	pd_target_lock(&target, PD_TARGET_ADD);

	installed = pd_installation_find(module, pd_target_tenant(&target));
	if (installed == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" is not installed for %s",
						module, pd_target_name(&target)),
				 errhint("Install it with publicdigit.install_module() first.")));
	version = pd_version_load(installed->version_id);

	pd_target_begin_work(&work, "seeding", version->source->manifest, &target);
	pd_script_start(&run, target.context, &target.tenant, version->source->manifest);
	foreach(cell, version->source->scripts)
	{
		const PdScript *script = lfirst(cell);

		if (script->kind != PD_SCRIPT_SEED ||
			pd_spi_query("INSERT INTO publicdigit.seed (installation_id, path, checksum)"
						 " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
						 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installed->id)),
								 pd_text(script->path),
								 pd_text(script->checksum))) == 0)
			continue;
		pd_script_execute(&run, script);
		count++;
	}
	pd_finish_run(&run);
	pd_target_end_work(&work);
	pd_spi_end(&spi);
	PG_RETURN_INT32(count);
}
