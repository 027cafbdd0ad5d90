/*-------------------------------------------------------------------------
 *
 * tied.c
 *	  Queries that work for one tenant from their start to their end.
 *
 * A query is tied when its plan reads tables and calls one of the functions
 * that tell what is bound: that of a protected table does, by its policies.  So
 * is one that reads anything in a tenant's schema, as the guard notices.  It
 * notes at its start what is bound, and from then on runs under no other
 * binding: neither when the binding changes in its midst, nor when a cursor goes
 * on after a switch.
 *
 * A function evaluated once, at the start of an index scan, would not notice a
 * change; so it is compared when the executor begins to run the query and when
 * it stops, and by pd_binding_to_use, which the functions call, in between.
 *
 * A tied query may not outlive its transaction as a held cursor: its rows
 * would be read when another tenant is bound.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "utils/guc.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "compat.h"
#include "context.h"
#include "tied.h"

/* A tied query that has started, and may go on. */
typedef struct TiedQuery
{
	const EState *estate;		/* whose memory this lies in */
	pg_uuid_t	tenant;			/* bound at the start; zeroes for none */
	dlist_node	node;			/* in "started" */
	MemoryContextCallback forget;
} TiedQuery;

static dlist_head started = DLIST_STATIC_INIT(started); /* the last one first */
static PdTie *running = NULL;	/* the innermost */
static bool require_tenant = false;

/*
 * pd_tied_init
 *		Define the setting.  Called once, by _PG_init.
 */
void
pd_tied_init(void)
{
	DefineCustomBoolVariable("publicdigit.require_tenant",
							 "Makes the use of a protected table an error when no tenant is bound.",
							 "Otherwise no rows are found.",
							 &require_tenant,
							 false,
							 PGC_USERSET,
							 0,
							 NULL, NULL, NULL);
}

/*
 * pd_tied_concerns
 *		Does a plan read tables, and call a function that tells what is bound?
 *
 * False in a parallel worker, whose plan comes without that list; what is
 * bound does not change there.
 */
bool
pd_tied_concerns(const PlannedStmt *plan)
{
	const PdCatalog *catalog;
	ListCell   *cell;

	if (plan->invalItems == NIL || plan->relationOids == NIL)
		return false;
	catalog = pd_catalog_of_plan();
	if (catalog == NULL)
		return false;

	foreach(cell, plan->invalItems)
	{
		PlanInvalItem *item = lfirst_node(PlanInvalItem, cell);

		if (item->cacheId != PROCOID)
			continue;
		for (int i = 0; i < lengthof(catalog->tying); i++)
		{
			if (item->hashValue == catalog->tying[i])
				return true;
		}
	}
	return false;
}

/*
 * report_changed
 *		Raise 55000 for a query whose binding is not the one that it began with.
 */
static void
report_changed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the bound tenant has changed while a query was reading rows"),
			 errdetail("One query works for one tenant only."),
			 errhint("Bind a tenant in a statement of its own; read a query to its end, or close its cursor, before binding another one.")));
}

/*
 * is_tied_to
 *		Is this what was bound when it began?
 */
static bool
is_tied_to(const PdTie *tie, const PdBinding *binding)
{
	return memcmp(&tie->tenant, &binding->tenant, UUID_LEN) == 0;
}

/*
 * pd_tied_is_checked
 *		Has what is bound been found right when the query that is running began,
 *		and has nothing changed since?
 */
bool
pd_tied_is_checked(void)
{
	return running != NULL && running->epoch == pd_epoch &&
		running->user == GetSessionUserId();
}

/*
 * pd_tied_allows
 *		Is this what the query that is running, if any, is tied to?
 */
bool
pd_tied_allows(const PdBinding *binding)
{
	return running == NULL || is_tied_to(running, binding);
}

/*
 * pd_tied_check_binding
 *		An error (55000) if the query that is running is tied to another one.
 */
void
pd_tied_check_binding(const PdBinding *binding)
{
	if (!pd_tied_allows(binding))
		report_changed();
}

/*
 * has_row_security
 *		Is row-level security enabled for a table?
 */
static bool
has_row_security(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * ensure_tenant_for_tables
 *		Under publicdigit.require_tenant, an error (42501) for a query that
 *		reads or writes a table with row-level security and no tenant is bound.
 */
static void
ensure_tenant_for_tables(const PlannedStmt *plan)
{
	ListCell   *cell;

	if (!require_tenant || pd_binding()->kind == PD_BOUND_TENANT)
		return;

	foreach(cell, plan->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

		if (has_row_security(pd_entry_relation(entry)))
			pd_report_no_tenant();
	}
}

/*
 * pd_tied_ensure_may_start
 *		An error unless a tied query may start now: 55000 in the midst of one
 *		for another tenant, 0A000 for a cursor that is to be held, 42501 under
 *		publicdigit.require_tenant.
 */
void
pd_tied_ensure_may_start(const QueryDesc *queryDesc)
{
	pd_tied_check_binding(pd_binding());
	ensure_tenant_for_tables(queryDesc->plannedstmt);

	if (ActivePortal != NULL &&
		(ActivePortal->cursorOptions & CURSOR_OPT_HOLD) != 0 &&
		list_member_ptr(ActivePortal->stmts, queryDesc->plannedstmt))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cursor \"%s\" of a tenant's rows cannot be held", ActivePortal->name),
				 errdetail("Declared WITH HOLD, it would return them after its transaction, when another tenant may be bound."),
				 errhint("Read it to its end in its transaction.  In Django, call .iterator() inside transaction.atomic(), or set DISABLE_SERVER_SIDE_CURSORS.")));
}

/*
 * forget_query
 *		Memory context callback: the query is gone.
 */
static void
forget_query(void *arg)
{
	dlist_delete(&((TiedQuery *) arg)->node);
}

/*
 * enter
 *		What runs from now on works for a tenant.
 */
static void
enter(PdTie *tie, const pg_uuid_t *tenant, uint64 epoch)
{
	tie->tenant = *tenant;
	tie->epoch = epoch;
	tie->user = GetSessionUserId();
	tie->outer = running;
	running = tie;
}

/*
 * pd_tied_enter
 *		What is planned or started now works for what is bound, until
 *		pd_tied_leave: both may call functions.  An error (55000) in the midst
 *		of a query for another tenant.
 */
void
pd_tied_enter(PdTie *tie)
{
	const PdBinding *binding = pd_binding();

	pd_tied_check_binding(binding);
	enter(tie, &binding->tenant, 0);
}

/*
 * pd_tied_start
 *		Tie a query to what is bound, until the executor frees its memory.
 */
void
pd_tied_start(const QueryDesc *queryDesc)
{
	MemoryContext memory = queryDesc->estate->es_query_cxt;
	TiedQuery  *query = MemoryContextAlloc(memory, sizeof(TiedQuery));

	query->estate = queryDesc->estate;
	query->tenant = pd_binding()->tenant;
	query->forget.func = forget_query;
	query->forget.arg = query;
	dlist_push_head(&started, &query->node);
	MemoryContextRegisterResetCallback(memory, &query->forget);
}

/*
 * is_being_held
 *		Does the server read a cursor to its end, to keep the rows beyond the
 *		transaction?  So it does with WITH HOLD, and with the query of a
 *		PL/pgSQL loop that commits.
 */
static bool
is_being_held(const QueryDesc *queryDesc)
{
	return ActivePortal != NULL && ActivePortal->queryDesc == queryDesc &&
		ActivePortal->holdStore != NULL;
}

/*
 * find
 *		A tied query that has started, or NULL.
 */
static TiedQuery *
find(const EState *estate)
{
	dlist_iter	iter;

	dlist_foreach(iter, &started)
	{
		TiedQuery  *query = dlist_container(TiedQuery, node, iter.cur);

		if (query->estate == estate)
			return query;
	}
	return NULL;
}

/*
 * pd_tied_begin
 *		The executor begins, or goes on, with a query.  If it is tied: true, and
 *		pd_tied_leave must be called.  Errors: those of pd_binding_check; 55000
 *		when something else is bound; 0A000 for a cursor that is being held.
 */
bool
pd_tied_begin(const QueryDesc *queryDesc, PdTie *tie)
{
	TiedQuery  *query = find(queryDesc->estate);
	uint64		epoch;

	if (query == NULL)
		return false;

	if (memcmp(&query->tenant, &pd_binding_check(&epoch)->tenant, UUID_LEN) != 0)
		report_changed();
	if (is_being_held(queryDesc))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a query of a tenant's rows cannot go on after its transaction"),
				 errdetail("COMMIT and ROLLBACK in a loop over the query would keep its rows, when another tenant may be bound."),
				 errhint("Read the rows' keys into an array first and loop over that, or commit after the loop.")));

	enter(tie, &query->tenant, epoch);
	return true;
}

/*
 * pd_tied_check_end
 *		The executor has run the query for now: an error (55000) if what is
 *		bound has changed meanwhile.
 */
void
pd_tied_check_end(const PdTie *tie)
{
	if (!is_tied_to(tie, pd_binding()))
		report_changed();
}

/*
 * pd_tied_leave
 *		Undo pd_tied_enter or pd_tied_begin; also after an error.
 */
void
pd_tied_leave(const PdTie *tie)
{
	running = tie->outer;
}
