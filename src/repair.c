/*-------------------------------------------------------------------------
 *
 * repair.c
 *	  What is entered in the ledger although no script runs: accept_migration and
 *	  baseline_module.
 *
 * A script that has changed since it was applied stops every upgrade.  Where the
 * change makes no difference to what is there, it can be accepted: for one tenant
 * or the landlord, with a reason, which the ledger's history keeps.
 *
 * A tenant whose tables are there already, made by whatever was used before, is
 * given the ledger that an installation would have left.  Nobody's word is taken
 * for it: what is there must be just what the version would have made.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "apply.h"
#include "drift.h"
#include "install.h"
#include "ledger.h"
#include "module_object.h"
#include "resolver.h"
#include "spi.h"

/*
 * text_argument
 *		A text that must not be null (22004) nor empty (22023).
 */
static char *
text_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	char	   *value;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	value = text_to_cstring(PG_GETARG_TEXT_PP(argno));
	if (value[strspn(value, " \t\r\n")] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", name)));
	return value;
}

/*
 * changed_script
 *		The script that the highest version now has for a migration.
 *		Errors: 55000 where it has none.
 */
static const PdScript *
changed_script(const PdVersion *version, const char *migration)
{
	const PdManifest *manifest = version->source->manifest;
	const PdScript *script = pd_version_script(version, PD_SCRIPT_UP, migration);

	if (script == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %s of module \"%s\" has no migration \"%s\"",
						manifest->version, manifest->name, migration),
				 errdetail("It is the highest registered version, whose script would be accepted.")));
	return script;
}

/*
 * accept
 *		Enter the checksum of a changed script in place of that of the one that
 *		was applied.  Errors: 42704, 55000, PD002.
 */
static void
accept(const PdTarget *target, const char *module, const char *migration,
	   const char *reason)
{
	PdInstallation *installed = pd_plan_installed(target, module);
	PdLedger   *ledger = pd_ledger_open(target, module, installed);
	const PdApplied *applied = pd_ledger_find(ledger, migration);
	PdVersion  *version = pd_version_find(module, NULL);
	const PdScript *script;
	PdLedgerEntry entry = {0};

	if (applied == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("migration \"%s\" of module \"%s\" is not applied for %s",
						migration, module, pd_target_name(target)),
				 errhint("The view publicdigit.migrations lists what is applied.")));
	script = changed_script(version, migration);
	if (strcmp(applied->checksum, script->checksum) == 0)
	{
		ereport(NOTICE,
				(errmsg("migration \"%s\" of module \"%s\" has not changed since it was applied for %s",
						migration, module, pd_target_name(target))));
		return;
	}

	entry.version = version->source->manifest->version;
	entry.version_id = version->id;
	entry.migration = migration;
	entry.checksum = script->checksum;
	entry.statements = script->statements;
	entry.batch = applied->batch;
	entry.seconds = -1;
	entry.reason = reason;
	pd_ledger_replace(ledger, &entry, "accepted");
	pd_ledger_keep_head(ledger);
}

/*
 * accept_migration(module, migration, tenant, reason)
 *		Accept a harmless change of a migration's script that is applied.
 *		Errors: 22004, 22023, 42704, 55000, PD002.
 */
PD_TENANT_FUNCTION(pd_accept_migration, 2, PD_ALLOW_LANDLORD)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	char	   *migration = text_argument(fcinfo, 1, "migration");
	char	   *reason = text_argument(fcinfo, 3, "reason");
	PdTarget	target;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_module_target(ref, module, PD_TARGET_CHANGE, &target);
	accept(&target, module, migration, reason);
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/* How many differences an error tells of. */
#define MAX_DIFFERENCES		20

/*
 * ensure_same
 *		An error (55000) where what is there is not what the version would have
 *		made; else what that is, of PdModuleObject.
 */
static List *
ensure_same(const PdTarget *target, PdVersion *version)
{
	const PdManifest *manifest = version->source->manifest;
	List	   *objects;
	List	   *differences = pd_drift_compare(target, version, &objects);
	StringInfoData detail;
	ListCell   *cell;

	if (differences == NIL)
		return objects;
	initStringInfo(&detail);
	foreach(cell, differences)
	{
		const PdDifference *difference = lfirst(cell);

		if (foreach_current_index(cell) == MAX_DIFFERENCES)
		{
			appendStringInfo(&detail, "\nand %d more.",
							 list_length(differences) - MAX_DIFFERENCES);
			break;
		}
		appendStringInfo(&detail, "%s%s: %s", detail.len > 0 ? "\n" : "",
						 difference->difference, difference->object);
		if (difference->expected != NULL)
			appendStringInfo(&detail, ", expected %s", difference->expected);
		if (difference->actual != NULL)
			appendStringInfo(&detail, ", found %s", difference->actual);
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("%s does not have what version %s of module \"%s\" would have made",
					pd_target_name(target), manifest->version, manifest->name),
			 errdetail_internal("%s", detail.data),
			 errhint("Give the tables the owner role as owner, put tenants' tables under publicdigit.protect_table(), grant the app role what the manifest says, and alter what else differs.")));
}

/*
 * ensure_alone
 *		An error (55000) unless nothing but this version is to be installed.
 */
static PdVersion *
ensure_alone(const PdTarget *target, const char *module, const char *version)
{
	List	   *versions = pd_resolve(target, module, version);
	ListCell   *cell;

	foreach(cell, versions)
	{
		const PdManifest *manifest = ((PdVersion *) lfirst(cell))->source->manifest;

		if (strcmp(manifest->name, module) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("module \"%s\" requires module \"%s\", which is not there as it has to be for %s",
							module, manifest->name, pd_target_name(target)),
					 errdetail("It would have to be in version %s.", manifest->version),
					 errhint("Install it, upgrade it, or call publicdigit.baseline_module() for it first.")));
	}
	return linitial(versions);
}

/*
 * enter_objects
 *		Write down what the module consists of.
 */
static void
enter_objects(int64 installation, const List *objects)
{
	ListCell   *cell;

	foreach(cell, objects)
	{
		const PdModuleObject *object = lfirst(cell);

		pd_spi_query("INSERT INTO publicdigit.module_object (installation_id, type, identity, migration)"
					 " VALUES ($1, $2, $3, $4)",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installation)),
							 pd_text(object->type), pd_text(object->identity),
							 pd_text(object->migration)));
	}
}

/*
 * baseline
 *		Enter a version as installed that is there already.
 */
static void
baseline(const PdTarget *target, PdVersion *version, const List *objects)
{
	const PdManifest *manifest = version->source->manifest;
	PdLedger   *ledger = pd_ledger_open(target, manifest->name, NULL);
	int32		batch = pd_ledger_next_batch(target);
	ListCell   *cell;

	ledger->installation = pd_installation_enter(target, version);
	foreach(cell, version->source->scripts)
	{
		const PdScript *script = lfirst(cell);
		PdLedgerEntry entry = {0};

		if (!pd_script_is_applied(script))
			continue;
		entry.version = manifest->version;
		entry.version_id = version->id;
		entry.migration = script->migration;
		entry.checksum = script->checksum;
		entry.statements = script->statements;
		entry.batch = batch;
		entry.seconds = -1;
		pd_ledger_add(ledger, &entry, "baselined");
	}
	pd_ledger_keep_head(ledger);
	enter_objects(ledger->installation, objects);
}

/*
 * baseline_module(module, tenant, version)
 *		Enter a version as installed whose tables are there already, once they
 *		have been compared with what it would have made.
 *		Errors: 22004, 22023, 42704, 42710, 55000.
 */
PD_TENANT_FUNCTION(pd_baseline_module, 1, PD_ALLOW_LANDLORD)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	char	   *version_text = text_argument(fcinfo, 2, "version");
	PdTarget	target;
	PdInstallation *installed;
	PdVersion  *version;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_module_target(ref, module, PD_TARGET_ADD, &target);
	installed = pd_installation_find(module, pd_target_tenant(&target));
	if (installed != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("module \"%s\" is installed for %s in version %s%s", module,
						pd_target_name(&target), installed->version,
						installed->status == PD_ARCHIVED ? ", and in the archive" : ""),
				 installed->status == PD_ARCHIVED ?
				 errhint("Bring it back with publicdigit.install_module(), or throw it away by calling uninstall_module with cascade => true.") :
				 errhint("Its ledger is there; publicdigit.upgrade_module() and publicdigit.downgrade_module() lead to another version.")));
	version = ensure_alone(&target, module, version_text);
	pd_plan_ensure_may_be(&target, version, true);
	baseline(&target, version, ensure_same(&target, version));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}
