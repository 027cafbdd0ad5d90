/*-------------------------------------------------------------------------
 *
 * search_path.c
 *	  The search_path of a tenant and of the landlord.
 *
 * A tenant's path is its own schema, then the landlord's, then pg_temp: last,
 * so that nobody shadows a table with a temporary one.  It never names two
 * tenants.  Only C code without a SET clause may set it: a function that is
 * declared with SET search_path undoes its own SET LOCAL when it returns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "catalog.h"
#include "compat.h"
#include "search_path.h"

/*
 * pd_search_path
 *		The path of a tenant, or of the landlord (NULL).
 */
char *
pd_search_path(const PdTenant *tenant)
{
	if (tenant == NULL)
		return psprintf("%s, pg_temp", PD_LANDLORD_SCHEMA);
	return psprintf("%s, %s, pg_temp",
					quote_identifier(NameStr(tenant->schema)),
					PD_LANDLORD_SCHEMA);
}

/*
 * pd_set_search_path
 *		As SET (LOCAL) search_path.
 */
void
pd_set_search_path(const char *path, GucAction action)
{
	(void) set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION,
							 action, true, 0, false);
}

/*
 * pd_reset_search_path
 *		As RESET search_path.
 */
void
pd_reset_search_path(void)
{
	(void) set_config_option("search_path", NULL, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SET, true, 0, false);
}

/*
 * pd_ensure_schema_usable
 *		An error unless the schema exists and the current user may use it.
 *
 * The path would silently fall through to the next schema otherwise.
 */
void
pd_ensure_schema_usable(const char *schema)
{
	Oid			nspid = get_namespace_oid(schema, true);

	if (!OidIsValid(nspid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", schema),
				 errdetail("It was dropped or renamed by other means than publicdigit.drop_tenant()."),
				 errhint("Restore it from a backup, or drop the tenant.")));

	if (pd_schema_aclcheck(nspid, GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for schema %s", schema),
				 errhint("Grant the role membership in the app role that publicdigit.setup() named.")));
}
