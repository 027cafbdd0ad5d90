/*-------------------------------------------------------------------------
 *
 * sequence.c
 *	  Whose sequences may be drawn from.
 *
 * nextval and setval write, outlive a rollback, and are functions, whose
 * arguments no hook sees: a sequence named by its OID would be reached past the
 * guard, and by a module's script past its schema.  So the planner hook puts
 * functions of ours in their place, which look at the sequence first; in
 * everybody's plans, since they may be run later by somebody else.
 *
 * What is not planned still calls the originals: the expressions of CHECK
 * constraints, of defaults that COPY and ALTER TABLE compute, of functions in
 * SQL that the planner inlines, arguments of CALL, and the protocol's function
 * call.  There they are refused to scripts and to sessions of the app role, when
 * they are looked up; but for the nextval of serial columns that ALTER TABLE
 * adds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "commands/sequence.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "catalog.h"
#include "compat.h"
#include "guard.h"
#include "hooks.h"
#include "script_guard.h"
#include "script_run.h"
#include "sequence.h"

PG_FUNCTION_INFO_V1(pd_guarded_nextval);
PG_FUNCTION_INFO_V1(pd_guarded_setval);

/*
 * replace
 *		Call this instead, if it is there.
 */
static void
replace(FuncExpr *call, Oid function)
{
	if (OidIsValid(function))
		call->funcid = function;
}

/*
 * replace_calls
 *		Tree walker: call ours instead, which take and give the same.
 */
static bool
replace_calls(Node *node, void *context)
{
	const PdCatalog *catalog = context;

	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;

		if (call->funcid == F_NEXTVAL)
			replace(call, catalog->guarded_nextval);
		else if (call->funcid == F_SETVAL_REGCLASS_INT8)
			replace(call, catalog->guarded_setval);
		else if (call->funcid == F_SETVAL_REGCLASS_INT8_BOOL)
			replace(call, catalog->guarded_setval_called);
	}
	else if (IsA(node, Query))
		return query_tree_walker((Query *) node, replace_calls, context, 0);
	return expression_tree_walker(node, replace_calls, context);
}

/*
 * pd_sequence_guard
 *		Planner hook.  Changes the query in place, as the planner itself may.
 */
void
pd_sequence_guard(Query *query)
{
	const PdCatalog *catalog = pd_catalog_if_created();

	if (catalog != NULL)
		(void) query_tree_walker(query, replace_calls, (void *) catalog, 0);
}

/*
 * adds_serials
 *		Is this an ALTER TABLE that adds serial columns and does no more?  Then
 *		what it draws from are their own sequences.
 */
static bool
adds_serials(Node *utility)
{
	static const char *const serials[] = {
		"serial", "serial4", "bigserial", "serial8", "smallserial", "serial2"
	};
	ListCell   *cell;

	if (utility == NULL || !IsA(utility, AlterTableStmt))
		return false;
	foreach(cell, ((AlterTableStmt *) utility)->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, cell);
		ColumnDef  *column;
		bool		is_serial = false;
		ListCell   *constraint;

		if (cmd->subtype != AT_AddColumn)
			return false;
		column = castNode(ColumnDef, cmd->def);
		for (int i = 0; i < lengthof(serials); i++)
		{
			if (list_length(column->typeName->names) == 1 &&
				strcmp(strVal(linitial(column->typeName->names)), serials[i]) == 0)
				is_serial = true;
		}
		if (!is_serial)
			return false;
		foreach(constraint, column->constraints)
		{
			if (lfirst_node(Constraint, constraint)->raw_expr != NULL)
				return false;
		}
	}
	return true;
}

/*
 * pd_sequence_guard_lookup
 *		Object access hook when a function is looked up to be called: an error
 *		(42501) for the originals.
 */
void
pd_sequence_guard_lookup(Oid function)
{
	if (function != F_SETVAL_REGCLASS_INT8 &&
		function != F_SETVAL_REGCLASS_INT8_BOOL &&
		function != F_NEXTVAL)
		return;
	/* Index expressions, which may call anything, are computed restricted. */
	if (function == F_NEXTVAL && adds_serials(pd_hooks_utility()) &&
		!InSecurityRestrictedOperation())
		return;
	if (pd_script_running() == NULL && !pd_guard_is_for_session())
		return;

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s may not be called here", function == F_NEXTVAL ? "nextval" : "setval"),
			 errdetail("Whose the sequence is cannot be checked in a constraint, in a default that COPY or ALTER TABLE computes, in an argument of CALL, and in a function of language SQL."),
			 errhint("Call it in a query or in a function of language plpgsql, and add serial columns in an ALTER TABLE that does no more.")));
}

/*
 * ensure_own_sequence
 *		An error (42501) for a sequence outside the schema of a script that is
 *		running, or of a tenant that is not bound.
 */
static void
ensure_own_sequence(Oid sequence)
{
	PdScriptRun *run = pd_script_running();

	if (run != NULL)
		pd_script_guard_write(run, sequence);
	else
		pd_guard_relation(sequence);
}

/*
 * guarded_nextval(sequence) → bigint
 *		As nextval(), for who may reach the sequence.
 */
Datum
pd_guarded_nextval(PG_FUNCTION_ARGS)
{
	ensure_own_sequence(PG_GETARG_OID(0));
	return nextval_oid(fcinfo);
}

/*
 * guarded_setval(sequence, value [, is_called]) → bigint
 *		As setval(), for who may reach the sequence.
 */
Datum
pd_guarded_setval(PG_FUNCTION_ARGS)
{
	ensure_own_sequence(PG_GETARG_OID(0));
	return PG_NARGS() == 3 ? setval3_oid(fcinfo) : setval_oid(fcinfo);
}
