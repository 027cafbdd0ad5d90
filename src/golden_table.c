/*-------------------------------------------------------------------------
 *
 * golden_table.c
 *	  Does a table plainly keep golden rule 1?
 *
 * The query of golden.c knows every way to break the rule and what to do about
 * it, and takes longer than the statements of many a migration.  Nearly all
 * tables are just as the installer has left them.  That is seen here, in what the
 * relation cache has of the table anyway, and only the others are asked about.
 *
 * So nothing here may be more lenient than the query: where a table is not
 * exactly as the installer makes it, the answer is no, which decides nothing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "nodes/parsenodes.h"
#include "nodes/primnodes.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog.h"
#include "compat.h"
#include "golden.h"
#include "protect.h"
#include "script.h"

/*
 * is_call
 *		Is this a call of a function without arguments?
 */
static bool
is_call(const Node *node, Oid function)
{
	return node != NULL && IsA(node, FuncExpr) &&
		((const FuncExpr *) node)->funcid == function &&
		((const FuncExpr *) node)->args == NIL;
}

/*
 * is_column
 *		Is this a column of the policy's table?
 */
static bool
is_column(const Node *node, AttrNumber attno)
{
	return IsA(node, Var) && ((const Var *) node)->varno == 1 &&
		((const Var *) node)->varlevelsup == 0 &&
		((const Var *) node)->varattno == attno;
}

/*
 * compares_tenant
 *		Is this one of the two expressions by which a policy of ours compares the
 *		tenant column with the bound tenant (see protect.c)?
 */
static bool
compares_tenant(const Node *node, AttrNumber attno)
{
	const List *args;

	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr))
	{
		args = ((const FuncExpr *) node)->args;
		return ((const FuncExpr *) node)->funcid == pd_catalog()->is_current_tenant &&
			list_length(args) == 1 && is_column(linitial(args), attno);
	}
	if (!IsA(node, OpExpr))
		return false;
	args = ((const OpExpr *) node)->args;
	return get_opcode(((const OpExpr *) node)->opno) == F_UUID_EQ &&
		list_length(args) == 2 && is_column(linitial(args), attno) &&
		is_call(lsecond(args), pd_catalog()->current_tenant_id);
}

/*
 * is_for_all
 *		Does a policy hold for every command and every role?
 */
static bool
is_for_all(const RowSecurityPolicy *policy)
{
	return policy->polcmd == '*' && ARR_NDIM(policy->roles) == 1 &&
		ARR_DIMS(policy->roles)[0] == 1 &&
		((const Oid *) ARR_DATA_PTR(policy->roles))[0] == ACL_ID_PUBLIC;
}

/*
 * has_our_policies
 *		Has a table the tenant policy, and no permissive one but ours?
 */
static bool
has_our_policies(Relation rel, AttrNumber attno)
{
	const RowSecurityPolicy *tenant = NULL;
	const RowSecurityPolicy *bound = NULL;
	ListCell   *cell;

	if (rel->rd_rsdesc == NULL)
		return false;
	foreach(cell, rel->rd_rsdesc->policies)
	{
		const RowSecurityPolicy *policy = lfirst(cell);

		if (strcmp(policy->policy_name, PD_POLICY_TENANT) == 0)
			tenant = policy;
		else if (strcmp(policy->policy_name, PD_POLICY_BOUND) == 0)
			bound = policy;
		else if (policy->permissive)
			return false;
	}

	return tenant != NULL && !tenant->permissive && is_for_all(tenant) &&
		compares_tenant((const Node *) tenant->qual, attno) &&
		equal(tenant->qual, tenant->with_check_qual) &&
		(bound == NULL ||
		 (bound->permissive && is_for_all(bound) && equal(bound->qual, tenant->qual) &&
		  is_call((const Node *) bound->with_check_qual, pd_catalog()->ensure_tenant)));
}

/*
 * keeps_rule
 *		Is a table as the installer makes it?
 */
static bool
keeps_rule(Relation rel, Oid owner)
{
	AttrNumber	attno = get_attnum(RelationGetRelid(rel), PD_TENANT_COLUMN);
	Form_pg_attribute attribute;

	if (attno <= 0 || rel->rd_rel->relowner != owner ||
		!rel->rd_rel->relrowsecurity || !rel->rd_rel->relforcerowsecurity)
		return false;
	attribute = TupleDescAttr(RelationGetDescr(rel), attno - 1);
	return attribute->atttypid == UUIDOID && attribute->atthasdef &&
		pd_is_never_null(RelationGetDescr(rel), attno) &&
		is_call(build_column_default(rel, attno), pd_catalog()->current_tenant_id) &&
		has_our_policies(rel, attno);
}

/*
 * pd_table_keeps_rule
 *		Is a table as the installer makes it?  True also for what is no table or
 *		is gone; false says nothing.
 */
bool
pd_table_keeps_rule(Oid relid, Oid owner)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);
	bool		result;

	if (rel == NULL)
		return true;
	switch (rel->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
			result = keeps_rule(rel, owner);
			break;
		case RELKIND_FOREIGN_TABLE:
			result = false;
			break;
		default:
			result = true;
	}
	relation_close(rel, AccessShareLock);
	return result;
}

/*
 * pd_has_nulling_key
 *		Has a table a foreign key that sets columns to null?
 */
bool
pd_has_nulling_key(Oid relid)
{
	Relation	rel = table_open(ConstraintRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key, Anum_pg_constraint_conrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, ConstraintRelidTypidNameIndexId, true, NULL, 1, &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_constraint constraint = (Form_pg_constraint) GETSTRUCT(tuple);

		found = constraint->contype == CONSTRAINT_FOREIGN &&
			(constraint->confupdtype == FKCONSTR_ACTION_SETNULL ||
			 constraint->confdeltype == FKCONSTR_ACTION_SETNULL);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}
