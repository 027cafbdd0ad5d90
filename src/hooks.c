/*-------------------------------------------------------------------------
 *
 * hooks.c
 *	  The server's hooks: save, chain and dispatch, and nothing else.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/objectaccess.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/planner.h"
#include "tcop/utility.h"

#include "compat.h"
#include "context.h"
#include "deferred.h"
#include "drop_extension.h"
#include "guard.h"
#include "hooks.h"
#include "plans.h"
#include "redact.h"
#include "script_guard.h"
#include "script_run.h"
#include "sequence.h"
#include "tied.h"

static object_access_hook_type next_object_access = NULL;
static ExecutorCheckPerms_hook_type next_check_perms = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;
static ExecutorRun_hook_type next_executor_run = NULL;
static ExecutorFinish_hook_type next_executor_finish = NULL;
static planner_hook_type next_planner = NULL;
static ProcessUtility_hook_type next_utility = NULL;

/* The innermost utility statement that is running. */
static Node *utility = NULL;

/*
 * on_object_access
 *		An object is made, altered, dropped, truncated or looked for.
 */
static void
on_object_access(ObjectAccessType access, Oid classId, Oid objectId,
				 int subId, void *arg)
{
	PdScriptRun *run = pd_script_running();

	if (next_object_access)
		next_object_access(access, classId, objectId, subId, arg);
	if (access == OAT_FUNCTION_EXECUTE)
	{
		pd_sequence_guard_lookup(objectId);
		if (run != NULL)
			pd_script_guard_function(objectId);
	}
	else if (run != NULL)
		pd_script_guard_object(run, access, classId, objectId, subId, arg);
	else
		pd_guard_object(access, classId, objectId, arg);
}

/*
 * on_check_perms
 *		A query is about to run: look at its tables.
 */
static bool
on_check_perms(PD_CHECK_PERMS_ARGS)
{
	PdScriptRun *run = pd_script_running();
	ListCell   *cell;

	if (next_check_perms && !next_check_perms(PD_CHECK_PERMS_PASS))
		return false;
	if (run == NULL)
		return pd_guard_tables(rangeTable, ereport_on_violation);

	foreach(cell, PD_CHECK_PERMS_LIST)
	{
		PdPermInfo *info = lfirst(cell);

		pd_guard_statistics(info->relid);
		if (pd_perm_info_writes(info))
			pd_script_guard_write(run, info->relid);
		else if (InNoForceRLSOperation())
			pd_script_guard_read(run, info->relid);
	}
	return true;
}

/*
 * start_query
 *		What the server, or the next hook, does to start a query.
 */
static void
start_query(QueryDesc *queryDesc, int eflags)
{
	if (next_executor_start)
		next_executor_start(queryDesc, eflags);
	else
		standard_ExecutorStart(queryDesc, eflags);
}

/*
 * on_executor_start
 *		A query is about to run: tie it to what is bound.
 */
static void
on_executor_start(QueryDesc *queryDesc, int eflags)
{
	uint64		reached = pd_guard_count;
	PdTie		tie;

	if (!pd_tied_concerns(queryDesc->plannedstmt))
	{
		start_query(queryDesc, eflags);
		if (reached == pd_guard_count)
			return;
		pd_tied_ensure_may_start(queryDesc);
		pd_tied_start(queryDesc);
		return;
	}

	pd_tied_ensure_may_start(queryDesc);
	pd_tied_enter(&tie);
	PG_TRY();
	{
		start_query(queryDesc, eflags);
		pd_tied_check_end(&tie);
	}
	PG_FINALLY();
	{
		pd_tied_leave(&tie);
	}
	PG_END_TRY();
	pd_tied_start(queryDesc);
}

/*
 * run_query
 *		What the server, or the next hook, does to run a query.  Workers know
 *		neither of a script nor of what holds the session to another tenant, and
 *		would let functions reach anything: then it runs without them.
 */
static void
run_query(PD_EXECUTOR_RUN_ARGS)
{
	if (pd_script_running() != NULL ||
		(queryDesc->plannedstmt->parallelModeNeeded && pd_binding_is_held()))
		pd_executor_run_serially();

	if (next_executor_run)
		next_executor_run(PD_EXECUTOR_RUN_PASS);
	else
		standard_ExecutorRun(PD_EXECUTOR_RUN_PASS);
}

/*
 * on_executor_run
 *		A query runs, or goes on.
 */
static void
on_executor_run(PD_EXECUTOR_RUN_ARGS)
{
	PdTie		tie;

	if (!pd_tied_begin(queryDesc, &tie))
	{
		run_query(PD_EXECUTOR_RUN_PASS);
		return;
	}

	PG_TRY();
	{
		run_query(PD_EXECUTOR_RUN_PASS);
		pd_tied_check_end(&tie);
	}
	PG_FINALLY();
	{
		/* The query may outlive the error, as a cursor that has failed. */
		pd_tied_leave(&tie);
	}
	PG_END_TRY();
}

/*
 * writes
 *		Does a query write, itself or in a CTE?
 */
static bool
writes(const QueryDesc *queryDesc)
{
	return queryDesc->operation != CMD_SELECT ||
		queryDesc->plannedstmt->hasModifyingCTE;
}

/*
 * finish_query
 *		What the server, or the next hook, does to end a query.
 */
static void
finish_query(QueryDesc *queryDesc)
{
	if (next_executor_finish)
		next_executor_finish(queryDesc);
	else
		standard_ExecutorFinish(queryDesc);

	if (writes(queryDesc))
		pd_deferred_note(queryDesc);
}

/*
 * on_executor_finish
 *		A query ends: its triggers run.  One that has none may end under any
 *		binding, as that of a cursor that is closed.
 */
static void
on_executor_finish(QueryDesc *queryDesc)
{
	PdTie		tie;

	if (!writes(queryDesc) || !pd_tied_begin(queryDesc, &tie))
	{
		finish_query(queryDesc);
		return;
	}

	PG_TRY();
	{
		finish_query(queryDesc);
		pd_tied_check_end(&tie);
	}
	PG_FINALLY();
	{
		pd_tied_leave(&tie);
	}
	PG_END_TRY();
}

/*
 * plan_query
 *		What the server, or the next hook, does to plan a query.
 */
static PlannedStmt *
plan_query(Query *parse, const char *query_string, int cursorOptions,
		   ParamListInfo boundParams)
{
	if (next_planner)
		return next_planner(parse, query_string, cursorOptions, boundParams);
	return standard_planner(parse, query_string, cursorOptions, boundParams);
}

/*
 * plan_tied
 *		The same for a query of protected tables: functions that the planner
 *		computes work for the tenant of the query, too.
 */
static PlannedStmt *
plan_tied(Query *parse, const char *query_string, int cursorOptions,
		  ParamListInfo boundParams)
{
	PdTie		tie;
	PlannedStmt *volatile plan = NULL;

	pd_tied_enter(&tie);
	PG_TRY();
	{
		plan = plan_query(parse, query_string, cursorOptions, boundParams);
		pd_tied_check_end(&tie);
	}
	PG_FINALLY();
	{
		pd_tied_leave(&tie);
	}
	PG_END_TRY();
	return plan;
}

/*
 * on_planner
 *		A query is planned.
 */
static PlannedStmt *
on_planner(Query *parse, const char *query_string, int cursorOptions,
		   ParamListInfo boundParams)
{
	bool		keep = false;
	PdPlanToKeep begun;
	PlannedStmt *plan;

	pd_sequence_guard(parse);
	if (pd_script_running() == NULL && pd_plans_concern(parse, boundParams))
	{
		plan = pd_plans_find(parse, query_string, cursorOptions);
		if (plan != NULL)
			return plan;
		pd_plans_begin(&begun, parse);
		keep = true;
	}

	plan = parse->hasRowSecurity ?
		plan_tied(parse, query_string, cursorOptions, boundParams) :
		plan_query(parse, query_string, cursorOptions, boundParams);

	if (keep)
		pd_plans_keep(&begun, query_string, cursorOptions, plan);
	return plan;
}

/*
 * run_utility
 *		What the server, or the next hook, does about a utility statement.
 */
static void
run_utility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
			ProcessUtilityContext context, ParamListInfo params,
			QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	queryString = pd_redact_statement(pstmt, queryString);
	if (next_utility)
		next_utility(pstmt, queryString, readOnlyTree, context, params,
					 queryEnv, dest, qc);
	else
		standard_ProcessUtility(pstmt, queryString, readOnlyTree, context,
								params, queryEnv, dest, qc);
}

/*
 * on_utility
 *		A utility statement is about to run.
 */
static void
on_utility(PlannedStmt *pstmt, const char *queryString, bool readOnlyTree,
		   ProcessUtilityContext context, ParamListInfo params,
		   QueryEnvironment *queryEnv, DestReceiver *dest, QueryCompletion *qc)
{
	PdScriptRun *run = pd_script_running();
	Node	   *save_utility = utility;
	volatile DiscardMode discarded = IsA(pstmt->utilityStmt, DiscardStmt) ?
		((DiscardStmt *) pstmt->utilityStmt)->target : DISCARD_TEMP;

	if (run != NULL)
		pd_script_guard_utility(run, pstmt->utilityStmt);
	else if (IsA(pstmt->utilityStmt, LockStmt))
		pd_guard_lock((LockStmt *) pstmt->utilityStmt);
	else if (IsA(pstmt->utilityStmt, DropStmt))
		pd_ensure_may_drop((DropStmt *) pstmt->utilityStmt);
	else if (IsA(pstmt->utilityStmt, CopyStmt))
		pd_deferred_note_copy((CopyStmt *) pstmt->utilityStmt);

	PG_TRY();
	{
		/* Refreshing a materialized view is made up of other statements. */
		if (utility == NULL || !IsA(utility, RefreshMatViewStmt))
			utility = pstmt->utilityStmt;
		run_utility(pstmt, queryString, readOnlyTree, context, params,
					queryEnv, dest, qc);
	}
	PG_FINALLY();
	{
		utility = save_utility;
	}
	PG_END_TRY();

	if (discarded == DISCARD_ALL || discarded == DISCARD_PLANS)
		pd_plans_discard();
}

/*
 * pd_hooks_utility
 *		The innermost utility statement that is running, or NULL.
 */
Node *
pd_hooks_utility(void)
{
	return utility;
}

/*
 * pd_hooks_init
 *		Install our hooks in front of whatever is there.  Called once, by
 *		_PG_init.
 */
void
pd_hooks_init(void)
{
	next_object_access = object_access_hook;
	object_access_hook = on_object_access;
	next_check_perms = ExecutorCheckPerms_hook;
	ExecutorCheckPerms_hook = on_check_perms;
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = on_executor_start;
	next_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = on_executor_run;
	next_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = on_executor_finish;
	next_planner = planner_hook;
	planner_hook = on_planner;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
}
