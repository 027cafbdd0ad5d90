/*-------------------------------------------------------------------------
 *
 * module_object.c
 *	  The objects of a target's schema, and the modules that made them.
 *
 * A schema holds what several modules have made, and what people have made by
 * hand; the catalogs do not tell them apart.  So what a module's scripts have
 * made is written down after they have run, by name: a dump restores it under
 * other OIDs.
 *
 * What is in a schema is read from pg_depend, which has an index by what is
 * depended on: a search by schema in pg_class and its like would read the rows
 * of all tenants.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "module_object.h"
#include "spi.h"

/*
 * is_name_byte
 *		May this byte be in an unquoted identifier?
 */
static bool
is_name_byte(char c)
{
	return isalnum((unsigned char) c) || c == '_' || c == '$' || IS_HIGHBIT_SET(c);
}

/*
 * token_length
 *		Bytes of the token at the start of a piece of SQL: a literal, an
 *		identifier, a comment up to the line's end, or a single byte.
 */
static size_t
token_length(const char *sql, bool has_escapes)
{
	size_t		len = 1;

	if (*sql == '\'' || *sql == '"')
	{
		while (sql[len] != '\0' && sql[len] != *sql)
			len += has_escapes && sql[len] == '\\' && sql[len + 1] != '\0' ? 2 : 1;
		return sql[len] == '\0' ? len : len + 1;
	}
	if (sql[0] == '-' && sql[1] == '-')
		return strcspn(sql, "\n");
	if (is_name_byte(*sql))
	{
		while (is_name_byte(sql[len]))
			len++;
	}
	return len;
}

/*
 * pd_replace_schema
 *		SQL in which another name stands for a schema's, or, with NULL, the
 *		names in it stand without that schema.  Literals stay as they are.
 *		Returns the text itself where the schema's name is not in it.
 */
char *
pd_replace_schema(const char *text, const char *schema, const char *replacement)
{
	StringInfoData result;
	size_t		schema_len = strlen(schema);
	const char *at = text;

	if (strstr(text, schema) == NULL)
		return (char *) text;

	initStringInfo(&result);
	while (*at != '\0')
	{
		bool		has_escapes = *at == '\'' && at > text &&
			(at[-1] == 'E' || at[-1] == 'e');
		size_t		len = token_length(at, has_escapes);
		size_t		quote = *at == '"' ? 1 : 0;

		if (len != schema_len + 2 * quote ||
			memcmp(at + quote, schema, schema_len) != 0)
			appendBinaryStringInfo(&result, at, len);
		else if (replacement != NULL)
			appendStringInfoString(&result, replacement);
		else if (at[len] == '.')
			len++;
		else
			appendBinaryStringInfo(&result, at, len);
		at += len;
	}
	return result.data;
}

/*
 * compare_recorded
 *		For bsearch: by type and identity, the order of the query.
 */
static int
compare_recorded(const void *a, const void *b)
{
	const PdModuleObject *left = a;
	const PdModuleObject *right = b;
	int			order = strcmp(left->type, right->type);

	return order != 0 ? order : strcmp(left->identity, right->identity);
}

/*
 * find_modules
 *		Fill in which modules of the target have made these objects.
 */
static void
find_modules(const PdTarget *target, List *objects)
{
	PdModuleObject *recorded;
	uint64		n;
	ListCell   *cell;

	n = pd_spi_query("SELECT i.module::text AS module, o.type, o.identity, o.migration"
					 " FROM publicdigit.installation AS i"
					 " JOIN publicdigit.module_object AS o ON o.installation_id = i.id"
					 " WHERE (i.tenant_id = $1 OR $1 IS NULL AND i.tenant_id IS NULL)"
					 " AND i.status <> 'archived'"
					 " ORDER BY o.type COLLATE \"C\", o.identity COLLATE \"C\"",
					 PD_ARGS(pd_uuid(pd_target_tenant(target))));
	recorded = palloc(sizeof(PdModuleObject) * (n + 1));
	for (uint64 row = 0; row < n; row++)
	{
		recorded[row].module = pd_spi_text(row, "module");
		recorded[row].type = pd_spi_text(row, "type");
		recorded[row].identity = pd_spi_text(row, "identity");
		recorded[row].migration = pd_spi_text(row, "migration");
	}

	foreach(cell, objects)
	{
		PdModuleObject *object = lfirst(cell);
		PdModuleObject *found = bsearch(object, recorded, n, sizeof(PdModuleObject),
										compare_recorded);

		if (found != NULL)
		{
			object->module = found->module;
			object->migration = found->migration;
		}
	}
}

/*
 * read_objects
 *		What lives in a schema by itself.  What belongs to a column (sequences),
 *		to another object (row and array types) or to an extension is left out.
 *
 * A count stands where NOT EXISTS would do: the planner would read all of
 * pg_depend into a hash table for it.
 */
static List *
read_objects(Oid nspid, const char *schema)
{
	List	   *objects = NIL;
	uint64		n;

	n = pd_spi_query("SELECT d.classid, d.objid, i.type, i.identity"
					 " FROM pg_depend AS d"
					 " CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) AS i"
					 " WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = $1"
					 " AND d.objsubid = 0 AND d.deptype IN ('n', 'a')"
					 " AND d.classid <> 'pg_publication_namespace'::regclass"
					 " AND (SELECT count(*) FROM pg_depend AS o"
					 "  WHERE o.classid = d.classid AND o.objid = d.objid AND o.objsubid = 0"
					 "  AND (o.deptype IN ('i', 'e') OR o.deptype = 'a'"
					 "   AND d.classid = 'pg_class'::regclass"
					 "   AND o.refclassid = 'pg_class'::regclass AND o.refobjsubid > 0)) = 0",
					 PD_ARGS(pd_datum(OIDOID, ObjectIdGetDatum(nspid))));
	for (uint64 row = 0; row < n; row++)
	{
		PdModuleObject *object = palloc0(sizeof(PdModuleObject));
		bool		isnull;

		object->address.classId = DatumGetObjectId(pd_spi_datum(row, "classid", &isnull));
		object->address.objectId = DatumGetObjectId(pd_spi_datum(row, "objid", &isnull));
		object->type = pd_spi_text(row, "type");
		object->identity = pd_spi_text(row, "identity");
		/* Dropped by another session since the catalog was read. */
		if (object->identity == NULL)
			continue;
		object->qualified = object->identity;
		object->identity = pd_replace_schema(object->identity, schema, NULL);
		object->name = psprintf("%s %s", object->type, object->identity);
		objects = lappend(objects, object);
	}
	return objects;
}

/*
 * pd_module_objects
 *		The objects of a target's schema, of PdModuleObject, in no order; none
 *		where the schema is gone.
 */
List *
pd_module_objects(const PdTarget *target)
{
	const char *schema = pd_target_schema(target);
	Oid			nspid = get_namespace_oid(schema, true);
	List	   *objects = OidIsValid(nspid) ? read_objects(nspid, schema) : NIL;

	find_modules(target, objects);
	return objects;
}

/*
 * position_of
 *		When the run has made or altered this object: its place among those;
 *		-1 when it has not.
 */
static int
position_of(const PdScriptRun *run, const PdModuleObject *object)
{
	ListCell   *cell;

	foreach(cell, run->objects)
	{
		const ObjectAddress *touched = lfirst(cell);

		if (touched->classId == object->address.classId &&
			touched->objectId == object->address.objectId)
			return foreach_current_index(cell);
	}
	return -1;
}

/*
 * pd_module_objects_record
 *		After a module's scripts: write down what they have made since the last
 *		call, and forget what is gone.  "migration" is the script that has made
 *		it, where that is of interest, else NULL.
 *
 * An object that a script has only altered is its module's where no other
 * module has made it: under its former name it was, and was renamed.
 *
 * Where no object has come, gone or got another name, as when columns are added,
 * there is nothing to write down, and the schema is not read.
 */
void
pd_module_objects_record(PdScriptRun *run, int64 installation,
						 const char *migration)
{
	PdTarget	target = {run->context, run->tenant};
	PdArg		id = pd_datum(INT8OID, Int64GetDatum(installation));
	List	   *types = NIL;
	List	   *identities = NIL;
	List	   *made_types = NIL;
	List	   *made_identities = NIL;
	List	   *made_positions = NIL;
	ListCell   *cell;

	if (!run->names_changed)
		return;
	foreach(cell, pd_module_objects(&target))
	{
		PdModuleObject *object = lfirst(cell);
		int			position = position_of(run, object);

		types = lappend(types, object->type);
		identities = lappend(identities, object->identity);
		if (object->module == NULL && position >= 0)
		{
			made_types = lappend(made_types, object->type);
			made_identities = lappend(made_identities, object->identity);
			made_positions = lappend_int(made_positions, position);
		}
	}

	pd_spi_query("DELETE FROM publicdigit.module_object AS o"
				 " WHERE o.installation_id = $1 AND NOT EXISTS"
				 "  (SELECT FROM unnest($2::text[], $3::text[]) AS there (type, identity)"
				 "   WHERE there.type = o.type AND there.identity = o.identity)",
				 PD_ARGS(id, pd_text_array(types), pd_text_array(identities)));
	pd_spi_query("INSERT INTO publicdigit.module_object (installation_id, type, identity, migration)"
				 " SELECT $1, type, identity, $5"
				 " FROM unnest($2::text[], $3::text[], $4::integer[]) AS made (type, identity, position)"
				 " ORDER BY position",
				 PD_ARGS(id, pd_text_array(made_types), pd_text_array(made_identities),
						 pd_int_array(made_positions), pd_text(migration)));
	run->objects = NIL;
	run->names_changed = false;
}

/*
 * pd_module_objects_kept
 *		What repeatable scripts and the installer have made, but for those of these
 *		names: a list of PdModuleObject, of which only type and identity are set.
 */
List *
pd_module_objects_kept(int64 installation, List *scripts)
{
	List	   *kept = NIL;
	uint64		count = pd_spi_query("SELECT type, identity FROM publicdigit.module_object"
									 " WHERE installation_id = $1 AND migration <> ALL ($2::text[])",
									 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installation)),
											 pd_text_array(scripts)));

	for (uint64 row = 0; row < count; row++)
	{
		PdModuleObject *object = palloc0(sizeof(PdModuleObject));

		object->type = pd_spi_text(row, "type");
		object->identity = pd_spi_text(row, "identity");
		kept = lappend(kept, object);
	}
	return kept;
}

/*
 * Types as pg_identify_object() says, and as DROP and ALTER do.  AGGREGATE would
 * want the arguments in its own way: "*" for none, ORDER BY for an ordered set.
 */
#define KIND_OF_TYPE \
	" CASE type WHEN 'statistics object' THEN 'STATISTICS'" \
	"  WHEN 'aggregate' THEN 'ROUTINE' ELSE upper(type) END AS kind"

/*
 * objects_by_name
 *		What lives in a schema, in the order of compare_recorded; "n" is set to
 *		their number.
 */
static PdModuleObject *
objects_by_name(const char *schema, size_t *n)
{
	Oid			nspid = get_namespace_oid(schema, true);
	List	   *objects = OidIsValid(nspid) ? read_objects(nspid, schema) : NIL;
	PdModuleObject *sorted = palloc(sizeof(PdModuleObject) * (list_length(objects) + 1));
	ListCell   *cell;

	*n = 0;
	foreach(cell, objects)
		sorted[(*n)++] = *(PdModuleObject *) lfirst(cell);
	qsort(sorted, *n, sizeof(PdModuleObject), compare_recorded);
	return sorted;
}

/*
 * pd_module_objects_statements
 *		A statement for each object that an installation's script, or (NULL) any,
 *		has made, the last made first.  "format" takes the type as DROP and ALTER
 *		spell it, and the quoted name with its schema.  What somebody has dropped
 *		by hand is passed over.
 *
 * The objects are in schema "now", and will be in "then" when the statements run.
 * A function is named by the types of its arguments, which may be the module's
 * own and lie in the same schema; where all objects move, functions come first.
 */
List *
pd_module_objects_statements(int64 installation, const char *migration,
							 const char *now, const char *then, const char *format)
{
	List	   *statements = NIL;
	size_t		n_there;
	PdModuleObject *there = objects_by_name(now, &n_there);
	uint64		n;

	n = pd_spi_query("SELECT" KIND_OF_TYPE ", type, identity FROM publicdigit.module_object"
					 " WHERE installation_id = $1 AND ($2 IS NULL OR migration = $2)"
					 " ORDER BY $2 IS NULL AND type NOT IN ('function', 'procedure', 'aggregate'),"
					 "  position DESC",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installation)),
							 pd_text(migration)));
	for (uint64 row = 0; row < n; row++)
	{
		PdModuleObject key = {.type = pd_spi_text(row, "type"),
		.identity = pd_spi_text(row, "identity")};
		PdModuleObject *found = bsearch(&key, there, n_there, sizeof(PdModuleObject),
										compare_recorded);

		if (found != NULL)
			statements = lappend(statements,
								 psprintf(format, pd_spi_text(row, "kind"),
										  pd_replace_schema(found->qualified, now,
															quote_identifier(then))));
	}
	return statements;
}
