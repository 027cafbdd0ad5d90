/*-------------------------------------------------------------------------
 *
 * deferred.c
 *	  Deferred triggers, which run as the tenant whose rows set them off.
 *
 * A constraint trigger that is deferred runs at COMMIT or at SET CONSTRAINTS,
 * with a row of the tenant that was bound at the write.  So nothing else may
 * be bound while one is pending.  The server scans all pending events to tell
 * whether a table has any; it is asked for those tables alone that have
 * deferrable triggers and that a tenant has written to in this transaction.
 *
 * The triggers of foreign and unique keys do not count.  They see what they
 * look for, whatever is bound.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "nodes/execnodes.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "deferred.h"

/* A table that has been written to, and as whom. */
typedef struct Written
{
	Oid			relid;
	pg_uuid_t	tenant;
} Written;

static List *written = NIL;		/* in TopTransactionContext */

/*
 * end_transaction
 *		Transaction callback: nothing is pending any more.
 */
static void
end_transaction(XactEvent event, void *arg)
{
	/* Deferred triggers run before the first two. */
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE ||
		event == XACT_EVENT_ABORT)
		written = NIL;
}

/*
 * pd_deferred_init
 *		Called once, by _PG_init.
 */
void
pd_deferred_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
}

/*
 * has_deferrable_trigger
 *		Does a table have a deferrable trigger that is no key's own?
 */
static bool
has_deferrable_trigger(const TriggerDesc *triggers)
{
	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (triggers->triggers[i].tgdeferrable && !triggers->triggers[i].tgisinternal)
			return true;
	}
	return false;
}

/*
 * note_tables
 *		Note those of a list of ResultRelInfo that have deferrable triggers.
 */
static void
note_tables(List *tables, const pg_uuid_t *tenant)
{
	ListCell   *cell;

	foreach(cell, tables)
	{
		ResultRelInfo *info = lfirst(cell);
		Oid			relid = RelationGetRelid(info->ri_RelationDesc);
		bool		known = false;
		ListCell   *other;

		if (!has_deferrable_trigger(info->ri_TrigDesc))
			continue;
		foreach(other, written)
		{
			Written    *table = lfirst(other);

			if (table->relid == relid &&
				memcmp(&table->tenant, tenant, UUID_LEN) == 0)
				known = true;
		}
		if (!known)
		{
			MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
			Written    *table = palloc(sizeof(Written));

			table->relid = relid;
			table->tenant = *tenant;
			written = lappend(written, table);
			MemoryContextSwitchTo(old);
		}
	}
}

/*
 * pd_deferred_note
 *		A query has written: note the tables that may have triggers pending.
 *
 * A module's script fires its own before it ends.
 */
void
pd_deferred_note(const QueryDesc *queryDesc)
{
	const PdBinding *binding = pd_binding();

	if (binding->kind != PD_BOUND_TENANT || binding->scope == PD_SCOPE_SCRIPT)
		return;
	note_tables(queryDesc->estate->es_opened_result_relations, &binding->tenant);
	note_tables(queryDesc->estate->es_tuple_routing_result_relations, &binding->tenant);
}

/*
 * pd_deferred_allows
 *		Are no deferred triggers pending but those that this tenant has set off?
 *		Else *relid, where it is wanted, is set to the table.
 */
bool
pd_deferred_allows(PdBindingKind kind, const pg_uuid_t *tenant, Oid *relid)
{
	ListCell   *cell;

	foreach(cell, written)
	{
		Written    *table = lfirst(cell);

		if (kind == PD_BOUND_TENANT &&
			memcmp(&table->tenant, tenant, UUID_LEN) == 0)
			continue;
		if (!AfterTriggerPendingOnRel(table->relid))
			continue;
		if (relid != NULL)
			*relid = table->relid;
		return false;
	}
	return true;
}

/*
 * pd_deferred_ensure_may_bind
 *		An error (55000) while deferred triggers are pending that another
 *		tenant has set off.
 */
void
pd_deferred_ensure_may_bind(PdBindingKind kind, const pg_uuid_t *tenant)
{
	Oid			relid;

	if (pd_deferred_allows(kind, tenant, &relid))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("deferred triggers of table \"%s\" are pending", get_rel_name(relid)),
			 errdetail("They belong to the tenant that was bound when they were set off, and run as it."),
			 errhint("Run SET CONSTRAINTS ALL IMMEDIATE while that tenant is bound.")));
}
