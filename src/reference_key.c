/*-------------------------------------------------------------------------
 *
 * reference_key.c
 *	  Keys of the landlord's tables, and which tenants may use them.
 *
 * A tenant that uses a key of the landlord holds a lock on its row, FOR KEY
 * SHARE, from before it is entered in landlord_reference_key until its
 * transaction ends.  Whoever deletes the key, or changes it, must have locked
 * the row the other way before its trigger looks into that table.  So it sees
 * every entry there is, and no entry goes while somebody relies on it.
 *
 * An entry has the key as the landlord's own row spells it: where 1.0 and 1.00
 * are equal, that is one text for both.
 *
 * Within a transaction a key is checked once: its row stays locked, and its
 * entry stays.  What a subtransaction has checked is forgotten when that is
 * rolled back, and everything when this transaction takes a key away itself or
 * any table has been altered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_index.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/relcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "inval.h"
#include "protect.h"
#include "reference.h"
#include "spi.h"

/* Beyond this many keys a transaction checks each one again. */
#define CHECKED_MAX		10000

/* How to lock the landlord's row of a key; kept for the life of the backend. */
typedef struct KeyPlan
{
	struct
	{
		Oid			landlord;
		Oid			type;		/* of the value that is looked for */
	}			id;				/* hash key */
	SPIPlanPtr	plan;			/* NULL: not made yet */
} KeyPlan;

/* A value that this transaction has checked for a schema; a hash key. */
typedef struct Checked
{
	Oid			landlord;
	Oid			nspid;
	char		value[56];		/* longer ones are not noted */
} Checked;

static HTAB *key_plans = NULL;
static HTAB *checked = NULL;	/* until the transaction ends */
static bool is_outdated = false;	/* forget "checked" before it is read */

/*
 * pd_reference_forget_checked
 *		Check every key again from now on.
 */
void
pd_reference_forget_checked(void)
{
	HTAB	   *outdated = checked;

	is_outdated = false;
	checked = NULL;
	if (outdated != NULL)
		hash_destroy(outdated);
}

/*
 * xact_callback
 *		The transaction ends, and with it the locks.
 */
static void
xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_PRE_COMMIT && event != XACT_EVENT_PRE_PREPARE)
		pd_reference_forget_checked();
}

/*
 * subxact_callback
 *		A subtransaction is rolled back, and its locks with it.
 */
static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid,
				 SubTransactionId parentSubid, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		pd_reference_forget_checked();
}

/*
 * pd_reference_table_changed
 *		Any table may have been altered: its triggers may be off, its rows gone
 *		without them.
 */
void
pd_reference_table_changed(Oid relid)
{
	is_outdated = true;
}

/*
 * pd_reference_init
 *		Called once, by _PG_init.
 */
void
pd_reference_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}

/*
 * make_checked
 *		The hash key of a value; false where it is too long.
 */
static bool
make_checked(Checked *key, Oid landlord, Oid nspid, const char *value)
{
	MemSet(key, 0, sizeof(Checked));
	key->landlord = landlord;
	key->nspid = nspid;
	return strlcpy(key->value, value, sizeof(key->value)) < sizeof(key->value);
}

/*
 * pd_reference_is_checked
 *		Has this transaction checked a value for the tenant of a schema?
 */
bool
pd_reference_is_checked(Oid landlord, Oid nspid, const char *value)
{
	Checked		key;

	if (is_outdated)
		pd_reference_forget_checked();
	return checked != NULL && make_checked(&key, landlord, nspid, value) &&
		hash_search(checked, &key, HASH_FIND, NULL) != NULL;
}

/*
 * pd_reference_note_checked
 *		Note that it has.
 */
void
pd_reference_note_checked(Oid landlord, Oid nspid, const char *value)
{
	Checked		key;

	if (!make_checked(&key, landlord, nspid, value))
		return;
	if (checked == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(Checked);
		ctl.entrysize = sizeof(Checked);
		ctl.hcxt = TopMemoryContext;
		checked = hash_create("publicdigit checked references", 64, &ctl,
							  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	if (hash_get_num_entries(checked) < CHECKED_MAX)
		(void) hash_search(checked, &key, HASH_ENTER, NULL);
}

/*
 * is_unique
 *		Has a table a unique index of one column alone, as a foreign key asks
 *		for?  Without it a change of the column would not wait for whoever has
 *		locked the row FOR KEY SHARE.
 */
static bool
is_unique(Relation rel, AttrNumber column)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *cell;
	bool		result = false;

	foreach(cell, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			continue;
		index = (Form_pg_index) GETSTRUCT(tuple);
		if (index->indisunique && index->indimmediate && index->indisvalid &&
			index->indnkeyatts == 1 && index->indkey.values[0] == column &&
			heap_attisnull(tuple, Anum_pg_index_indpred, NULL))
			result = true;
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	return result;
}

/*
 * pd_reference_key_column
 *		The column of a landlord's table that tenants' values are looked for
 *		in; an error (55000) where it can no longer be referred to.
 */
AttrNumber
pd_reference_key_column(Relation landlord)
{
	TriggerDesc *triggers = landlord->trigdesc;
	PdReference reference = {0};

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (strcmp(trigger->tgname, PD_TRIGGER_KEY) == 0 &&
			get_func_namespace(trigger->tgfoid) == pd_catalog()->schema)
			pd_reference_read(landlord, trigger, &reference);
	}
	if (reference.column == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" is not shared with tenants", RelationGetRelationName(landlord)),
				 errhint("Run SELECT publicdigit.share_table('%s') first.",
						 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(landlord)),
													RelationGetRelationName(landlord)))));
	if (!is_unique(landlord, reference.column))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no primary key of column \"%s\" any more",
						RelationGetRelationName(landlord),
						get_attname(RelationGetRelid(landlord), reference.column, false)),
				 errdetail("Tables of tenants refer to it."),
				 errhint("Add the primary key again.")));
	return reference.column;
}

/*
 * ensure_may_refer
 *		An error (55000, 42804) unless values of a type may be looked for in a
 *		column of a landlord's table.  reference_landlord() has seen to it, but
 *		the table may have been protected since, and a restored trigger is made
 *		without it.
 */
static void
ensure_may_refer(Relation landlord, AttrNumber column, Oid type)
{
	Oid			key_type = TupleDescAttr(RelationGetDescr(landlord), column - 1)->atttypid;

	if (pd_is_protected(RelationGetRelid(landlord), NULL))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" holds rows of tenants, and cannot be referred to",
						RelationGetRelationName(landlord)),
				 errhint("Drop the triggers that refer to it; the view publicdigit.landlord_references lists them.")));
	if (pd_reference_key_family(type) != pd_reference_key_family(key_type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of type %s cannot refer to column \"%s\" of table \"%s\"",
						format_type_be(type),
						get_attname(RelationGetRelid(landlord), column, false),
						RelationGetRelationName(landlord)),
				 errdetail("It is of type %s.", format_type_be(key_type)),
				 errhint("Give both the same type.")));
}

/*
 * key_plan
 *		The plan that locks the row of a key of a landlord's table, which is
 *		open.  A plan that an invalidation has hit is made anew: its text has
 *		names, which may be other tables' now.  Must be called inside
 *		pd_reference_begin for the table.
 */
static SPIPlanPtr
key_plan(Relation landlord, Oid type)
{
	KeyPlan    *entry;
	KeyPlan		key = {{0}};
	bool		found;

	if (key_plans == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(key.id);
		ctl.entrysize = sizeof(KeyPlan);
		ctl.hcxt = TopMemoryContext;
		key_plans = hash_create("publicdigit landlord keys", 16, &ctl,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	key.id.landlord = RelationGetRelid(landlord);
	key.id.type = type;
	entry = hash_search(key_plans, &key.id, HASH_ENTER, &found);
	if (!found)
		entry->plan = NULL;
	if (entry->plan != NULL && !SPI_plan_is_valid(entry->plan))
	{
		SPIPlanPtr	outdated = entry->plan;

		entry->plan = NULL;
		SPI_freeplan(outdated);
	}
	if (entry->plan == NULL)
	{
		AttrNumber	key_column = pd_reference_key_column(landlord);
		const char *column = quote_identifier(get_attname(RelationGetRelid(landlord),
														  key_column, false));
		SPIPlanPtr	plan;

		ensure_may_refer(landlord, key_column, type);
		plan = SPI_prepare(psprintf("SELECT x.%s AS key FROM ONLY %s AS x"
									" WHERE x.%s OPERATOR(pg_catalog.=) $1 FOR KEY SHARE OF x",
									column,
									pd_reference_table_name(RelationGetRelid(landlord)),
									column),
						   1, &type);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare the look-up of a landlord's key: %s",
				 SPI_result_code_string(SPI_result));
		entry->plan = plan;
	}
	return entry->plan;
}

/*
 * pd_reference_lock_key
 *		Lock the landlord's row that has a value as its key, until the
 *		transaction ends; false when there is none.  *key is set to the key as
 *		text, in the current memory context.
 *
 * The snapshot is the latest: a row that was made after this transaction's is
 * there to be referred to, and one that has gone since is not.
 */
bool
pd_reference_lock_key(Oid landlord, Oid type, Datum value, char **key)
{
	MemoryContext caller = CurrentMemoryContext;
	Relation	rel;
	bool		found;
	int			rc;
	PdSpi		spi;

	if (!pd_reference_begin(&spi, landlord, RowShareLock))
		return false;
	rel = table_open(landlord, NoLock);
	rc = SPI_execute_snapshot(key_plan(rel, type), &value, NULL, pd_latest_snapshot(),
							  InvalidSnapshot, false, false, 1);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "could not look up a landlord's key: %s", SPI_result_code_string(rc));
	table_close(rel, NoLock);
	found = SPI_processed > 0;
	if (found)
		*key = MemoryContextStrdup(caller, pd_spi_text(0, "key"));
	pd_spi_end(&spi);
	return found;
}

/*
 * run_on_registry
 *		Run a statement that writes to the registry, under the latest snapshot.
 */
static void
run_on_registry(const char *sql, const PdArg *args, int nargs)
{
	PdSpi		spi;

	pd_spi_begin(&spi);
	pd_spi_query_latest(sql, args, nargs);
	pd_spi_end(&spi);
}

/*
 * write_registry
 *		The same, also where a module's script is running: it may not write
 *		there, but its statement may well be what led here.
 */
static void
write_registry(const char *sql, const PdArg *args, int nargs)
{
	PdScriptRun *script = pd_script_running();

	if (script == NULL)
	{
		run_on_registry(sql, args, nargs);
		return;
	}
	PG_TRY();
	{
		pd_script_set_running(NULL);
		run_on_registry(sql, args, nargs);
	}
	PG_FINALLY();
	{
		pd_script_set_running(script);
	}
	PG_END_TRY();
}

/*
 * is_entered
 *		Is a tenant, or any for NULL, entered as one that may use a key?
 *
 * Not by SQL: a plan that was made while the table was small would read all of
 * it for each key of a transaction that fills it.
 */
static bool
is_entered(Oid landlord, const char *key, const pg_uuid_t *tenant)
{
	Oid			schema = pd_catalog()->schema;
	Relation	rel = table_open(get_relname_relid("landlord_reference_key", schema),
								 AccessShareLock);
	Oid			index = get_relname_relid(tenant == NULL ? "landlord_reference_key_landlord_idx" :
										  "landlord_reference_key_tenant_idx", schema);
	Oid			relid = RelationGetRelid(rel);
	Snapshot	snapshot = RegisterSnapshot(pd_latest_snapshot());
	ScanKeyData keys[3];
	int			n = 0;
	SysScanDesc scan;
	bool		found;

	if (!OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("an index of table \"%s\" is missing", RelationGetRelationName(rel)),
				 errhint("Restore the extension's tables.")));
	if (tenant != NULL)
		ScanKeyInit(&keys[n++], get_attnum(relid, "tenant_id"), BTEqualStrategyNumber,
					F_UUID_EQ, UUIDPGetDatum(tenant));
	ScanKeyInit(&keys[n++], get_attnum(relid, "landlord_table"), BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(landlord));
	/* ScanKeyInit compares by collation "C", which the column has. */
	ScanKeyInit(&keys[n++], get_attnum(relid, "key"), BTEqualStrategyNumber,
				F_TEXTEQ, CStringGetTextDatum(key));
	scan = systable_beginscan(rel, index, true, snapshot, n, keys);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * pd_reference_is_used
 *		Is any tenant entered as one that may use a key?
 */
bool
pd_reference_is_used(Oid landlord, const char *key)
{
	return is_entered(landlord, key, NULL);
}

/*
 * pd_reference_enter
 *		Enter a tenant as one that may use a key, unless it is.  Must be called
 *		with the key's row locked.
 *
 * An entry that another session has not committed yet is not seen, and is made
 * again rather than waited for.
 */
void
pd_reference_enter(Oid landlord, const char *key, const pg_uuid_t *tenant)
{
	PdArg		args[] = {
		pd_datum(REGCLASSOID, ObjectIdGetDatum(landlord)),
		pd_text(key),
		pd_uuid(tenant)
	};

	if (!is_entered(landlord, key, tenant))
		write_registry("INSERT INTO publicdigit.landlord_reference_key"
					   " (landlord_table, key, tenant_id) VALUES ($1, $2, $3)",
					   args, lengthof(args));
}

/*
 * pd_reference_remove
 *		Remove the entries of a key that no tenant uses any more.  Must be
 *		called by whoever takes the key away.
 */
void
pd_reference_remove(Oid landlord, const char *key)
{
	PdArg		args[] = {
		pd_datum(REGCLASSOID, ObjectIdGetDatum(landlord)),
		pd_text(key)
	};

	write_registry("DELETE FROM publicdigit.landlord_reference_key"
				   " WHERE landlord_table = $1 AND key = $2",
				   args, lengthof(args));
}

/*
 * pd_reference_respell
 *		A key is another text now, though it is equal to what it was, as 1.0 and
 *		1.00 are: let the entries say so.  Must be called by whoever has changed
 *		the key.
 */
void
pd_reference_respell(Oid landlord, const char *key, const char *spelled)
{
	PdArg		args[] = {
		pd_datum(REGCLASSOID, ObjectIdGetDatum(landlord)),
		pd_text(key),
		pd_text(spelled)
	};

	write_registry("UPDATE publicdigit.landlord_reference_key SET key = $3"
				   " WHERE landlord_table = $1 AND key = $2",
				   args, lengthof(args));
}
