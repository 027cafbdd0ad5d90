/*-------------------------------------------------------------------------
 *
 * fingerprint.c
 *	  What is true of the objects of a schema, and fingerprint().
 *
 * One query reads the catalogs for a whole schema.  It is planned once, under
 * the safe path, with every function and operator found in pg_catalog, and is
 * then opened as a cursor; only before its rows are fetched does the tenant's
 * schema come into the path, so that the server's own pg_get_...def() functions
 * leave it out of the names that they print.  pg_catalog stays first: those
 * functions run queries of their own, which must not find an operator that
 * somebody has put into the tenant's schema.  They open tables, too, and that may
 * run functions of the modules': so it is the owner role that runs the query, in
 * which nothing is that not anybody may read.  A name
 * that pg_catalog has as well is therefore printed with its schema, and so is
 * one in the text of a function; "@schema" takes its place.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "fingerprint.h"
#include "fingerprint_query.h"
#include "install.h"
#include "module_object.h"
#include "script.h"
#include "spi.h"

/* What names the target's schema where its name is printed. */
#define SCHEMA_MARK		"@schema"

/* Columns of the query that are text, after class and parent. */
typedef enum QueryColumn
{
	QUERY_SUB = 3,
	QUERY_NAME,
	QUERY_PROPERTY,
	QUERY_VALUE
} QueryColumn;

static SPIPlanPtr query_plan = NULL;

/*
 * set_for_query
 *		Set a parameter until the GUC nest level ends.
 */
static void
set_for_query(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * pin_settings
 *		What the texts depend on, as pg_dump has it; and a plan that finds rows
 *		by their OIDs, however many tenants' rows the catalogs hold.
 */
static void
pin_settings(void)
{
	set_for_query("DateStyle", "ISO");
	set_for_query("IntervalStyle", "postgres");
	set_for_query("TimeZone", "UTC");
	set_for_query("extra_float_digits", "1");
	set_for_query("bytea_output", "hex");

	set_for_query("enable_seqscan", "off");
	set_for_query("enable_hashjoin", "off");
	set_for_query("enable_mergejoin", "off");
	set_for_query("jit", "off");
	set_for_query("plan_cache_mode", "force_generic_plan");
}

/*
 * prepare_query
 *		The plan, made at its first use and kept.
 */
static SPIPlanPtr
prepare_query(void)
{
	Oid			types[] = {OIDARRAYOID, OIDARRAYOID, OIDARRAYOID, OIDARRAYOID,
	OIDARRAYOID, NAMEOID, NAMEOID, NAMEOID};

	if (query_plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(PD_FINGERPRINT_QUERY, lengthof(types), types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		query_plan = plan;
	}
	return query_plan;
}

/*
 * run_query
 *		Run the query for objects; its rows are in SPI_tuptable.
 */
static uint64
run_query(const char *schema, List *objects)
{
	const PdCatalog *catalog = pd_catalog_set_up();
	NameData	roles[3] = {catalog->owner_role, catalog->app_role, catalog->admin_role};
	List	   *oids[5] = {NIL, NIL, NIL, NIL, NIL};
	Datum		values[8];
	Portal		portal;
	int			nestlevel;
	uint64		rows;
	ListCell   *cell;

	foreach(cell, objects)
	{
		const ObjectAddress *address = &((PdModuleObject *) lfirst(cell))->address;
		int			i = address->classId == RelationRelationId ? 0 :
			address->classId == ProcedureRelationId ? 1 :
			address->classId == TypeRelationId ? 2 : 4;

		oids[i] = lappend_oid(oids[i], address->objectId);
		if (i == 4)
			oids[3] = lappend_oid(oids[3], address->classId);
	}
	for (int i = 0; i < 5; i++)
		values[i] = pd_oid_array(oids[i]).value;
	for (int i = 0; i < 3; i++)
		values[5 + i] = NameGetDatum(&roles[i]);

	nestlevel = NewGUCNestLevel();
	pin_settings();
	portal = SPI_cursor_open(NULL, prepare_query(), values, NULL, false);
	set_for_query("search_path", psprintf("pg_catalog, %s, pg_temp", quote_identifier(schema)));
	SPI_cursor_fetch(portal, true, FETCH_ALL);
	rows = SPI_processed;
	AtEOXact_GUC(true, nestlevel);
	SPI_cursor_close(portal);
	return rows;
}

/*
 * compare_addresses
 *		For qsort and bsearch: by class and OID.
 */
static int
compare_addresses(const void *a, const void *b)
{
	const ObjectAddress *left = &(*(PdModuleObject *const *) a)->address;
	const ObjectAddress *right = &(*(PdModuleObject *const *) b)->address;

	if (left->classId != right->classId)
		return left->classId < right->classId ? -1 : 1;
	if (left->objectId != right->objectId)
		return left->objectId < right->objectId ? -1 : 1;
	return 0;
}

/*
 * pd_item_compare
 *		The order of items: an object comes before its parts, and what it is
 *		before its properties.
 */
int
pd_item_compare(const PdItem *a, const PdItem *b)
{
	int			order = strcmp(a->whole, b->whole);

	if (order != 0)
		return order;
	if (strcmp(a->object, b->object) != 0)
	{
		if (strcmp(a->object, a->whole) == 0)
			return -1;
		if (strcmp(b->object, b->whole) == 0)
			return 1;
		return strcmp(a->object, b->object);
	}
	return strcmp(a->property, b->property);
}

/*
 * compare_cells
 *		The same for list_sort.
 */
static int
compare_cells(const ListCell *a, const ListCell *b)
{
	return pd_item_compare(lfirst(a), lfirst(b));
}

/*
 * text_in
 *		A text of a row of the query; NULL for null.  By its place, since a name is
 *		looked for anew in each of thousands of rows.
 */
static char *
text_in(uint64 row, QueryColumn column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
									  column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/*
 * make_item
 *		An item from a row of the query.
 */
static PdItem *
make_item(uint64 row, const PdModuleObject *object, const PdTarget *target)
{
	PdItem	   *item = palloc(sizeof(PdItem));
	char	   *sub = text_in(row, QUERY_SUB);

	item->module = object->module;
	item->whole = object->name;
	item->object = sub == NULL ? item->whole :
		psprintf("%s %s.%s", sub, object->identity, text_in(row, QUERY_NAME));
	item->property = text_in(row, QUERY_PROPERTY);
	item->value = text_in(row, QUERY_VALUE);
	/* The landlord's schema has the same name everywhere. */
	if (target->context == PD_TENANT)
		item->value = pd_replace_schema(item->value, pd_target_schema(target), SCHEMA_MARK);
	return item;
}

/*
 * read_items
 *		What the query says of objects, in the current memory context.
 */
static List *
read_items(List *objects, const PdTarget *target)
{
	PdModuleObject **sorted = palloc(sizeof(PdModuleObject *) * (list_length(objects) + 1));
	MemoryContext caller = CurrentMemoryContext;
	List	   *items = NIL;
	int			n = 0;
	uint64		rows;
	ListCell   *cell;
	PdSpi		spi;

	foreach(cell, objects)
		sorted[n++] = lfirst(cell);
	qsort(sorted, n, sizeof(PdModuleObject *), compare_addresses);

	pd_spi_begin_as(&spi, pd_script_owner());
	rows = run_query(pd_target_schema(target), objects);
	MemoryContextSwitchTo(caller);
	for (uint64 row = 0; row < rows; row++)
	{
		PdModuleObject key = {0};
		PdModuleObject *pointer = &key;
		PdModuleObject **found;
		bool		isnull;

		key.address.classId = DatumGetObjectId(pd_spi_datum(row, "class", &isnull));
		key.address.objectId = DatumGetObjectId(pd_spi_datum(row, "parent", &isnull));
		found = bsearch(&pointer, sorted, n, sizeof(PdModuleObject *), compare_addresses);
		items = lappend(items, make_item(row, *found, target));
	}
	pd_spi_end(&spi);
	return items;
}

/*
 * pd_items
 *		All that is true of the objects of a target's schema.  Must be called
 *		inside pd_spi_begin.
 */
List *
pd_items(const PdTarget *target)
{
	List	   *objects = pd_module_objects(target);
	List	   *items;

	if (objects == NIL)
		return NIL;
	items = read_items(objects, target);
	list_sort(items, compare_cells);
	return items;
}

/*
 * add_text
 *		Add a text, with the byte that ends it, to a checksum.
 */
static void
add_text(pg_cryptohash_ctx *context, const char *text)
{
	if (pg_cryptohash_update(context, (const uint8 *) text, strlen(text) + 1) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(context));
}

/*
 * checksum_of
 *		"sha256:" and hex, over the items that are a module's.
 */
static char *
checksum_of(List *items, const char *module)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char		hex[2 * PG_SHA256_DIGEST_LENGTH + 1];
	ListCell   *cell;

	if (context == NULL || pg_cryptohash_init(context) < 0)
		elog(ERROR, "could not compute SHA-256");
	foreach(cell, items)
	{
		const PdItem *item = lfirst(cell);

		if (item->module == NULL || strcmp(item->module, module) != 0)
			continue;
		add_text(context, item->object);
		add_text(context, item->property);
		add_text(context, item->value);
	}
	if (pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(context));
	pg_cryptohash_free(context);
	hex[hex_encode((const char *) digest, sizeof(digest), hex)] = '\0';
	return psprintf("sha256:%s", hex);
}

/*
 * fingerprint(tenant, module) → text
 *		A checksum of the definitions of what a module consists of.
 *		Errors: 22004, 22023, 42704, 55000.
 */
PD_TENANT_FUNCTION(pd_fingerprint, 0, PD_ALLOW_LANDLORD)
{
	char	   *module = pd_module_argument(fcinfo, 1);
	PdTarget	target;
	PdInstallation *installed;
	MemoryContext caller = CurrentMemoryContext;
	char	   *checksum;
	PdSpi		spi;

	pd_spi_begin(&spi);
	/* Nothing is locked, so that a standby may be asked. */
	pd_target_resolve(ref, module, pd_module_context(module), &target);
	installed = pd_installation_find(module, pd_target_tenant(&target));
	if (installed == NULL || installed->status == PD_ARCHIVED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" is not installed for %s",
						module, pd_target_name(&target)),
				 errhint("The view publicdigit.module_installations lists what is.")));
	checksum = MemoryContextStrdup(caller, checksum_of(pd_items(&target), module));
	pd_spi_end(&spi);
	PG_RETURN_TEXT_P(cstring_to_text(checksum));
}
