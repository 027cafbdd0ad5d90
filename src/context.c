/*-------------------------------------------------------------------------
 *
 * context.c
 *	  The bound tenant: switching, and the check at the point of use.
 *
 * A check hook runs when a setting is set, and not when it comes back by
 * RESET, by ROLLBACK or at the end of a function; and what was right when it
 * was set may be so no more.  So current_tenant_id(), which every policy
 * calls, checks again: that the session user is the one who bound the tenant,
 * and may still enter it; that neither a running script, nor a seal, nor a
 * query that is running, nor deferred triggers hold the session to another
 * tenant; that the tenant is active, and a token has not expired.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"

#include "binding.h"
#include "catalog.h"
#include "context.h"
#include "deferred.h"
#include "entry.h"
#include "redact.h"
#include "registry.h"
#include "script_run.h"
#include "seal.h"
#include "search_path.h"
#include "tenant_ref.h"
#include "tied.h"
#include "token.h"

PG_FUNCTION_INFO_V1(pd_use_token);
PG_FUNCTION_INFO_V1(pd_use_landlord);
PG_FUNCTION_INFO_V1(pd_forget_tenant);
PG_FUNCTION_INFO_V1(pd_current_tenant_id);
PG_FUNCTION_INFO_V1(pd_ensure_tenant);
PG_FUNCTION_INFO_V1(pd_current_tenant);
PG_FUNCTION_INFO_V1(pd_context);
PG_FUNCTION_INFO_V1(pd_environment);

/*
 * flag_argument
 *		A boolean argument that must not be null.
 */
static bool
flag_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return PG_GETARG_BOOL(argno);
}

/*
 * contains_node
 *		Tree walker: is this very node part of an expression?
 */
static bool
contains_node(Node *node, void *sought)
{
	if (node == NULL)
		return false;
	if (node == sought)
		return true;
	return expression_tree_walker(node, contains_node, sought);
}

/*
 * plan_calls
 *		Is this call part of what a plan returns: of its target list, or a
 *		function in its FROM clause?
 */
static bool
plan_calls(Plan *plan, Node *call)
{
	for (; plan != NULL; plan = plan->lefttree)
	{
		if (contains_node((Node *) plan->targetlist, call) ||
			(IsA(plan, FunctionScan) &&
			 contains_node((Node *) ((FunctionScan *) plan)->functions, call)))
			return true;
	}
	return false;
}

/*
 * is_whole_statement
 *		Is this call part of what the statement that the client sent returns?
 *
 * Then nothing runs after it in the same transaction, unless there is a
 * transaction block.  A call from inside a function belongs to another plan.
 */
static bool
is_whole_statement(FunctionCallInfo fcinfo)
{
	PlannedStmt *stmt;

	if (ActivePortal == NULL || ActivePortal->strategy != PORTAL_ONE_SELECT)
		return false;
	stmt = linitial_node(PlannedStmt, ActivePortal->stmts);
	return plan_calls(stmt->planTree, fcinfo->flinfo->fn_expr);
}

/*
 * warn_about_switch
 *		Say what will keep a switch from doing what its caller wants.
 */
static void
warn_about_switch(FunctionCallInfo fcinfo, bool local, bool seal,
				  const char *function)
{
	if ((local || seal) && !IsTransactionBlock() && is_whole_statement(fcinfo))
		ereport(WARNING,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s with %s => true can only be used in transaction blocks",
						function, local ? "local" : "seal"),
				 local ? errhint("Use BEGIN first, or local => false to switch the session.") :
				 errhint("Use BEGIN first: a seal holds until the transaction ends.")));

	if (has_bypassrls_privilege(GetUserId()))
		ereport(WARNING,
				(errmsg("role \"%s\" bypasses row-level security",
						GetUserNameFromId(GetUserId(), false)),
				 errdetail("It sees and writes the rows of every tenant in tables that tenants share."),
				 errhint("Log in as a member of the app role for work on a tenant's data.")));
}

/*
 * ensure_may_switch
 *		An error unless this may be bound now: 42501 while a script runs for
 *		somebody else, 55000 while deferred triggers of another tenant are
 *		pending.
 */
static void
ensure_may_switch(PdBindingKind kind, const pg_uuid_t *tenant)
{
	pd_script_ensure_may_bind(kind, tenant);
	pd_deferred_ensure_may_bind(kind, tenant);
}

/*
 * ensure_may_work_as
 *		An error unless this session may work as a tenant now: 42501, 55000,
 *		3F000.
 */
static void
ensure_may_work_as(const PdTenant *tenant, bool with_token)
{
	pd_ensure_may_enter(tenant, GetSessionUserId(), with_token);
	pd_ensure_active(tenant);
	ensure_may_switch(PD_BOUND_TENANT, &tenant->id);
	pd_ensure_schema_usable(NameStr(tenant->schema));
}

/*
 * finish_switch
 *		A tenant has been bound: set its path, seal it, and return its id.
 */
static Datum
finish_switch(FunctionCallInfo fcinfo, const PdTenant *tenant, bool local,
			  bool seal, const char *function)
{
	pg_uuid_t  *result = palloc(sizeof(pg_uuid_t));

	pd_set_search_path(pd_search_path(tenant),
					   local ? GUC_ACTION_LOCAL : GUC_ACTION_SET);
	if (seal)
		pd_seal(&tenant->id);
	warn_about_switch(fcinfo, local, seal, function);

	*result = tenant->id;
	PG_RETURN_UUID_P(result);
}

/*
 * use_tenant(tenant, local DEFAULT true, seal DEFAULT false) → uuid
 *		Bind a tenant and set its search_path, for the transaction or (local
 *		=> false) the session; sealed, for the rest of the transaction without
 *		a way out.  Errors: 22004, 42704, 55000, 42501.
 */
PD_TENANT_FUNCTION(pd_use_tenant, 0, 0)
{
	bool		local = flag_argument(fcinfo, 1, "local");
	bool		seal = flag_argument(fcinfo, 2, "seal");

	ensure_may_work_as(&ref->tenant, false);
	pd_bind(PD_BOUND_TENANT, local ? PD_SCOPE_TRANSACTION : PD_SCOPE_SESSION,
			&ref->tenant.id);
	return finish_switch(fcinfo, &ref->tenant, local, seal, "use_tenant");
}

/*
 * token_argument
 *		The token of the first argument: 22004 for null, 28000 for a text that
 *		is none, as the setting's own values are.
 */
static char *
token_argument(FunctionCallInfo fcinfo)
{
	char	   *token;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("token must not be null")));
	token = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (strchr(token, '.') == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
				 errmsg("invalid token"),
				 errdetail("It is no JSON Web Token, or not a whole one."),
				 errhint("Pass the token whole, as the application or publicdigit.issue_token() has made it.")));
	return token;
}

/*
 * use_token(token, local DEFAULT true, seal DEFAULT false) → uuid
 *		As use_tenant, for the tenant that a token names.
 *		Errors: 22004, 28000, 42704, 55000, 42501.
 */
Datum
pd_use_token(PG_FUNCTION_ARGS)
{
	bool		local = flag_argument(fcinfo, 1, "local");
	bool		seal = flag_argument(fcinfo, 2, "seal");
	char	   *token;
	pg_uuid_t	id;
	PdTenant	tenant;

	token = token_argument(fcinfo);
	pd_redact_activity(token);	/* before an error shows it in the log */
	pd_token_ensure_possible();

	/* An error below takes the binding back. */
	pd_bind_token(token, local ? PD_SCOPE_TRANSACTION : PD_SCOPE_SESSION);
	id = pd_binding()->tenant;
	if (!pd_tenant_by_id(&id, &tenant))
		pd_no_such_tenant(DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&id))));
	ensure_may_work_as(&tenant, true);
	return finish_switch(fcinfo, &tenant, local, seal, "use_token");
}

/*
 * use_landlord(local DEFAULT true)
 *		Bind no tenant and set the landlord's search_path.
 *		Errors: 22004, 55000, 42501.
 */
Datum
pd_use_landlord(PG_FUNCTION_ARGS)
{
	bool		local = flag_argument(fcinfo, 0, "local");

	pd_catalog_set_up();
	ensure_may_switch(PD_BOUND_LANDLORD, NULL);
	pd_ensure_schema_usable(PD_LANDLORD_SCHEMA);

	pd_bind(PD_BOUND_LANDLORD, local ? PD_SCOPE_TRANSACTION : PD_SCOPE_SESSION,
			NULL);
	pd_set_search_path(pd_search_path(NULL),
					   local ? GUC_ACTION_LOCAL : GUC_ACTION_SET);
	warn_about_switch(fcinfo, local, false, "use_landlord");
	PG_RETURN_VOID();
}

/*
 * forget_tenant()
 *		End the binding of the transaction and of the session, and give the
 *		session the search_path that it logged in with.
 */
Datum
pd_forget_tenant(PG_FUNCTION_ARGS)
{
	ensure_may_switch(PD_BOUND_NOTHING, NULL);
	pd_unbind();
	pd_reset_search_path();
	PG_RETURN_VOID();
}

/*
 * check_use
 *		The checks that belong to the use of what is bound, done anew.
 */
static void
check_use(const PdBinding *current)
{
	PdBinding	binding = *current;	/* which may change on the way */
	PdTenant	tenant;

	pd_script_check_binding(&binding);
	pd_seal_ensure_may_bind(binding.kind, &binding.tenant);
	pd_tied_check_binding(&binding);
	if (binding.scope != PD_SCOPE_SCRIPT)
		pd_deferred_ensure_may_bind(binding.kind, &binding.tenant);

	if (binding.kind != PD_BOUND_TENANT)
		return;

	if (binding.role != GetSessionUserId())
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the bound tenant was bound by another session user"),
				 errhint("Call publicdigit.use_tenant() again as the session user of now.")));

	if (!pd_tenant_by_id(&binding.tenant, &tenant))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the bound tenant has been dropped"),
				 errhint("Call publicdigit.forget_tenant(), or bind another tenant.")));
	if (binding.scope != PD_SCOPE_SCRIPT)
		pd_ensure_may_enter(&tenant, binding.role, binding.scope == PD_SCOPE_TOKEN);
	pd_ensure_active(&tenant);
}

/*
 * report_expired
 *		Raise 28000 for a token that was valid when it was bound.
 */
static void
report_expired(const PdBinding *binding)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION),
			 errmsg("the token has expired"),
			 errdetail("It was valid until %s.", timestamptz_to_str(binding->expires)),
			 errhint("Bind the tenant with a new token.")));
}

/*
 * ensure_not_expired
 *		An error (28000) for a token that has expired.
 *
 * By the time at which the statement began, so that all parallel workers agree
 * with the leader; or the transaction, in a procedure that commits.
 */
static void
ensure_not_expired(const PdBinding *binding)
{
	if (binding->scope == PD_SCOPE_TOKEN &&
		(binding->expires <= GetCurrentStatementStartTimestamp() ||
		 binding->expires <= GetCurrentTransactionStartTimestamp()))
		report_expired(binding);
}

/*
 * pd_binding_check
 *		What is bound, after the checks that belong to its use, and the epoch
 *		for which they hold.
 *
 * Errors: 42501 when the session user is another one than at the switch, or
 * may no longer enter, or a script has left its tenant; 55000 when the tenant
 * is not active, or a seal, a running query or deferred triggers belong to
 * another one; 42704 when it has been dropped; 28000 when a token has expired.
 */
const PdBinding *
pd_binding_check(uint64 *epoch)
{
	/* Under which epoch, and for whom, everything was last found right. */
	static uint64 checked_epoch = 0;
	static Oid	checked_user = InvalidOid;
	const PdBinding *binding = pd_binding();

	ensure_not_expired(binding);

	/* What other sessions have changed moves the epoch here. */
	AcceptInvalidationMessages();
	*epoch = pd_epoch;			/* as it is before the look-up */
	if (checked_epoch != *epoch || checked_user != GetSessionUserId())
	{
		check_use(binding);
		checked_epoch = *epoch;
		checked_user = GetSessionUserId();
	}
	return binding;
}

/*
 * pd_binding_to_use
 *		The same, for what calls it for each row: in a tied query the checks have
 *		been made when it began.
 */
const PdBinding *
pd_binding_to_use(void)
{
	uint64		epoch;

	return pd_tied_is_checked() ? pd_binding() : pd_binding_check(&epoch);
}

/*
 * pd_binding_is_held
 *		Is the session held to another tenant than the bound one, so that
 *		pd_binding_to_use would raise?  Parallel workers cannot tell.
 */
bool
pd_binding_is_held(void)
{
	const PdBinding *binding = pd_binding();

	return !pd_seal_allows(binding->kind, &binding->tenant) ||
		!pd_tied_allows(binding) ||
		!pd_deferred_allows(binding->kind, &binding->tenant, NULL);
}

/*
 * pd_report_no_tenant
 *		Raise 42501 for the use of a tenant's rows when none is bound.
 */
void
pd_report_no_tenant(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("no tenant is bound"),
			 errdetail("A row of a protected table belongs to a tenant."),
			 errhint("Bind one with SELECT publicdigit.use_tenant(...) in the same transaction.")));
}

/*
 * current_tenant_id() → uuid
 *		The bound tenant's id, or null.  See pd_binding_to_use for errors.
 */
Datum
pd_current_tenant_id(PG_FUNCTION_ARGS)
{
	const PdBinding *binding = pd_binding_to_use();
	pg_uuid_t  *result;

	if (binding->kind != PD_BOUND_TENANT)
		PG_RETURN_NULL();
	result = palloc(sizeof(pg_uuid_t));
	*result = binding->tenant;
	PG_RETURN_UUID_P(result);
}

/*
 * ensure_tenant() → boolean
 *		True; an error (42501) when no tenant is bound.  Policies check writes
 *		with it, so that who forgot to bind a tenant is told so.
 */
Datum
pd_ensure_tenant(PG_FUNCTION_ARGS)
{
	if (pd_binding_to_use()->kind != PD_BOUND_TENANT)
		pd_report_no_tenant();
	PG_RETURN_BOOL(true);
}

/*
 * current_tenant() → text
 *		The bound tenant's slug, or null.  See pd_binding_to_use for errors.
 */
Datum
pd_current_tenant(PG_FUNCTION_ARGS)
{
	const PdBinding *binding = pd_binding_to_use();
	pg_uuid_t	id = binding->tenant;
	PdTenant	tenant;

	if (binding->kind != PD_BOUND_TENANT || !pd_tenant_by_id(&id, &tenant))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(tenant.slug));
}

/*
 * environment() → text
 *		The environment that setup() chose; null before it.
 */
Datum
pd_environment(PG_FUNCTION_ARGS)
{
	const PdCatalog *catalog = pd_catalog();

	if (!catalog->is_set_up)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(catalog->testing ? "testing" : "production"));
}

/*
 * connection_name
 *		The guide's word for where the session stands.
 */
static const char *
connection_name(PdBindingKind kind, bool testing)
{
	switch (kind)
	{
		case PD_BOUND_LANDLORD:
			return testing ? "landlord_test" : "landlord";
		case PD_BOUND_TENANT:
			return testing ? "tenant_test" : "tenant";
		case PD_BOUND_NOTHING:
			break;
	}
	return "platform";
}

/*
 * source_name
 *		Where a binding comes from, and so how long it stays.
 */
static const char *
source_name(PdBindingScope scope)
{
	switch (scope)
	{
		case PD_SCOPE_TRANSACTION:
			return "transaction";
		case PD_SCOPE_SESSION:
			return "session";
		case PD_SCOPE_SCRIPT:
			return "script";
		case PD_SCOPE_TOKEN:
			return "token";
	}
	return NULL;
}

/*
 * context() → one row
 *		Where this session stands.  Reports also a binding that can no longer
 *		be used, so it raises nothing about it.
 */
Datum
pd_context(PG_FUNCTION_ARGS)
{
	const PdCatalog *catalog = pd_catalog();
	PdBinding	binding = *pd_binding();
	TupleDesc	tupdesc;
	Datum		values[10];
	bool		nulls[10] = {0};
	NameData	database,
				role;
	NameData   *schema = palloc(sizeof(NameData));
	PdTenant	tenant;
	List	   *path;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	namestrcpy(&database, get_database_name(MyDatabaseId));
	namestrcpy(&role, GetUserNameFromId(GetUserId(), false));

	values[0] = NameGetDatum(&database);
	nulls[1] = !catalog->is_set_up;
	values[1] = CStringGetTextDatum(catalog->testing ? "testing" : "production");
	values[2] = CStringGetTextDatum(connection_name(binding.kind, catalog->testing));

	nulls[3] = nulls[4] = true;
	if (binding.kind == PD_BOUND_TENANT)
	{
		values[3] = UUIDPGetDatum(&binding.tenant);
		nulls[3] = false;
		if (pd_tenant_by_id(&binding.tenant, &tenant))
		{
			values[4] = CStringGetTextDatum(tenant.slug);
			nulls[4] = false;
		}
	}

	path = fetch_search_path(false);
	nulls[5] = true;
	if (path != NIL)
	{
		char	   *name = get_namespace_name(linitial_oid(path));

		if (name != NULL)
		{
			namestrcpy(schema, name);
			values[5] = NameGetDatum(schema);
			nulls[5] = false;
		}
	}
	values[6] = CStringGetTextDatum(GetConfigOption("search_path", false, false));
	values[7] = NameGetDatum(&role);
	values[8] = BoolGetDatum(pd_is_sealed());
	nulls[9] = binding.kind == PD_BOUND_NOTHING;
	values[9] = CStringGetTextDatum(source_name(binding.scope));

	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc),
													  values, nulls)));
}
