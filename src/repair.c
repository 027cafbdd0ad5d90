/*-------------------------------------------------------------------------
 *
 * repair.c
 *	  What somebody says of migrations that did not run: accept_migration.
 *
 * A script that has changed since it was applied stops every upgrade.  Where the
 * change makes no difference to what is there, it can be accepted: for one tenant
 * or the landlord, with a reason, which the ledger's history keeps.  Nothing here
 * says of a script that it is applied when it is not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "install.h"
#include "ledger.h"
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
	pd_spi_query("UPDATE publicdigit.installation SET head = $2 WHERE id = $1",
				 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installed->id)),
						 pd_text(ledger->head)));
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
