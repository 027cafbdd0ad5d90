/*-------------------------------------------------------------------------
 *
 * ledger.c
 *	  What is applied to a tenant or the landlord, and what ever was.
 *
 * The two ledgers, of the landlord and of tenants, have a row for what is
 * applied now: migrations, repeatable scripts and the installer.  Their history,
 * publicdigit.migration_event, only grows: what is undone leaves the ledger and
 * adds an event.  An installation keeps the head of the chain over its rows (see
 * chain.c), and the history says the same of them once more, so that a row that
 * somebody has changed by hand is found out before anything is built on it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "chain.h"
#include "errors.h"
#include "ledger.h"
#include "spi.h"

/* The two ledgers have the same columns. */
#define READ_FROM(ledger) \
	"SELECT migration, batch, checksum, statements FROM publicdigit." ledger \
	" WHERE installation_id = $1 ORDER BY migration COLLATE \"C\""

#define ADD_TO(ledger) \
	"INSERT INTO publicdigit." ledger \
	" (installation_id, migration, version, batch, checksum, statements, duration)" \
	" SELECT $1, $2, v.version, $4, $5, $6, make_interval(secs => greatest($7, 0))" \
	" FROM publicdigit.module_version AS v WHERE v.id = $3"

/* What was accepted or taken for granted has not run anew. */
#define REPLACE_IN(ledger) \
	"UPDATE publicdigit." ledger " AS l SET version = v.version, batch = $4," \
	" checksum = $5, statements = $6," \
	" duration = CASE WHEN $7 < 0 THEN l.duration ELSE make_interval(secs => $7) END," \
	" applied_at = CASE WHEN $7 < 0 THEN l.applied_at ELSE clock_timestamp() END," \
	" applied_by = CASE WHEN $7 < 0 THEN l.applied_by ELSE session_user END" \
	" FROM publicdigit.module_version AS v" \
	" WHERE l.installation_id = $1 AND l.migration = $2 AND v.id = $3"

#define REMOVE_FROM(ledger) \
	"DELETE FROM publicdigit." ledger " WHERE installation_id = $1 AND migration = $2"

/*
 * The head that the history's last event leads to, and a row that is otherwise than
 * the last event of its migration.  Nothing where there is no history.
 */
#define COMPARE_WITH_HISTORY(ledger) \
	"WITH last AS (" \
	" SELECT DISTINCT ON (e.migration) e.id, e.migration, e.head, e.version, e.batch, e.checksum" \
	" FROM publicdigit.migration_event AS e" \
	" WHERE (e.tenant_id = $2 OR $2 IS NULL AND e.tenant_id IS NULL) AND e.module = $3" \
	" ORDER BY e.migration, e.id DESC)" \
	" SELECT h.head, d.migration, d.in_ledger, d.in_history" \
	" FROM (SELECT head FROM last ORDER BY id DESC LIMIT 1) AS h" \
	" LEFT JOIN (SELECT l.migration," \
	"  concat_ws(', ', 'version ' || nullif(l.version::text, e.version)," \
	"   'batch ' || nullif(l.batch, e.batch), 'checksum ' || nullif(l.checksum, e.checksum)) AS in_ledger," \
	"  concat_ws(', ', 'version ' || nullif(e.version, l.version::text)," \
	"   'batch ' || nullif(e.batch, l.batch), 'checksum ' || nullif(e.checksum, l.checksum)) AS in_history" \
	"  FROM publicdigit." ledger " AS l JOIN last AS e ON e.migration = l.migration" \
	"  WHERE l.installation_id = $1" \
	"  AND (l.version::text, l.batch, l.checksum) <> (e.version, e.batch, e.checksum)" \
	"  ORDER BY l.migration COLLATE \"C\" LIMIT 1) AS d ON true"

/*
 * link_from
 *		Compute the chain over a ledger's rows anew from a position on.  Each row
 *		keeps the head up to itself, so that the last one goes, or another one
 *		comes after it, at the cost of one.
 */
static void
link_from(PdLedger *ledger, int position)
{
	ledger->head = position == 0 ? PD_CHAIN_EMPTY :
		((PdApplied *) list_nth(ledger->applied, position - 1))->head;
	for (int i = position; i < list_length(ledger->applied); i++)
	{
		PdApplied  *row = list_nth(ledger->applied, i);

		row->head = pd_chain_next(ledger->head, row->migration, row->statements);
		ledger->head = row->head;
	}
}

/*
 * report_tampering
 *		Raise PD002 for rows that somebody has changed.  The detail is in the
 *		current memory context.
 */
pg_noreturn static void
report_tampering(const PdLedger *ledger, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_PD_CHECKSUM),
			 errmsg("the ledger of module \"%s\" for %s is not as the extension has left it",
					ledger->module, pd_target_name(ledger->target)),
			 errdetail_internal("%s", detail),
			 errhint("%s", hint)));
}

/*
 * ensure_intact
 *		An error (PD002) where the rows do not lead to the head that is kept.
 */
static void
ensure_intact(const PdLedger *ledger, const PdInstallation *installed)
{
	if (strcmp(ledger->head, installed->head) != 0)
		report_tampering(ledger,
						 psprintf("Its rows lead to the head %s, and %s is kept.",
								  ledger->head, installed->head),
						 "The view publicdigit.migration_events tells what was applied; put the row back that somebody has changed, added or removed.");
}

/*
 * ensure_as_history
 *		An error (PD002) where the history tells otherwise of the rows, or of
 *		where they lead to.  The chain alone is over names and statements, and
 *		who changes rows and head together can make them fit.
 *
 * A history that somebody has removed is no fault of the rows.
 */
static void
ensure_as_history(const PdLedger *ledger)
{
	PdArg		args[] = {
		pd_datum(INT8OID, Int64GetDatum(ledger->installation)),
		pd_uuid(pd_target_tenant(ledger->target)),
		pd_text(ledger->module)
	};
	uint64		n = ledger->target->context == PD_TENANT ?
		pd_spi_query(COMPARE_WITH_HISTORY("tenant_migration"), args, lengthof(args)) :
		pd_spi_query(COMPARE_WITH_HISTORY("landlord_migration"), args, lengthof(args));
	const char *hint;

	if (n == 0)
		return;
	hint = psprintf("Somebody has changed one of the two by hand; put that back, in publicdigit.%s or in publicdigit.migration_event.",
					ledger->target->context == PD_TENANT ?
					"tenant_migration" : "landlord_migration");
	if (pd_spi_text(0, "migration") != NULL)
		report_tampering(ledger,
						 psprintf("Migration \"%s\" is there with %s; the history has %s.",
								  pd_spi_text(0, "migration"),
								  pd_spi_text(0, "in_ledger"), pd_spi_text(0, "in_history")),
						 hint);
	if (strcmp(ledger->head, pd_spi_text(0, "head")) != 0)
		report_tampering(ledger,
						 psprintf("Its rows lead to the head %s, and the history to %s.",
								  ledger->head, pd_spi_text(0, "head")),
						 hint);
}

/*
 * pd_ledger_open
 *		The ledger of an installation; an empty one for what is to be
 *		installed (NULL), whose "installation" the caller sets.
 *		Errors: PD002.
 */
PdLedger *
pd_ledger_open(const PdTarget *target, const char *module,
			   const PdInstallation *installed)
{
	PdLedger   *ledger = palloc0(sizeof(PdLedger));
	PdArg		id;
	uint64		n;

	ledger->target = target;
	ledger->module = module;
	ledger->head = PD_CHAIN_EMPTY;
	if (installed == NULL)
		return ledger;

	ledger->installation = installed->id;
	id = pd_datum(INT8OID, Int64GetDatum(installed->id));
	n = target->context == PD_TENANT ?
		pd_spi_query(READ_FROM("tenant_migration"), &id, 1) :
		pd_spi_query(READ_FROM("landlord_migration"), &id, 1);
	for (uint64 row = 0; row < n; row++)
	{
		PdApplied  *applied = palloc(sizeof(PdApplied));
		bool		isnull;

		applied->migration = pd_spi_text(row, "migration");
		applied->batch = DatumGetInt32(pd_spi_datum(row, "batch", &isnull));
		applied->checksum = pd_spi_text(row, "checksum");
		applied->statements = pd_spi_text(row, "statements");
		ledger->applied = lappend(ledger->applied, applied);
	}
	link_from(ledger, 0);
	ensure_intact(ledger, installed);
	ensure_as_history(ledger);
	return ledger;
}

/*
 * pd_ledger_find
 *		What is applied under a name; NULL where nothing is.
 */
const PdApplied *
pd_ledger_find(const PdLedger *ledger, const char *migration)
{
	ListCell   *cell;

	foreach(cell, ledger->applied)
	{
		const PdApplied *applied = lfirst(cell);

		if (strcmp(applied->migration, migration) == 0)
			return applied;
	}
	return NULL;
}

/*
 * pd_ledger_next_batch
 *		The number of the target's next batch: one more than it ever had, so
 *		that one that is undone is not confused with a later one.
 */
int32
pd_ledger_next_batch(const PdTarget *target)
{
	bool		isnull;

	if (target->context == PD_TENANT)
		pd_spi_query("SELECT coalesce(max(batch), 0) + 1 AS batch"
					 " FROM publicdigit.migration_event WHERE tenant_id = $1",
					 PD_ARGS(pd_uuid(&target->tenant.id)));
	else
		pd_spi_query("SELECT coalesce(max(batch), 0) + 1 AS batch"
					 " FROM publicdigit.migration_event WHERE tenant_id IS NULL", NULL, 0);
	return DatumGetInt32(pd_spi_datum(0, "batch", &isnull));
}

/*
 * last_batch
 *		The last batch of which the installation has a migration; 0 where it has
 *		none.
 */
static int32
last_batch(const PdLedger *ledger)
{
	int32		batch = 0;
	ListCell   *cell;

	foreach(cell, ledger->applied)
	{
		const PdApplied *applied = lfirst(cell);

		if (isdigit((unsigned char) applied->migration[0]))
			batch = Max(batch, applied->batch);
	}
	return batch;
}

/*
 * pd_ledger_former_batch
 *		The batch of what is run anew on the way down: that in which it was
 *		applied before another script took its place, so that it is undone with
 *		what it came with.  Where it was never applied before, the last batch of
 *		which a migration is left, or else the one that is made now.
 */
int32
pd_ledger_former_batch(const PdLedger *ledger, const PdScript *script,
					   int32 batch)
{
	int32		before = last_batch(ledger);
	int32		former;
	bool		isnull;
	ListCell   *cell;

	foreach(cell, ledger->removed)
	{
		const PdApplied *removed = lfirst(cell);

		if (strcmp(removed->migration, script->migration) == 0)
			before = removed->batch;
	}
	pd_spi_query("SELECT max(e.batch) AS batch FROM publicdigit.migration_event AS e"
				 " WHERE (e.tenant_id = $1 OR $1 IS NULL AND e.tenant_id IS NULL)"
				 " AND e.module = $2 AND e.migration = $3 AND e.checksum = $4"
				 " AND e.action IN ('applied', 'baselined') AND e.batch <= $5"
				 " AND e.at >= (SELECT i.installed_at FROM publicdigit.installation AS i WHERE i.id = $6)",
				 PD_ARGS(pd_uuid(pd_target_tenant(ledger->target)),
						 pd_text(ledger->module),
						 pd_text(script->migration),
						 pd_text(script->checksum),
						 pd_datum(INT4OID, Int32GetDatum(before)),
						 pd_datum(INT8OID, Int64GetDatum(ledger->installation))));
	former = DatumGetInt32(pd_spi_datum(0, "batch", &isnull));
	if (!isnull)
		return former;
	return last_batch(ledger) > 0 ? last_batch(ledger) : batch;
}

/*
 * pd_ledger_was_accepted
 *		Has somebody accepted another script in place of this one, as what makes
 *		no difference?  What was accepted before the migration was applied the
 *		last time was about something else.
 */
bool
pd_ledger_was_accepted(const PdLedger *ledger, const PdScript *script)
{
	return pd_spi_query("WITH event AS ("
						" SELECT e.id, e.action, e.former_checksum FROM publicdigit.migration_event AS e"
						" WHERE (e.tenant_id = $1 OR $1 IS NULL AND e.tenant_id IS NULL)"
						" AND e.module = $2 AND e.migration = $3)"
						" SELECT FROM event WHERE action = 'accepted' AND former_checksum = $4"
						" AND id > (SELECT coalesce(max(id), 0) FROM event"
						"  WHERE action IN ('applied', 'baselined')) LIMIT 1",
						PD_ARGS(pd_uuid(pd_target_tenant(ledger->target)),
								pd_text(ledger->module),
								pd_text(script->migration),
								pd_text(script->checksum))) > 0;
}

/*
 * write_row
 *		Enter what is applied into the target's ledger, or what it is now.
 */
static void
write_row(const PdLedger *ledger, const PdLedgerEntry *entry, bool replace)
{
	PdArg		args[] = {
		pd_datum(INT8OID, Int64GetDatum(ledger->installation)),
		pd_text(entry->migration),
		pd_datum(INT8OID, Int64GetDatum(entry->version_id)),
		pd_datum(INT4OID, Int32GetDatum(entry->batch)),
		pd_text(entry->checksum),
		pd_text(entry->statements),
		pd_datum(FLOAT8OID, Float8GetDatum(entry->seconds))
	};

	if (ledger->target->context == PD_TENANT)
		pd_spi_query(replace ? REPLACE_IN("tenant_migration") : ADD_TO("tenant_migration"),
					 args, lengthof(args));
	else
		pd_spi_query(replace ? REPLACE_IN("landlord_migration") : ADD_TO("landlord_migration"),
					 args, lengthof(args));
}

/*
 * delete_row
 *		Take what was applied out of the target's ledger.
 */
static void
delete_row(const PdLedger *ledger, const char *migration)
{
	PdArg		args[] = {
		pd_datum(INT8OID, Int64GetDatum(ledger->installation)),
		pd_text(migration)
	};

	if (ledger->target->context == PD_TENANT)
		pd_spi_query(REMOVE_FROM("tenant_migration"), args, lengthof(args));
	else
		pd_spi_query(REMOVE_FROM("landlord_migration"), args, lengthof(args));
}

/*
 * keep_event
 *		Add what has happened to the history.
 */
static void
keep_event(const PdLedger *ledger, const PdLedgerEntry *entry,
		   const char *action, const char *former_checksum)
{
	const PdTarget *target = ledger->target;
	PdArg		seconds = pd_datum(FLOAT8OID, Float8GetDatum(entry->seconds));

	seconds.isnull = entry->seconds < 0;
	pd_spi_query("INSERT INTO publicdigit.migration_event"
				 " (action, context, tenant_id, tenant, module, version, migration,"
				 "  batch, checksum, former_checksum, duration, reason, head)"
				 " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
				 "  make_interval(secs => $11), $12, $13)",
				 PD_ARGS(pd_text(action),
						 pd_text(pd_context_name(target->context)),
						 pd_uuid(pd_target_tenant(target)),
						 pd_text(target->context == PD_TENANT ? target->tenant.slug : NULL),
						 pd_text(ledger->module),
						 pd_text(entry->version),
						 pd_text(entry->migration),
						 pd_datum(INT4OID, Int32GetDatum(entry->batch)),
						 pd_text(entry->checksum),
						 pd_text(former_checksum),
						 seconds,
						 pd_text(entry->reason),
						 pd_text(ledger->head)));
}

/*
 * list_position
 *		Where in the list a migration is, or would be.
 */
static int
list_position(const List *applied, const char *migration)
{
	int			position = list_length(applied);

	while (position > 0 &&
		   strcmp(((PdApplied *) list_nth(applied, position - 1))->migration, migration) >= 0)
		position--;
	return position;
}

/*
 * pd_ledger_add
 *		Enter what has been applied.  The installation's head is the caller's
 *		to keep, once all is done.
 */
void
pd_ledger_add(PdLedger *ledger, const PdLedgerEntry *entry, const char *action)
{
	PdApplied  *applied = palloc(sizeof(PdApplied));
	int			position = list_position(ledger->applied, entry->migration);

	applied->migration = pstrdup(entry->migration);
	applied->batch = entry->batch;
	applied->checksum = pstrdup(entry->checksum);
	applied->statements = pstrdup(entry->statements);
	ledger->applied = list_insert_nth(ledger->applied, position, applied);
	link_from(ledger, position);

	write_row(ledger, entry, false);
	keep_event(ledger, entry, action, NULL);
}

/*
 * pd_ledger_replace
 *		Enter other content for what is applied already.
 */
void
pd_ledger_replace(PdLedger *ledger, const PdLedgerEntry *entry, const char *action)
{
	int			position = list_position(ledger->applied, entry->migration);
	PdApplied  *applied = list_nth(ledger->applied, position);
	char	   *former = applied->checksum;

	applied->batch = entry->batch;
	applied->checksum = pstrdup(entry->checksum);
	applied->statements = pstrdup(entry->statements);
	link_from(ledger, position);

	write_row(ledger, entry, true);
	keep_event(ledger, entry, action, former);
}

/*
 * pd_ledger_remove
 *		Take out what has been undone or discarded.
 */
void
pd_ledger_remove(PdLedger *ledger, const PdLedgerEntry *entry, const char *action)
{
	int			position = list_position(ledger->applied, entry->migration);

	ledger->removed = lappend(ledger->removed, list_nth(ledger->applied, position));
	ledger->applied = list_delete_nth_cell(ledger->applied, position);
	link_from(ledger, position);
	delete_row(ledger, entry->migration);
	keep_event(ledger, entry, action, NULL);
}

/*
 * pd_ledger_keep_head
 *		Let the installation keep the head of the chain as it is now.
 */
void
pd_ledger_keep_head(const PdLedger *ledger)
{
	pd_spi_query("UPDATE publicdigit.installation SET head = $2 WHERE id = $1",
				 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(ledger->installation)),
						 pd_text(ledger->head)));
}
