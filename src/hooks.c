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
#include "hooks.h"
#include "plans.h"
#include "script_guard.h"
#include "script_run.h"

static object_access_hook_type next_object_access = NULL;
static ExecutorCheckPerms_hook_type next_check_perms = NULL;
static ExecutorRun_hook_type next_executor_run = NULL;
static planner_hook_type next_planner = NULL;
static ProcessUtility_hook_type next_utility = NULL;

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
	if (run == NULL)
		return;
	if (access == OAT_FUNCTION_EXECUTE)
		pd_script_guard_function(run, objectId);
	else
		pd_script_guard_object(run, access, classId, objectId, subId, arg);
}

/*
 * on_check_perms
 *		A query is about to run: look at the tables that it writes to.
 */
static bool
on_check_perms(PD_CHECK_PERMS_ARGS)
{
	PdScriptRun *run = pd_script_running();
	ListCell   *cell;

	if (next_check_perms && !next_check_perms(PD_CHECK_PERMS_PASS))
		return false;
	if (run == NULL)
		return true;

	foreach(cell, PD_CHECK_PERMS_LIST)
	{
		PdPermInfo *info = lfirst(cell);

		if (pd_perm_info_writes(info))
			pd_script_guard_write(run, info->relid);
		else if (InNoForceRLSOperation())
			pd_script_guard_read(run, info->relid);
	}
	return true;
}

/*
 * on_executor_run
 *		A query runs.  Those of a script run without workers, which know
 *		nothing of the script and would let its functions reach anything.
 */
static void
on_executor_run(PD_EXECUTOR_RUN_ARGS)
{
	if (pd_script_running() != NULL)
		pd_executor_run_serially();

	if (next_executor_run)
		next_executor_run(PD_EXECUTOR_RUN_PASS);
	else
		standard_ExecutorRun(PD_EXECUTOR_RUN_PASS);
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

	if (pd_script_running() != NULL)
		pd_script_guard_sequences(parse);
	else if (pd_plans_concern(parse, boundParams))
	{
		plan = pd_plans_find(parse, query_string, cursorOptions);
		if (plan != NULL)
			return plan;
		pd_plans_begin(&begun, parse);
		keep = true;
	}

	if (next_planner)
		plan = next_planner(parse, query_string, cursorOptions, boundParams);
	else
		plan = standard_planner(parse, query_string, cursorOptions, boundParams);

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
	Node	   *save_utility;

	if (run == NULL)
	{
		DiscardMode discarded = IsA(pstmt->utilityStmt, DiscardStmt) ?
			((DiscardStmt *) pstmt->utilityStmt)->target : DISCARD_TEMP;

		run_utility(pstmt, queryString, readOnlyTree, context, params,
					queryEnv, dest, qc);
		if (discarded == DISCARD_ALL || discarded == DISCARD_PLANS)
			pd_plans_discard();
		return;
	}

	pd_script_guard_utility(run, pstmt->utilityStmt);
	save_utility = run->utility;
	PG_TRY();
	{
		/* Refreshing a materialized view is made up of other statements. */
		if (save_utility == NULL || !IsA(save_utility, RefreshMatViewStmt))
			run->utility = pstmt->utilityStmt;
		run_utility(pstmt, queryString, readOnlyTree, context, params,
					queryEnv, dest, qc);
	}
	PG_FINALLY();
	{
		/* The script may catch the error and go on. */
		run->utility = save_utility;
	}
	PG_END_TRY();
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
	next_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = on_executor_run;
	next_planner = planner_hook;
	planner_hook = on_planner;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = on_utility;
}
