/*-------------------------------------------------------------------------
 *
 * reference_trigger.c
 *	  Triggers that keep tenants' rows and the landlord's keys together.
 *
 * They stand in for a foreign key, whose two sides would need each other's
 * locks whenever a tenant's table is made or dropped, and of which a landlord's
 * table with thousands of tenants would have thousands.
 *
 * - On the tenant's side each new value is looked for in the landlord's table,
 *	 whose row stays locked until the transaction ends.  The trigger is enabled
 *	 always: where rows are replicated, or loaded with triggers off, it checks
 *	 nothing but still notes which tenant uses which key.
 * - On the landlord's side one trigger asks which tenants may use a key that
 *	 goes, and reads the tables of these.
 *
 * Each table is read as its owner, and the registry as the extension's.  Values
 * are compared without anybody's code: keys are of built-in types.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog.h"
#include "compat.h"
#include "reference.h"
#include "registry.h"
#include "spi.h"

/* How many tenants an error names. */
#define NAMED_TENANTS	3

/* Beyond this many candidates an error says "up to" rather than read them all. */
#define COUNTED_TENANTS	100

/* The tenants that still refer to a key. */
typedef struct Referrers
{
	int			confirmed;		/* tenants whose rows were found */
	int			unread;			/* tenants that were not looked at */
	StringInfoData names;		/* of the first ones */
	char	   *table;			/* of the first one, with its column */
	char	   *column;
} Referrers;

PG_FUNCTION_INFO_V1(pd_check_landlord_reference);
PG_FUNCTION_INFO_V1(pd_keep_landlord_key);
PG_FUNCTION_INFO_V1(pd_forget_landlord_keys);

/*
 * ensure_called_as_trigger
 *		An error (39P01) for a call by hand, or by a trigger of another kind than
 *		pg_trigger.tgtype says; "fired" says the same in words.
 */
static TriggerData *
ensure_called_as_trigger(FunctionCallInfo fcinfo, const char *function,
						 int16 tgtype, const char *fired)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by a trigger", function)));
	if (trigdata->tg_trigger->tgtype != tgtype)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired %s", function, fired)));
	return trigdata;
}

/*
 * text_of
 *		A value as its type writes it.
 */
static char *
text_of(Oid type, Datum value)
{
	Oid			output;
	bool		is_varlena;

	getTypeOutputInfo(type, &output, &is_varlena);
	return OidOutputFunctionCall(output, value);
}

/*
 * landlord_module
 *		The module that made a table of the landlord; NULL where none did.
 */
static char *
landlord_module(Oid landlord)
{
	PdSpi		spi;
	MemoryContext caller = CurrentMemoryContext;
	char	   *module = NULL;

	pd_spi_begin(&spi);
	if (pd_spi_query("SELECT i.module FROM publicdigit.installation AS i"
					 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
					 " WHERE i.context = 'landlord' AND v.manifest->'tables' ? $1"
					 " ORDER BY 1 LIMIT 1",
					 PD_ARGS(pd_text(get_rel_name(landlord)))) > 0)
		module = MemoryContextStrdup(caller, pd_spi_text(0, "module"));
	pd_spi_end(&spi);
	return module;
}

/*
 * report_missing
 *		Raise 23503 for a value that the landlord's table does not have, in the
 *		words of a foreign key.
 */
pg_noreturn static void
report_missing(Relation rel, const char *name, const PdReference *reference,
			   const char *value)
{
	Oid			relid = RelationGetRelid(rel);
	char	   *column = get_attname(relid, reference->column, false);
	char	   *landlord = get_rel_name(reference->landlord);
	char	   *module = landlord_module(reference->landlord);
	bool		may_see = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck(relid, reference->column, GetUserId(), ACL_SELECT) == ACLCHECK_OK;

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("insert or update on table \"%s\" violates foreign key constraint \"%s\"",
					RelationGetRelationName(rel), name),
			 may_see ?
			 errdetail("Key (%s)=(%s) is not present in table \"%s\".", column, value, landlord) :
			 errdetail("Key is not present in table \"%s\".", landlord),
			 module != NULL ?
			 errhint("Seed the landlord's module first: SELECT publicdigit.seed_module(%s).",
					 quote_literal_cstr(module)) :
			 errhint("Let the landlord insert the key into \"%s.%s\" first.",
					 get_namespace_name(get_rel_namespace(reference->landlord)), landlord),
			 errtable(rel),
			 err_generic_string(PG_DIAG_CONSTRAINT_NAME, name)));
}

/*
 * pd_reference_check
 *		A row of a tenant has a new value in a column that refers to the
 *		landlord: an error (23503) unless the landlord's table has it.  Locks
 *		the landlord's row, and enters the tenant among those that use it.
 */
void
pd_reference_check(Relation rel, const char *name,
				   const PdReference *reference, Datum value)
{
	Oid			type = TupleDescAttr(RelationGetDescr(rel), reference->column - 1)->atttypid;
	Oid			nspid = RelationGetNamespace(rel);
	char	   *value_text = text_of(type, value);
	char	   *key = value_text;
	bool		found;
	pg_uuid_t	tenant;

	if (pd_reference_is_checked(reference->landlord, nspid, value_text))
		return;
	if (!pd_tenant_of_schema(nspid, &tenant))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has been moved out of its tenant's schema",
						RelationGetRelationName(rel)),
				 errhint("Drop trigger \"%s\", and use a foreign key.", name)));

	found = pd_reference_lock_key(reference->landlord, getBaseType(type), value, &key);
	if (found || SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		pd_reference_enter(reference->landlord, key, &tenant);

	if (found)
		pd_reference_note_checked(reference->landlord, nspid, value_text);
	else if (SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA)
		report_missing(rel, name, reference, value_text);
}

/*
 * check_landlord_reference()
 *		Trigger on a tenant's table, after INSERT and UPDATE of a row: its value
 *		must be a key of the landlord's table.
 */
Datum
pd_check_landlord_reference(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ensure_called_as_trigger(fcinfo, "check_landlord_reference",
													 PD_TRIGGER_TYPE_CHECK,
													 "AFTER INSERT OR UPDATE FOR EACH ROW");
	Relation	rel = trigdata->tg_relation;
	PdReference *reference = fcinfo->flinfo->fn_extra;
	TupleTableSlot *slot = trigdata->tg_trigslot;
	Datum		value;
	bool		isnull;

	/* The server keeps flinfo for one trigger and one statement. */
	if (reference == NULL)
	{
		reference = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(PdReference));
		pd_reference_read(rel, trigdata->tg_trigger, reference);
		fcinfo->flinfo->fn_extra = reference;
	}

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		slot = trigdata->tg_newslot;
	value = slot_getattr(slot, reference->column, &isnull);
	if (isnull)
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(rel), reference->column - 1);
		bool		old_isnull;
		Datum		old = slot_getattr(trigdata->tg_trigslot, reference->column, &old_isnull);

		if (!old_isnull &&
			datum_image_eq(old, value, attribute->attbyval, attribute->attlen))
			return PointerGetDatum(NULL);
	}
	pd_reference_check(rel, trigdata->tg_trigger->tgname, reference, value);
	return PointerGetDatum(NULL);
}

/*
 * find_referrers
 *		Look for a key in the tables of the tenants that may use it.  Must be
 *		called inside pd_spi_begin, for the registry; the tables are read as
 *		their owners.
 */
static void
find_referrers(Oid landlord, const char *key, Oid type, Datum value,
			   Referrers *referrers)
{
	uint64		n;
	SPITupleTable *result;
	char	   *last = NULL;	/* the tenant that was looked at last */
	bool		found = false;	/* and whether it refers to the key */
	int			looked_at = 0;

	MemSet(referrers, 0, sizeof(Referrers));
	initStringInfo(&referrers->names);
	n = pd_spi_query_latest("SELECT x.slug, format('%I.%I', n.nspname, c.relname) AS table_name,"
							" quote_ident(r.column_name) AS column_name, c.oid, a.attnum"
							" FROM (SELECT DISTINCT tenant_id FROM publicdigit.landlord_reference_key"
							"  WHERE landlord_table = $1 AND key = $2) AS k"
							" JOIN publicdigit.tenant AS x ON x.id = k.tenant_id"
							/* and what comes back from the archive must find its keys */
							" CROSS JOIN LATERAL (SELECT x.schema_name AS name UNION ALL"
							"  SELECT format('" PD_ARCHIVE_PREFIX "%s_%s', replace(x.id::text, '-', ''), i.id)::name"
							"  FROM publicdigit.installation AS i"
							"  WHERE i.tenant_id = x.id AND i.status = 'archived') AS s"
							" JOIN pg_namespace AS n ON n.nspname = s.name"
							" JOIN pg_class AS c ON c.relnamespace = n.oid"
							" JOIN publicdigit.landlord_references AS r"
							"  ON r.table_name = c.oid AND r.landlord_table = $1"
							" JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = r.column_name"
							" ORDER BY x.slug, table_name, column_name",
							PD_ARGS(pd_datum(REGCLASSOID, ObjectIdGetDatum(landlord)),
									pd_text(key)));
	result = SPI_tuptable;
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		char	   *tenant;
		char	   *table;
		char	   *column;
		Oid			relid;

		CHECK_FOR_INTERRUPTS();
		SPI_tuptable = result;
		tenant = pd_spi_text(row, "slug");
		if (last == NULL || strcmp(tenant, last) != 0)
		{
			found = false;
			last = tenant;
			if (looked_at++ >= COUNTED_TENANTS && referrers->confirmed >= NAMED_TENANTS)
			{
				referrers->unread++;
				continue;
			}
		}
		else if (found || referrers->unread > 0)
			continue;

		table = pd_spi_text(row, "table_name");
		column = pd_spi_text(row, "column_name");
		relid = DatumGetObjectId(pd_spi_datum(row, "oid", &isnull));
		found = pd_reference_refers(relid,
									DatumGetInt16(pd_spi_datum(row, "attnum", &isnull)),
									type, value);
		if (!found)
			continue;
		if (referrers->confirmed++ == 0)
		{
			referrers->table = table;
			referrers->column = column;
		}
		if (referrers->confirmed <= NAMED_TENANTS)
			appendStringInfo(&referrers->names, "%s%s",
							 referrers->confirmed > 1 ? ", " : "", tenant);
	}
}

/*
 * report_referred
 *		Raise 23503 for a key that tenants' rows still refer to.
 */
pg_noreturn static void
report_referred(Relation rel, AttrNumber column, const char *value,
				const Referrers *referrers)
{
	int			total = referrers->confirmed + referrers->unread;

	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("update or delete on table \"%s\" violates references of tenants",
					RelationGetRelationName(rel)),
			 errdetail_plural("Key (%s)=(%s) is still referenced by %s%d tenant: %s%s.",
							  "Key (%s)=(%s) is still referenced by %s%d tenants: %s%s.",
							  total,
							  get_attname(RelationGetRelid(rel), column, false), value,
							  referrers->unread > 0 ? "up to " : "", total,
							  referrers->names.data,
							  total > NAMED_TENANTS ? " and others" : ""),
			 errhint("Let the tenants' rows refer to other keys first; the first table is %s, column %s.",
					 referrers->table, referrers->column),
			 errtable(rel)));
}

/*
 * keep_key
 *		A key of the landlord has been deleted or changed: an error (23503) if
 *		tenants' rows refer to it.
 *
 * Who refers to it has locked its row before, and has been waited for, so that
 * whatever there is has been committed.  It may be there again, in another
 * row, as the rule of SQL for NO ACTION has it.
 */
static void
keep_key(Relation rel, AttrNumber column, Datum value)
{
	Oid			landlord = RelationGetRelid(rel);
	Oid			type = getBaseType(TupleDescAttr(RelationGetDescr(rel), column - 1)->atttypid);
	char	   *key = text_of(type, value);
	char	   *found;
	Referrers	referrers;
	PdSpi		spi;

	pd_reference_forget_checked();
	if (!pd_reference_is_used(landlord, key))
		return;
	if (pd_reference_lock_key(landlord, type, value, &found))
	{
		if (strcmp(found, key) != 0)
			pd_reference_respell(landlord, key, found);
		return;
	}

	pd_spi_begin(&spi);
	find_referrers(landlord, key, type, value, &referrers);
	if (referrers.confirmed > 0)
		report_referred(rel, column, key, &referrers);
	pd_spi_end(&spi);
	pd_reference_remove(landlord, key);
}

/*
 * keep_table
 *		An error (0A000) for TRUNCATE of a table that a tenant's table refers to,
 *		whatever it holds, as for a foreign key.
 */
static void
keep_table(Relation rel)
{
	PdSpi		spi;

	pd_reference_forget_checked();
	pd_spi_begin(&spi);
	if (pd_spi_query_latest("SELECT format('%I.%I', n.nspname, c.relname) AS name"
							" FROM publicdigit.landlord_references AS r"
							" JOIN pg_class AS c ON c.oid = r.table_name"
							" JOIN pg_namespace AS n ON n.oid = c.relnamespace"
							" WHERE r.landlord_table = $1 ORDER BY n.nspname, c.relname LIMIT 1",
							PD_ARGS(pd_datum(REGCLASSOID, ObjectIdGetDatum(RelationGetRelid(rel))))) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot truncate table \"%s\", to which tenants refer",
						RelationGetRelationName(rel)),
				 errdetail("Table \"%s\" refers to it.", pd_spi_text(0, "name")),
				 errhint("Use DELETE, which looks at each key."),
				 errtable(rel)));
	pd_spi_end(&spi);
}

/*
 * keep_landlord_key()
 *		Trigger on a landlord's table, after DELETE and UPDATE of a row and
 *		before TRUNCATE.
 */
Datum
pd_keep_landlord_key(PG_FUNCTION_ARGS)
{
	bool		is_truncate = CALLED_AS_TRIGGER(fcinfo) &&
		TRIGGER_FIRED_BY_TRUNCATE(((TriggerData *) fcinfo->context)->tg_event);
	TriggerData *trigdata = ensure_called_as_trigger(fcinfo, "keep_landlord_key",
													 is_truncate ? PD_TRIGGER_TYPE_TRUNCATE :
													 PD_TRIGGER_TYPE_KEY,
													 is_truncate ? "BEFORE TRUNCATE" :
													 "AFTER UPDATE OR DELETE FOR EACH ROW");
	Relation	rel = trigdata->tg_relation;
	PdReference reference;
	Form_pg_attribute attribute;
	Datum		value;
	bool		isnull;

	if (is_truncate)
	{
		keep_table(rel);
		return PointerGetDatum(NULL);
	}

	pd_reference_read(rel, trigdata->tg_trigger, &reference);
	attribute = TupleDescAttr(RelationGetDescr(rel), reference.column - 1);
	value = slot_getattr(trigdata->tg_trigslot, reference.column, &isnull);
	if (isnull)
		return PointerGetDatum(NULL);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		bool		new_isnull;
		Datum		new = slot_getattr(trigdata->tg_newslot, reference.column, &new_isnull);

		if (!new_isnull &&
			datum_image_eq(value, new, attribute->attbyval, attribute->attlen))
			return PointerGetDatum(NULL);
	}
	keep_key(rel, reference.column, value);
	return PointerGetDatum(NULL);
}

/*
 * forget_landlord_keys()
 *		Trigger on the registry of tenants, after DELETE of a row.
 */
Datum
pd_forget_landlord_keys(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = ensure_called_as_trigger(fcinfo, "forget_landlord_keys",
													 TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE,
													 "AFTER DELETE FOR EACH ROW");
	Oid			relid = RelationGetRelid(trigdata->tg_relation);
	Datum		id;
	bool		isnull;
	PdSpi		spi;

	if (relid != pd_catalog()->tenant)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" is for triggers of table \"%s\" alone",
						"forget_landlord_keys", "publicdigit.tenant")));
	id = slot_getattr(trigdata->tg_trigslot, get_attnum(relid, "id"), &isnull);
	pd_spi_begin(&spi);
	pd_spi_query("DELETE FROM publicdigit.landlord_reference_key WHERE tenant_id = $1",
				 PD_ARGS(pd_datum(UUIDOID, id)));
	pd_spi_end(&spi);
	return PointerGetDatum(NULL);
}
