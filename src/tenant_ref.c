/*-------------------------------------------------------------------------
 *
 * tenant_ref.c
 *	  What a tenant argument of an SQL function refers to.
 *
 * As text a tenant is its slug, its id, @current or @landlord.  Null is an
 * error and never the bound tenant or all of them: what found no tenant, such
 * as find_tenant() of an unknown host, must not hit another one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/uuid.h"

#include "binding.h"
#include "catalog.h"
#include "tenant_ref.h"

/*
 * pd_reads_as_uuid
 *		Would type uuid accept this text?  Its forms are 32 hexadecimal
 *		digits, in braces or not, with a hyphen allowed after each four.
 */
bool
pd_reads_as_uuid(const char *text)
{
	int			digits = 0;
	size_t		len = strlen(text);

	if (len > 1 && text[0] == '{' && text[len - 1] == '}')
	{
		text++;
		len -= 2;
	}
	for (size_t i = 0; i < len; i++)
	{
		if (isxdigit((unsigned char) text[i]))
			digits++;
		else if (text[i] != '-' || digits == 0 || digits % 4 != 0 ||
				 text[i - 1] == '-' || i + 1 == len)
			return false;
	}
	return digits == 32;
}

/*
 * pd_no_such_tenant
 *		Raise 42704 for a tenant that does not exist.
 */
void
pd_no_such_tenant(const char *named)
{
	/* Errors are logged, and a token must not be. */
	if (strlen(named) > 2 * PD_SLUG_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("tenant does not exist"),
				 errdetail("The text is longer than a slug or an id."),
				 errhint("A token goes to publicdigit.use_token().")));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("tenant \"%s\" does not exist", named),
			 strcmp(named, "landlord") == 0 ?
			 errhint("No tenant can have this name; where a function takes the landlord, write @landlord.") :
			 errhint("A tenant is named by its slug or its id; the view publicdigit.tenants lists both.")));
}

/*
 * ensure_not_null
 *		Raise 22004 for a null tenant.
 */
static void
ensure_not_null(FunctionCallInfo fcinfo, int argno)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("tenant must not be null"),
				 errhint("Name a tenant by its slug or its id.")));
}

/*
 * current_tenant_ref
 *		What "@current" is: the bound tenant.
 */
static void
current_tenant_ref(int allow, PdTenantRef *ref)
{
	const PdBinding *binding = pd_binding();

	ref->is_current = true;
	if (binding->kind == PD_BOUND_TENANT)
	{
		pg_uuid_t	id = binding->tenant;

		ref->kind = PD_REF_TENANT;
		if (!pd_tenant_by_id(&id, &ref->tenant))
			pd_no_such_tenant("@current");
	}
	else if (allow & PD_ALLOW_UNBOUND)
		ref->kind = PD_REF_UNBOUND;
	else
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no tenant is bound"),
				 errhint("Name the tenant, or bind one with publicdigit.use_tenant() first.")));
}

/*
 * pd_tenant_ref_from_text
 *		Resolve an argument of type text; raises for null, for an unknown
 *		tenant and for what the function does not take.
 */
void
pd_tenant_ref_from_text(FunctionCallInfo fcinfo, int argno, int allow,
						PdTenantRef *ref)
{
	char	   *named;

	pd_catalog_set_up();
	ensure_not_null(fcinfo, argno);
	named = text_to_cstring(PG_GETARG_TEXT_PP(argno));
	MemSet(ref, 0, sizeof(PdTenantRef));

	if (strcmp(named, "@current") == 0)
		current_tenant_ref(allow, ref);
	else if (strcmp(named, "@landlord") == 0 && (allow & PD_ALLOW_LANDLORD))
		ref->kind = PD_REF_LANDLORD;
	else if (strcmp(named, "*") == 0 && (allow & PD_ALLOW_ALL))
		ref->kind = PD_REF_ALL;
	else if (named[0] == '@' || strcmp(named, "*") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tenant \"%s\" is not allowed here", named),
				 strcmp(named, "@landlord") == 0 ?
				 errhint("This function works on one tenant; to work as the landlord call publicdigit.use_landlord().") :
				 errhint("Name a tenant by its slug or its id, or write @current for the bound tenant.")));
	else
	{
		bool		found;

		ref->kind = PD_REF_TENANT;
		if (pd_reads_as_uuid(named))
			found = pd_tenant_by_id(DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(named))),
									&ref->tenant);
		else
			found = pd_tenant_by_slug(named, &ref->tenant);
		if (!found)
			pd_no_such_tenant(named);
	}
}

/*
 * pd_tenant_ref_from_uuid
 *		Resolve an argument of type uuid; raises for null and for an unknown
 *		tenant.
 */
void
pd_tenant_ref_from_uuid(FunctionCallInfo fcinfo, int argno, PdTenantRef *ref)
{
	pg_uuid_t  *id;

	pd_catalog_set_up();
	ensure_not_null(fcinfo, argno);
	id = PG_GETARG_UUID_P(argno);
	MemSet(ref, 0, sizeof(PdTenantRef));
	ref->kind = PD_REF_TENANT;
	if (!pd_tenant_by_id(id, &ref->tenant))
		pd_no_such_tenant(DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id))));
}
