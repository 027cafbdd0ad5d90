/*-------------------------------------------------------------------------
 *
 * entry.c
 *	  Who may enter a tenant.
 *
 * It is the session user that counts, who has logged in, and not the current
 * one: SET ROLE and functions declared SECURITY DEFINER open nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "entry.h"
#include "token.h"

/*
 * pd_ensure_may_enter
 *		An error (42501) unless a role may enter a tenant, with a token or
 *		without one.
 */
void
pd_ensure_may_enter(const PdTenant *tenant, Oid role, bool with_token)
{
	PdAccess	access;

	if (superuser_arg(role))
		return;

	access = pd_tenant_access(&tenant->id, role);
	if (access == PD_ACCESS_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may not enter tenant \"%s\"",
						GetUserNameFromId(role, false), tenant->slug),
				 errhint("An administrator can allow it with publicdigit.grant_tenant_access('%s', '%s').",
						 GetUserNameFromId(role, false), tenant->slug)));
	if (with_token)
		return;
	if (access == PD_ACCESS_TOKEN_ONLY || pd_token_is_required())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("role \"%s\" may enter tenant \"%s\" with a token only",
						GetUserNameFromId(role, false), tenant->slug),
				 access == PD_ACCESS_TOKEN_ONLY ?
				 errdetail("The role, or one that it is a member of, was granted access with token_only.") :
				 errdetail("publicdigit.require_token is on."),
				 errhint("Get a token from the application that holds the key, and call publicdigit.use_token().")));
}
