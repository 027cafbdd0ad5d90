/*-------------------------------------------------------------------------
 *
 * json.c
 *	  Reading values out of jsonb.
 *
 * What is returned lives in the current memory context, but containers and
 * values other than strings point into the document they were read from.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "json.h"
#include "spi.h"

/* The longest value that an error shows in full. */
#define SHOWN_MAX	100

/*
 * pd_json_try
 *		Read JSON from a text in the database's encoding; NULL, and what the
 *		server says of it, where the text is no JSON.
 */
Jsonb *
pd_json_try(const char *text, ErrorData **error)
{
	MemoryContext context = CurrentMemoryContext;
	ErrorContextCallback *callers = error_context_stack;
	Jsonb	   *volatile document = NULL;

	PG_TRY();
	{
		/* Of an error's context only the parser's line is wanted. */
		error_context_stack = NULL;
		document = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text)));
	}
	PG_CATCH();
	{
		int			category = ERRCODE_TO_CATEGORY(geterrcode());

		/* Out of memory or a cancelled query is not the text's fault. */
		if (category != ERRCODE_DATA_EXCEPTION &&
			category != ERRCODE_PROGRAM_LIMIT_EXCEEDED)
			PG_RE_THROW();

		MemoryContextSwitchTo(context);
		*error = CopyErrorData();
		FlushErrorState();
	}
	PG_END_TRY();
	error_context_stack = callers;
	return document;
}

/*
 * ensure_keys_once
 *		Raise 22023 for a key that stands twice in an object, or in one of the
 *		objects that this has.
 *
 * jsonb keeps the last of them without a word; type json still has them all.
 */
static void
ensure_keys_once(const char *text, const char *file)
{
	PdSpi		spi;

	pd_spi_begin(&spi);
	if (pd_spi_query("WITH top AS MATERIALIZED (SELECT key, value FROM json_each($1::json))"
					 " SELECT way || key AS key"
					 " FROM (SELECT '' AS way, key FROM top"
					 "  UNION ALL SELECT t.key || '.', n.key FROM top AS t"
					 "  CROSS JOIN LATERAL json_object_keys(CASE json_typeof(t.value)"
					 "   WHEN 'object' THEN t.value ELSE '{}' END) AS n (key)) AS k"
					 " GROUP BY way, key HAVING count(*) > 1"
					 " ORDER BY way COLLATE \"C\", key COLLATE \"C\" LIMIT 1",
					 PD_ARGS(pd_text(text))) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key \"%s\" is there twice in %s", pd_spi_text(0, "key"), file),
				 errdetail("Only the last one would count."),
				 errhint("Remove one of them.")));
	pd_spi_end(&spi);
}

/*
 * pd_json_parse
 *		Read JSON from a text in the database's encoding.
 *
 * Raises 22023 that names the file where the text is no JSON, with the server's
 * own words in the detail, and where an object has a key twice.
 */
Jsonb *
pd_json_parse(const char *text, const char *file)
{
	ErrorData  *error;
	Jsonb	   *document = pd_json_try(text, &error);

	if (document == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not valid JSON", file),
				 errdetail("The server says: %s.%s%s%s%s%s", error->message,
						   error->detail == NULL ? "" : " ",
						   error->detail == NULL ? "" : error->detail,
						   error->context == NULL ? "" : " (",
						   error->context == NULL ? "" : error->context,
						   error->context == NULL ? "" : ")"),
				 errhint("Correct the text at this place.")));
	if (JB_ROOT_IS_OBJECT(document))
		ensure_keys_once(text, file);
	return document;
}

/*
 * pd_json_get
 *		Look up a key of an object.
 *
 * Returns whether the key is there.
 */
bool
pd_json_get(JsonbContainer *object, const char *key, JsonbValue *value)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), value) != NULL;
}

/*
 * pd_json_string
 *		A string's text; NULL where the value is no string.
 */
char *
pd_json_string(const JsonbValue *value)
{
	if (value->type != jbvString)
		return NULL;
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/*
 * pd_json_object
 *		The value as an object; NULL where it is none.
 */
JsonbContainer *
pd_json_object(const JsonbValue *value)
{
	if (value->type != jbvBinary || !JsonContainerIsObject(value->val.binary.data))
		return NULL;
	return value->val.binary.data;
}

/*
 * pd_json_array
 *		The value as an array; NULL where it is none.
 */
JsonbContainer *
pd_json_array(const JsonbValue *value)
{
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		return NULL;
	return value->val.binary.data;
}

/*
 * pd_json_pairs
 *		All keys of an object with their values, in jsonb's own order.
 */
List *
pd_json_pairs(JsonbContainer *object)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;
	PdJsonPair *pair = NULL;
	List	   *pairs = NIL;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
		{
			pair = palloc(sizeof(PdJsonPair));
			pair->key = pd_json_string(&value);
		}
		else if (token == WJB_VALUE)
		{
			pair->value = value;
			pairs = lappend(pairs, pair);
		}
	}
	return pairs;
}

/*
 * pd_json_elements
 *		All elements of an array.
 */
List *
pd_json_elements(JsonbContainer *array)
{
	JsonbIterator *iterator = JsonbIteratorInit(array);
	JsonbIteratorToken token;
	JsonbValue	value;
	List	   *elements = NIL;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if (token == WJB_ELEM)
		{
			JsonbValue *element = palloc(sizeof(JsonbValue));

			*element = value;
			elements = lappend(elements, element);
		}
	}
	return elements;
}

/*
 * pd_json_show
 *		A value as an error shows it: as JSON, and not too long.
 */
char *
pd_json_show(const JsonbValue *value)
{
	StringInfoData out;
	char	   *number;
	int			length;

	initStringInfo(&out);
	switch (value->type)
	{
		case jbvNull:
			appendStringInfoString(&out, "null");
			break;
		case jbvString:
			escape_json(&out, pd_json_string(value));
			break;
		case jbvNumeric:
			number = DatumGetCString(DirectFunctionCall1(numeric_out,
														 NumericGetDatum(value->val.numeric)));
			appendStringInfoString(&out, number);
			break;
		case jbvBool:
			appendStringInfoString(&out, value->val.boolean ? "true" : "false");
			break;
		case jbvBinary:
			(void) JsonbToCString(&out, value->val.binary.data,
								  value->val.binary.len);
			break;
		default:
			elog(ERROR, "unexpected type of jsonb value: %d", (int) value->type);
	}

	length = pg_mbcliplen(out.data, out.len, SHOWN_MAX);
	if (length < out.len)
	{
		out.data[length] = '\0';
		out.len = length;
		appendStringInfoString(&out, "...");
	}
	return out.data;
}
