/*-------------------------------------------------------------------------
 *
 * install.c
 *	  The SQL functions that change which modules a tenant, or the landlord, has.
 *
 * Each finds out for whom it is, takes the lock, plans all of it, and has the
 * plan carried out, in the caller's transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "apply.h"
#include "install.h"
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
 * pd_version_argument
 *		A version, or NULL for null.
 */
char *
pd_version_argument(FunctionCallInfo fcinfo, int argno)
{
	return PG_ARGISNULL(argno) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/*
 * pd_module_target
 *		For whom a registered module is meant, locked until the transaction
 *		ends.  Errors: 42704, 22023, 55000.
 */
void
pd_module_target(const PdTenantRef *ref, const char *module, PdTargetLock lock,
				 PdTarget *target)
{
	/* No version is locked before the target is: see pd_target_lock. */
	pd_target_resolve(ref, module, pd_module_context(module), target);
	pd_target_lock(target, lock);
}

/*
 * install_module(module, tenant DEFAULT '@current', version DEFAULT NULL)
 *		Install a module and what it requires.
 *		Errors: 22004, 22023, 42704, 55000, PD001, PD003, and those of the scripts.
 */
PD_TENANT_FUNCTION(pd_install_module, 1, PD_ALLOW_LANDLORD | PD_ALLOW_UNBOUND)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	char	   *version = pd_version_argument(fcinfo, 2);
	PdTarget	target;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_module_target(ref, module, PD_TARGET_ADD, &target);
	pd_apply(&target, pd_plan_install(&target, module, version),
			 pd_ledger_next_batch(&target));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * upgrade_module(module, tenant DEFAULT '@current', version DEFAULT NULL)
 *		Bring a module to a higher version, or the highest.
 *		Errors: those of install_module, 2BP01, PD002.
 */
PD_TENANT_FUNCTION(pd_upgrade_module, 1, PD_ALLOW_LANDLORD | PD_ALLOW_UNBOUND)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	char	   *version = pd_version_argument(fcinfo, 2);
	PdTarget	target;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_module_target(ref, module, PD_TARGET_CHANGE, &target);
	pd_apply(&target, pd_plan_upgrade(&target, module, version),
			 pd_ledger_next_batch(&target));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * downgrade_module(module, tenant, version)
 *		Bring a module to a lower version by its down scripts.
 *		Errors: 22004, 22023, 42704, 55000, 2BP01, PD002, and those of the scripts.
 */
PD_TENANT_FUNCTION(pd_downgrade_module, 1, PD_ALLOW_LANDLORD)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	char	   *version = pd_version_argument(fcinfo, 2);
	PdTarget	target;
	PdSpi		spi;

	if (version == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("version must not be null"),
				 errhint("Name the version to go down to; the view publicdigit.modules lists those there are.")));

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_module_target(ref, module, PD_TARGET_CHANGE, &target);
	pd_apply(&target, pd_plan_downgrade(&target, module, version),
			 pd_ledger_next_batch(&target));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * uninstall_module(module, tenant, cascade DEFAULT false)
 *		Undo a module's migrations and forget its installation, or put it into
 *		the archive, as its manifest says.
 *		Errors: 22004, 22023, 42704, 55000, 2BP01, PD002, and those of the scripts.
 */
PD_TENANT_FUNCTION(pd_uninstall_module, 1, PD_ALLOW_LANDLORD)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	PdTarget	target;
	PdSpi		spi;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("cascade must not be null")));

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_module_target(ref, module, PD_TARGET_CHANGE, &target);
	pd_apply(&target, pd_plan_uninstall(&target, module, PG_GETARG_BOOL(2)),
			 pd_ledger_next_batch(&target));
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
	PdTarget	target;
	int			count;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_module_target(ref, module, PD_TARGET_ADD, &target);
	count = pd_apply(&target, pd_plan_seed(&target, module), 0);
	pd_spi_end(&spi);
	PG_RETURN_INT32(count);
}

/*
 * set_enabled
 *		Let the app role use an installed module, or not; a notice where that is
 *		so already.  Errors: 55000, 2BP01.
 */
static void
set_enabled(const PdTarget *target, const char *module, bool enable)
{
	PdInstallation *installed = pd_plan_installed(target, module);
	PdVersion  *version = pd_version_load(installed->version_id);
	const char *schema = pd_target_schema(target);

	if ((installed->status == PD_INSTALLED) == enable)
	{
		ereport(NOTICE,
				(errmsg("module \"%s\" is already %s for %s", module,
						enable ? "enabled" : "disabled", pd_target_name(target))));
		return;
	}
	pd_plan_ensure_may_be(target, version, enable);
	if (enable)
		pd_grant_privileges(version->source->manifest, schema);
	else
		pd_revoke_privileges(version->source->manifest, NULL, schema);
	pd_spi_query("UPDATE publicdigit.installation SET status = $2 WHERE id = $1",
				 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installed->id)),
						 pd_text(enable ? "installed" : "disabled")));
}

/*
 * enable_or_disable
 *		The body of both functions.
 */
static Datum
enable_or_disable(FunctionCallInfo fcinfo, const PdTenantRef *ref, bool enable)
{
	char	   *module = pd_module_argument(fcinfo, 0);
	PdTarget	target;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_module_target(ref, module, PD_TARGET_CHANGE, &target);
	set_enabled(&target, module, enable);
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * enable_module(module, tenant)
 *		Let the app role use a module again.  Errors: 22004, 22023, 42704, 55000.
 */
PD_TENANT_FUNCTION(pd_enable_module, 1, PD_ALLOW_LANDLORD)
{
	return enable_or_disable(fcinfo, ref, true);
}

/*
 * disable_module(module, tenant)
 *		Keep the app role from using a module, whose tables stay.
 *		Errors: 22004, 22023, 42704, 55000, 2BP01.
 */
PD_TENANT_FUNCTION(pd_disable_module, 1, PD_ALLOW_LANDLORD)
{
	return enable_or_disable(fcinfo, ref, false);
}
