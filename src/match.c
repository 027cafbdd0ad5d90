/*-------------------------------------------------------------------------
 *
 * match.c
 *	  is_current_tenant(): does a row belong to the bound tenant?
 *
 * The policies of protected tables call it, so it runs for every row that a
 * sequential scan reads, where the literal that people write by hand costs a
 * call of uuid_eq.  Against "tenant_id = (SELECT current_tenant_id())" it
 * saves the InitPlan, which costs a point select an eighth of its time, and
 * against the bare call a third of a sequential scan.
 *
 * To the planner the function says, by its support function, that it is
 * "tenant_id = current_tenant_id()": an index on the column serves it, and
 * its selectivity is that of the comparison.  Pruning of partitions asks for
 * no support function, so partitioned tables spell the comparison out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#include "catalog.h"
#include "context.h"
#include "registry.h"
#include "tied.h"

StaticAssertDecl(sizeof(void *) >= sizeof(uint64), "an epoch is kept in a pointer");

PG_FUNCTION_INFO_V1(pd_is_current_tenant);
PG_FUNCTION_INFO_V1(pd_is_current_tenant_support);

/*
 * is_current_tenant(tenant_id) → boolean
 *		Is this the bound tenant?  False for null, and when none is bound.
 *		See pd_binding_to_use for errors.
 */
Datum
pd_is_current_tenant(PG_FUNCTION_ARGS)
{
	const PdBinding *binding = pd_binding();
	void	   *epoch = (void *) (uintptr_t) pd_epoch;

	/*
	 * What the expression that calls keeps is no pointer: it is the epoch under
	 * which what is bound was found right.  A change of what is bound moves it,
	 * and so may the checks; then the next row finds it out.
	 */
	if (unlikely(fcinfo->flinfo->fn_extra != epoch))
	{
		binding = pd_binding_to_use();
		/* An expression of PL/pgSQL may be kept until a token has expired. */
		if (binding->scope != PD_SCOPE_TOKEN || pd_tied_is_checked() || IsParallelWorker())
			fcinfo->flinfo->fn_extra = epoch;
	}
	return BoolGetDatum(!PG_ARGISNULL(0) &&
						pd_is_tenant(binding->kind, &binding->tenant, PG_GETARG_UUID_P(0)));
}

/*
 * index_condition
 *		"tenant_id = current_tenant_id()", where the index's operators can
 *		serve it.
 */
static List *
index_condition(SupportRequestIndexCondition *request, Oid equal_op)
{
	Node	   *column;
	FuncExpr   *bound;

	if (!is_funcclause(request->node) || request->indexarg != 0 ||
		!op_in_opfamily(equal_op, request->opfamily))
		return NIL;

	column = linitial(((FuncExpr *) request->node)->args);
	bound = makeFuncExpr(pd_catalog()->current_tenant_id, UUIDOID, NIL,
						 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
	request->lossy = false;
	return list_make1(make_opclause(equal_op, BOOLOID, false, (Expr *) column,
									(Expr *) bound, InvalidOid, InvalidOid));
}

/*
 * is_in_own_schema
 *		Is this a column of a table in the tenant's own schema?  All its rows
 *		are the tenant's.
 */
static bool
is_in_own_schema(PlannerInfo *root, Node *column, const pg_uuid_t *tenant)
{
	PdTenant	own;
	RangeTblEntry *entry;
	char	   *schema;

	if (!IsA(column, Var) || ((Var *) column)->varlevelsup != 0 ||
		!pd_tenant_by_id(tenant, &own))
		return false;
	entry = planner_rt_fetch(((Var *) column)->varno, root);
	if (entry->rtekind != RTE_RELATION)
		return false;
	schema = get_namespace_name(get_rel_namespace(entry->relid));
	return schema != NULL && strcmp(schema, NameStr(own.schema)) == 0;
}

/*
 * selectivity
 *		What part of a table's rows is the bound tenant's, by the statistics
 *		where it shares the table with others.
 */
static Selectivity
selectivity(SupportRequestSelectivity *request, Oid equal_op)
{
	Node	   *column = linitial(request->args);
	const PdBinding *binding = pd_binding();	/* an estimate: no checks */
	pg_uuid_t  *tenant;

	if (binding->kind != PD_BOUND_TENANT)
		return 0.0;

	tenant = palloc(sizeof(pg_uuid_t));
	*tenant = binding->tenant;
	if (is_in_own_schema(request->root, column, tenant))
		return 1.0;
	return restriction_selectivity(request->root, equal_op,
								   list_make2(column,
											  makeConst(UUIDOID, -1, InvalidOid,
														UUID_LEN,
														UUIDPGetDatum(tenant),
														false, false)),
								   InvalidOid, request->varRelid);
}

/*
 * is_current_tenant_support(internal) → internal
 *		Planner support function of is_current_tenant().
 */
Datum
pd_is_current_tenant_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	Oid			equal_op;

	if (IsA(request, SupportRequestIndexCondition))
	{
		equal_op = lookup_type_cache(UUIDOID, TYPECACHE_EQ_OPR)->eq_opr;
		PG_RETURN_POINTER(index_condition((SupportRequestIndexCondition *) request,
										  equal_op));
	}
	if (IsA(request, SupportRequestSelectivity) &&
		!((SupportRequestSelectivity *) request)->is_join)
	{
		equal_op = lookup_type_cache(UUIDOID, TYPECACHE_EQ_OPR)->eq_opr;
		((SupportRequestSelectivity *) request)->selectivity =
			selectivity((SupportRequestSelectivity *) request, equal_op);
		PG_RETURN_POINTER(request);
	}
	PG_RETURN_POINTER(NULL);
}
