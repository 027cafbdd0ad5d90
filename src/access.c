/*-------------------------------------------------------------------------
 *
 * access.c
 *	  Who may enter a tenant: grant_tenant_access and revoke_tenant_access.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "catalog.h"
#include "spi.h"
#include "tenant_ref.h"

/*
 * role_argument
 *		The role of the first argument, written as it is stored; 22004 for
 *		null.
 */
static char *
role_argument(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("role must not be null")));
	return pstrdup(NameStr(*PG_GETARG_NAME(0)));
}

/*
 * granted_tenant
 *		The tenant that a grant is for; NULL for every tenant.
 */
static const pg_uuid_t *
granted_tenant(const PdTenantRef *ref)
{
	return ref->kind == PD_REF_ALL ? NULL : &ref->tenant.id;
}

/*
 * grant_tenant_access(role, tenant, token_only DEFAULT false)
 *		Let a role and its members enter a tenant, or every tenant (*).  A
 *		second grant replaces the first.  Errors: 22004, 42704.
 */
PD_TENANT_FUNCTION(pd_grant_tenant_access, 1, PD_ALLOW_ALL)
{
	char	   *role = role_argument(fcinfo);
	PdSpi		spi;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("token_only must not be null")));
	(void) get_role_oid(role, false);

	pd_spi_begin(&spi);
	pd_spi_query("INSERT INTO publicdigit.access (role_name, tenant_id, token_only)"
				 " VALUES ($1, $2, $3)"
				 " ON CONFLICT (tenant_id, role_name)"
				 " DO UPDATE SET token_only = excluded.token_only",
				 PD_ARGS(pd_text(role), pd_uuid(granted_tenant(ref)),
						 pd_datum(BOOLOID, PG_GETARG_DATUM(2))));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * revoke_tenant_access(role, tenant)
 *		Take a grant back.  That of a role which no longer exists can be taken
 *		back, too.  Errors: 22004, 42704.
 */
PD_TENANT_FUNCTION(pd_revoke_tenant_access, 1, PD_ALLOW_ALL)
{
	char	   *role = role_argument(fcinfo);
	PdSpi		spi;

	pd_spi_begin(&spi);
	if (pd_spi_query("DELETE FROM publicdigit.access"
					 " WHERE role_name = $1 AND tenant_id IS NOT DISTINCT FROM $2",
					 PD_ARGS(pd_text(role), pd_uuid(granted_tenant(ref)))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" has no grant for tenant \"%s\"", role,
						ref->kind == PD_REF_ALL ? "*" : ref->tenant.slug),
				 errhint("The view publicdigit.tenant_access lists the grants.")));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}
