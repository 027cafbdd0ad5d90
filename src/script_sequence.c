/*-------------------------------------------------------------------------
 *
 * script_sequence.c
 *	  What a module's script may not draw from: sequences of other schemas.
 *
 * nextval and setval write, outlive a rollback, and are functions, whose
 * arguments no hook sees.  So while a script runs, the planner hook puts
 * functions of ours in their place, which look at the sequence first.  Plans
 * that keep such a call do no harm later: outside a script it is the same.
 *
 * What is not planned, the expressions of CHECK constraints, of defaults that
 * ALTER TABLE computes, and of functions in SQL that the planner inlines, still
 * calls the originals, and these are refused when the executor looks them up;
 * but for the nextval of serial columns that ALTER TABLE adds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "commands/sequence.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "catalog.h"
#include "compat.h"
#include "script_guard.h"
#include "script_run.h"

PG_FUNCTION_INFO_V1(pd_script_nextval);
PG_FUNCTION_INFO_V1(pd_script_setval);

/*
 * replace_calls
 *		Tree walker: call ours instead, which take and give the same.
 */
static bool
replace_calls(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;

		if (call->funcid == F_NEXTVAL)
			call->funcid = pd_catalog()->script_nextval;
		else if (call->funcid == F_SETVAL_REGCLASS_INT8)
			call->funcid = pd_catalog()->script_setval;
		else if (call->funcid == F_SETVAL_REGCLASS_INT8_BOOL)
			call->funcid = pd_catalog()->script_setval_called;
	}
	else if (IsA(node, Query))
		return query_tree_walker((Query *) node, replace_calls, context, 0);
	return expression_tree_walker(node, replace_calls, context);
}

/*
 * pd_script_guard_sequences
 *		Planner hook while a script runs.  Changes the query in place, as the
 *		planner itself may.
 */
void
pd_script_guard_sequences(Query *query)
{
	(void) query_tree_walker(query, replace_calls, NULL, 0);
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
 * pd_script_guard_function
 *		Object access hook while a script runs, when the executor looks a
 *		function up: an error (42501) for the originals, and for what writes
 *		the statistics of a table that it is given by name.
 */
void
pd_script_guard_function(const PdScriptRun *run, Oid function)
{
	if (pd_writes_statistics(function))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a module script may not call %s", get_func_name(function)),
				 errdetail("It writes the statistics of any table of the owner role."),
				 errhint("Use ANALYZE with the names of the module's tables.")));

	if (function == F_SETVAL_REGCLASS_INT8 ||
		function == F_SETVAL_REGCLASS_INT8_BOOL ||
		(function == F_NEXTVAL && !adds_serials(run->utility)))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a module script may not call %s here",
						function == F_NEXTVAL ? "nextval" : "setval"),
				 errdetail("Whose the sequence is cannot be checked in a constraint, in a default that ALTER TABLE computes, and in a function of language SQL."),
				 errhint("Call it in a query of the script itself or in a function of language plpgsql, and add serial columns in an ALTER TABLE that does no more.")));
}

/*
 * ensure_own_sequence
 *		An error (42501) while a script runs that the sequence does not
 *		belong to.
 */
static void
ensure_own_sequence(Oid sequence)
{
	PdScriptRun *run = pd_script_running();

	if (run != NULL)
		pd_script_guard_write(run, sequence);
}

/*
 * script_nextval(sequence) → bigint
 *		As nextval(), for scripts.
 */
Datum
pd_script_nextval(PG_FUNCTION_ARGS)
{
	ensure_own_sequence(PG_GETARG_OID(0));
	return nextval_oid(fcinfo);
}

/*
 * script_setval(sequence, value [, is_called]) → bigint
 *		As setval(), for scripts.
 */
Datum
pd_script_setval(PG_FUNCTION_ARGS)
{
	ensure_own_sequence(PG_GETARG_OID(0));
	return PG_NARGS() == 3 ? setval3_oid(fcinfo) : setval_oid(fcinfo);
}
