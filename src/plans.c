/*-------------------------------------------------------------------------
 *
 * plans.c
 *	  Generic plans of prepared statements, kept for each tenant.
 *
 * A prepared statement keeps one generic plan, and a change of search_path
 * throws it away: a pooled connection that serves many tenants plans each
 * statement again after every switch, which costs more than a point select
 * does.  The server parses and rewrites the statement again all the same,
 * row-level security included; the plan that belongs to the outcome is kept
 * here.
 *
 * A kept plan is used for a query only that is equal to the one it was made
 * for, down to the OIDs of its tables and the expressions of their policies,
 * and for the same user and search_path.  It is thrown away by what makes the server throw
 * generic plans away (see plancache.c, whose rules these are), and by
 * publicdigit.plan_memory.  Plans for given parameters are not kept.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "binding.h"
#include "compat.h"
#include "inval.h"
#include "plans.h"

typedef struct PlanKey
{
	uint64		hash;			/* of the statement's text, path and tables */
	pg_uuid_t	tenant;
	Oid			user;
	int			cursor_options;
} PlanKey;

typedef struct KeptPlan
{
	PlanKey		key;			/* hash key */
	dlist_node	node;			/* in "by_use" */
	MemoryContext memory;		/* of the two trees */
	List	   *path;			/* OIDs of schemas: functions are inlined by it */
	Query	   *query;
	List	   *relations;		/* what the query depends on; the plan has */
	List	   *objects;		/* lists of its own */
	PlannedStmt *plan;
	bool		is_valid;
} KeptPlan;

static int	plan_memory = 4096; /* kB */
static HTAB *plans = NULL;
static dlist_head by_use = DLIST_STATIC_INIT(by_use);	/* the last used first */
static Size memory_used = 0;
static uint64 invalidations = 0;

/*
 * pd_plans_table_changed
 *		A table changed, or (InvalidOid) any may have.
 */
void
pd_plans_table_changed(Oid relid)
{
	dlist_iter	iter;

	invalidations++;
	dlist_foreach(iter, &by_use)
	{
		KeptPlan   *kept = dlist_container(KeptPlan, node, iter.cur);

		if (!OidIsValid(relid) || list_member_oid(kept->relations, relid) ||
			list_member_oid(kept->plan->relationOids, relid))
			kept->is_valid = false;
	}
}

/*
 * names_object
 *		Is the changed object in a list of PlanInvalItem?
 */
static bool
names_object(List *items, int cacheid, uint32 hashvalue)
{
	ListCell   *cell;

	foreach(cell, items)
	{
		PlanInvalItem *item = lfirst_node(PlanInvalItem, cell);

		if (item->cacheId == cacheid &&
			(hashvalue == 0 || item->hashValue == hashvalue))
			return true;
	}
	return false;
}

/*
 * object_callback
 *		A function or type changed; 0 stands for any of that kind.
 */
static void
object_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	dlist_iter	iter;

	invalidations++;
	dlist_foreach(iter, &by_use)
	{
		KeptPlan   *kept = dlist_container(KeptPlan, node, iter.cur);

		if (names_object(kept->objects, cacheid, hashvalue) ||
			names_object(kept->plan->invalItems, cacheid, hashvalue))
			kept->is_valid = false;
	}
}

/*
 * throw_away
 *		Free a kept plan.
 */
static void
throw_away(KeptPlan *kept)
{
	memory_used -= MemoryContextMemAllocated(kept->memory, true);
	dlist_delete(&kept->node);
	MemoryContextDelete(kept->memory);
	hash_search(plans, &kept->key, HASH_REMOVE, NULL);
}

/*
 * shrink
 *		Free the least recently used plans until the rest fits.
 */
static void
shrink(int kilobytes)
{
	while (memory_used > (Size) kilobytes * 1024 && !dlist_is_empty(&by_use))
		throw_away(dlist_tail_element(KeptPlan, node, &by_use));
}

/*
 * assign_plan_memory
 *		GUC assign hook.
 */
static void
assign_plan_memory(int newval, void *extra)
{
	shrink(newval);
}

/*
 * pd_plans_discard
 *		Free all plans, as DISCARD PLANS does.
 */
void
pd_plans_discard(void)
{
	shrink(0);
}

/*
 * any_callback
 *		Something changed that plans do not say whether they depend on.
 */
static void
any_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	pd_plans_table_changed(InvalidOid);
}

/*
 * pd_plans_init
 *		Define the setting, and ask to be told of changes.  Called once, by
 *		_PG_init.
 */
void
pd_plans_init(void)
{
	DefineCustomIntVariable("publicdigit.plan_memory",
							"Memory in which a session keeps plans of prepared statements for the tenants that it serves.",
							"0 keeps none.",
							&plan_memory,
							4096, 0, MAX_KILOBYTES,
							PGC_USERSET,
							GUC_UNIT_KB,
							NULL, assign_plan_memory, NULL);

	CacheRegisterSyscacheCallback(PROCOID, object_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, object_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, any_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(OPEROID, any_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AMOPOPID, any_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNSERVEROID, any_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(FOREIGNDATAWRAPPEROID, any_callback, (Datum) 0);
}

/*
 * has_parameter
 *		Tree walker: does the query take a parameter from outside?
 */
static bool
has_parameter(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Param))
		return ((Param *) node)->paramkind == PARAM_EXTERN;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_parameter, context, 0);
	return expression_tree_walker(node, has_parameter, context);
}

/*
 * pd_plans_concern
 *		Is this a query whose plan is kept?
 *
 * One with parameters and without their values is on its way to become a
 * prepared statement's generic plan.
 */
bool
pd_plans_concern(Query *query, ParamListInfo params)
{
	return plan_memory > 0 && params == NULL &&
		pd_binding()->kind == PD_BOUND_TENANT &&
		query_tree_walker(query, has_parameter, NULL, 0);
}

/*
 * make_key
 *		The key under which a query's plan is kept.
 */
static PlanKey
make_key(const Query *query, const char *text, int cursor_options)
{
	PlanKey		key;
	ListCell   *cell;

	memset(&key, 0, sizeof(key));
	key.hash = hash_bytes_extended((const unsigned char *) text, strlen(text),
								   (uint64) query->stmt_location);
	foreach(cell, fetch_search_path(true))
		key.hash = hash_combine64(key.hash, hash_bytes_uint32(lfirst_oid(cell)));
	foreach(cell, query->rtable)
		key.hash = hash_combine64(key.hash,
								  hash_bytes_uint32(lfirst_node(RangeTblEntry, cell)->relid));
	key.tenant = pd_binding()->tenant;
	key.user = GetUserId();
	key.cursor_options = cursor_options;
	return key;
}

/*
 * lock_tables
 *		Lock the plan's tables, as before the execution of a generic plan; the
 *		query's own are locked already, their partitions are not.
 */
static void
lock_tables(const PlannedStmt *plan)
{
	ListCell   *cell;

	foreach(cell, plan->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

		if (OidIsValid(pd_entry_relation(entry)))
			LockRelationOid(entry->relid, entry->rellockmode);
	}
}

/*
 * pd_plans_find
 *		A copy of the plan that was kept for a query; NULL where there is none.
 */
PlannedStmt *
pd_plans_find(const Query *query, const char *text, int cursor_options)
{
	PlanKey		key = make_key(query, text, cursor_options);
	KeptPlan   *kept;
	PlannedStmt *plan;

	if (plans == NULL)
		return NULL;
	kept = hash_search(plans, &key, HASH_FIND, NULL);
	if (kept == NULL || !kept->is_valid ||
		!equal(kept->path, fetch_search_path(true)) ||
		!equal(kept->query, query))
		return NULL;

	/* A copy first: what comes in with a lock may mark it, and no more. */
	plan = copyObject(kept->plan);
	lock_tables(plan);
	if (!kept->is_valid)
		return NULL;

	dlist_move_head(&by_use, &kept->node);
	plan->queryId = query->queryId;
	return plan;
}

/*
 * pd_plans_begin
 *		Remember a query before the planner changes it.
 */
void
pd_plans_begin(PdPlanToKeep *begun, Query *query)
{
	MemoryContext old;
	bool		has_row_security;

	begun->invalidations = invalidations;
	begun->memory = AllocSetContextCreate(CurrentMemoryContext,
										  "publicdigit plan",
										  ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(begun->memory);
	begun->path = fetch_search_path(true);
	begun->query = copyObject(query);
	/* Functions that the planner computes are in no plan's lists. */
	extract_query_dependencies((Node *) begun->query, &begun->relations,
							   &begun->objects, &has_row_security);
	MemoryContextSwitchTo(old);
}

/*
 * pd_plans_keep
 *		Keep the plan of the query that pd_plans_begin was called with.
 */
void
pd_plans_keep(PdPlanToKeep *begun, const char *text, int cursor_options,
			  PlannedStmt *plan)
{
	PlanKey		key = make_key(begun->query, text, cursor_options);
	MemoryContext old;
	PlannedStmt *copy;
	KeptPlan   *kept;

	/* One that holds for this snapshot only, or is outdated already. */
	if (plan->transientPlan || begun->invalidations != invalidations)
	{
		MemoryContextDelete(begun->memory);
		return;
	}

	if (plans == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(PlanKey);
		ctl.entrysize = sizeof(KeptPlan);
		ctl.hcxt = CacheMemoryContext;
		plans = hash_create("publicdigit plans", 64, &ctl,
							HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	old = MemoryContextSwitchTo(begun->memory);
	copy = copyObject(plan);
	MemoryContextSwitchTo(old);

	kept = hash_search(plans, &key, HASH_FIND, NULL);
	if (kept != NULL)
		throw_away(kept);
	kept = hash_search(plans, &key, HASH_ENTER, NULL);
	kept->memory = begun->memory;
	kept->path = begun->path;
	kept->query = begun->query;
	kept->relations = begun->relations;
	kept->objects = begun->objects;
	kept->plan = copy;
	kept->is_valid = true;
	dlist_push_head(&by_use, &kept->node);
	MemoryContextSetParent(kept->memory, CacheMemoryContext);
	memory_used += MemoryContextMemAllocated(kept->memory, true);

	shrink(plan_memory);
}
