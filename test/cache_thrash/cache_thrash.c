/*-------------------------------------------------------------------------
 *
 * cache_thrash.c
 *	  Throws the system and relation caches away at every hook.
 *
 * Packaged servers are built without debug_discard_caches.  This module
 * stands in for it: code that keeps a pointer into a cache over a call that
 * may process invalidations, or a cached OID that its callback forgets to
 * clear, goes wrong with it loaded, by session_preload_libraries for one.
 * It changes no result.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "optimizer/planner.h"
#include "parser/analyze.h"
#include "tcop/utility.h"
#include "utils/inval.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

static post_parse_analyze_hook_type prev_post_parse_analyze;
static planner_hook_type prev_planner;
static ExecutorStart_hook_type prev_executor_start;
static ExecutorRun_hook_type prev_executor_run;
static ExecutorFinish_hook_type prev_executor_finish;
static ExecutorEnd_hook_type prev_executor_end;
static ExecutorCheckPerms_hook_type prev_check_perms;
static ProcessUtility_hook_type prev_process_utility;
static object_access_hook_type prev_object_access;

/*
 * thrash
 *		Invalidate everything, where the server itself could do so.
 *
 * Invalidation rebuilds the relation cache entries that are open, which reads
 * catalogs: that needs a live transaction.  A callback that it runs may come
 * here again; one level is enough.
 */
static void
thrash(void)
{
	static bool thrashing = false;

	if (thrashing || !IsTransactionState() || CritSectionCount > 0)
		return;

	thrashing = true;
	PG_TRY();
	{
		InvalidateSystemCaches();
	}
	PG_FINALLY();
	{
		thrashing = false;
	}
	PG_END_TRY();
}

static void
thrash_post_parse_analyze(ParseState *pstate, Query *query, JumbleState *jstate)
{
	if (prev_post_parse_analyze)
		prev_post_parse_analyze(pstate, query, jstate);
	thrash();
}

static PlannedStmt *
thrash_planner(Query *parse, const char *query_string, int cursor_options,
			   ParamListInfo bound_params)
{
	PlannedStmt *plan;

	thrash();
	if (prev_planner)
		plan = prev_planner(parse, query_string, cursor_options, bound_params);
	else
		plan = standard_planner(parse, query_string, cursor_options,
								bound_params);
	thrash();
	return plan;
}

static void
thrash_executor_start(QueryDesc *query_desc, int eflags)
{
	thrash();
	if (prev_executor_start)
		prev_executor_start(query_desc, eflags);
	else
		standard_ExecutorStart(query_desc, eflags);
	thrash();
}

#if PG_VERSION_NUM >= 180000
static void
thrash_executor_run(QueryDesc *query_desc, ScanDirection direction,
					uint64 count)
{
	thrash();
	if (prev_executor_run)
		prev_executor_run(query_desc, direction, count);
	else
		standard_ExecutorRun(query_desc, direction, count);
	thrash();
}
#else
static void
thrash_executor_run(QueryDesc *query_desc, ScanDirection direction,
					uint64 count, bool execute_once)
{
	thrash();
	if (prev_executor_run)
		prev_executor_run(query_desc, direction, count, execute_once);
	else
		standard_ExecutorRun(query_desc, direction, count, execute_once);
	thrash();
}
#endif

static void
thrash_executor_finish(QueryDesc *query_desc)
{
	thrash();
	if (prev_executor_finish)
		prev_executor_finish(query_desc);
	else
		standard_ExecutorFinish(query_desc);
	thrash();
}

static void
thrash_executor_end(QueryDesc *query_desc)
{
	thrash();
	if (prev_executor_end)
		prev_executor_end(query_desc);
	else
		standard_ExecutorEnd(query_desc);
	thrash();
}

#if PG_VERSION_NUM >= 160000
static bool
thrash_check_perms(List *range_table, List *permissions, bool raise)
{
	thrash();
	return prev_check_perms == NULL ||
		prev_check_perms(range_table, permissions, raise);
}
#else
static bool
thrash_check_perms(List *range_table, bool raise)
{
	thrash();
	return prev_check_perms == NULL || prev_check_perms(range_table, raise);
}
#endif

static void
thrash_process_utility(PlannedStmt *pstmt, const char *query_string,
					   bool read_only_tree, ProcessUtilityContext context,
					   ParamListInfo params, QueryEnvironment *query_env,
					   DestReceiver *dest, QueryCompletion *completion)
{
	thrash();
	if (prev_process_utility)
		prev_process_utility(pstmt, query_string, read_only_tree, context,
							 params, query_env, dest, completion);
	else
		standard_ProcessUtility(pstmt, query_string, read_only_tree, context,
								params, query_env, dest, completion);
	thrash();
}

static void
thrash_object_access(ObjectAccessType access, Oid class_id, Oid object_id,
					 int sub_id, void *arg)
{
	if (prev_object_access)
		prev_object_access(access, class_id, object_id, sub_id, arg);
	thrash();
}

void
_PG_init(void)
{
	prev_post_parse_analyze = post_parse_analyze_hook;
	post_parse_analyze_hook = thrash_post_parse_analyze;
	prev_planner = planner_hook;
	planner_hook = thrash_planner;
	prev_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = thrash_executor_start;
	prev_executor_run = ExecutorRun_hook;
	ExecutorRun_hook = thrash_executor_run;
	prev_executor_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = thrash_executor_finish;
	prev_executor_end = ExecutorEnd_hook;
	ExecutorEnd_hook = thrash_executor_end;
	prev_check_perms = ExecutorCheckPerms_hook;
	ExecutorCheckPerms_hook = thrash_check_perms;
	prev_process_utility = ProcessUtility_hook;
	ProcessUtility_hook = thrash_process_utility;
	prev_object_access = object_access_hook;
	object_access_hook = thrash_object_access;
}
