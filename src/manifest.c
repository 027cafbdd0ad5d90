/*-------------------------------------------------------------------------
 *
 * manifest.c
 *	  module.json, read and checked.
 *
 * Every rule about one manifest alone is here, so that what the registry
 * holds needs no second look.  Each error names the file, the key and the
 * value, and says what to write instead.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "compat.h"
#include "json.h"
#include "manifest.h"
#include "range.h"
#include "semver.h"

#define TENANT_TABLE_PRIVILEGES \
	(ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE)
#define SHARED_TABLE_PRIVILEGES		ACL_SELECT

/* What is being read, for errors: an object, and the way to it. */
typedef struct Reader
{
	const char *file;
	const char *prefix;			/* "" or "tables." and the like */
	JsonbContainer *object;
} Reader;

/*
 * bad_value
 *		Raise 22023 for a key whose value breaks a rule.
 *
 * rule completes "The value is X, but "; hint is a sentence.
 */
pg_noreturn static void
bad_value(const Reader *reader, const char *key, const JsonbValue *value,
		  const char *rule, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value of key \"%s%s\" in %s",
					reader->prefix, key, reader->file),
			 errdetail("The value is %s, but %s.", pd_json_show(value), rule),
			 errhint("%s", hint)));
}

/*
 * bad_key
 *		Raise 22023 for a key of a nested object, where keys are names.
 *		Arguments are as for bad_value.
 */
pg_noreturn static void
bad_key(const Reader *reader, const PdJsonPair *pair, const char *rule,
		const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid key \"%s%s\" in %s",
					reader->prefix, pair->key, reader->file),
			 errdetail("The value is %s, but %s.", pd_json_show(&pair->value), rule),
			 errhint("%s", hint)));
}

/*
 * not_supported
 *		Raise 0A000 for what this version of the extension cannot do yet.
 */
pg_noreturn static void
not_supported(const Reader *reader, const char *key, const JsonbValue *value,
			  const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("key \"%s\" in %s asks for what is not supported yet",
					key, reader->file),
			 errdetail("The value is %s.", pd_json_show(value)),
			 errhint("%s", hint)));
}

/*
 * is_identifier
 *		Is this a name that needs no quotes and fits into type name?
 */
static bool
is_identifier(const char *name, bool may_begin_with_underscore)
{
	size_t		length = strlen(name);

	if (length == 0 || length > PD_NAME_MAX)
		return false;
	if (!(name[0] >= 'a' && name[0] <= 'z') &&
		!(name[0] == '_' && may_begin_with_underscore))
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

/*
 * pd_module_name_is_valid
 *		May a module have this name?  One that is valid holds nothing that
 *		means something in a path or in SQL.
 */
bool
pd_module_name_is_valid(const char *name)
{
	return is_identifier(name, false);
}

/*
 * ensure_known_keys
 *		Raise for a key of an object that is not among those listed.
 */
static void
ensure_known_keys(const Reader *reader, const char *const *known)
{
	ListCell   *lc;

	foreach(lc, pd_json_pairs(reader->object))
	{
		const PdJsonPair *pair = lfirst(lc);
		StringInfoData list;
		bool		found = false;

		initStringInfo(&list);
		for (const char *const *key = known; *key != NULL && !found; key++)
		{
			found = strcmp(*key, pair->key) == 0;
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", *key);
		}
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown key \"%s%s\" in %s",
							reader->prefix, pair->key, reader->file),
					 errdetail("The value is %s; keys that can stand there are: %s.",
							   pd_json_show(&pair->value), list.data),
					 errhint("Remove the key, or correct its spelling.")));
	}
}

/*
 * get_string
 *		A key's text; NULL where the key is missing.
 */
static char *
get_string(const Reader *reader, const char *key)
{
	JsonbValue	value;
	char	   *text;

	if (!pd_json_get(reader->object, key, &value))
		return NULL;
	text = pd_json_string(&value);
	if (text == NULL)
		bad_value(reader, key, &value, "it must be a string",
				  "Write the value between double quotes.");
	return text;
}

/*
 * require_string
 *		A key's text, with the value for errors; raises where the key is
 *		missing.
 */
static char *
require_string(const Reader *reader, const char *key, JsonbValue *value)
{
	char	   *text = get_string(reader, key);

	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key \"%s%s\" is missing in %s",
						reader->prefix, key, reader->file),
				 errdetail("A manifest needs name, version and context."),
				 errhint("Add the key.")));
	pd_json_get(reader->object, key, value);
	return text;
}

/*
 * get_object
 *		A reader of the object that a key holds; false where the key is
 *		missing.
 */
static bool
get_object(const Reader *reader, const char *key, Reader *nested)
{
	JsonbValue	value;

	if (!pd_json_get(reader->object, key, &value))
		return false;
	nested->file = reader->file;
	nested->prefix = psprintf("%s.", key);
	nested->object = pd_json_object(&value);
	if (nested->object == NULL)
		bad_value(reader, key, &value, "it must be an object",
				  "Write {\"NAME\": VALUE, ...}, or leave the key out.");
	return true;
}

/*
 * read_name_and_version
 *		Read the keys "name", "version", "title" and "description".
 */
static void
read_name_and_version(const Reader *reader, PdManifest *manifest)
{
	JsonbValue	value;

	manifest->name = require_string(reader, "name", &value);
	if (!pd_module_name_is_valid(manifest->name))
		bad_value(reader, "name", &value, PD_MODULE_NAME_RULE,
				  "Choose a name such as \"digital_card\".");

	manifest->version = require_string(reader, "version", &value);
	if (!pd_semver_is_valid(manifest->version))
		bad_value(reader, "version", &value, PD_SEMVER_RULE,
				  "Write a semantic version such as \"1.0.0\" or \"1.1.0-rc.1\".");

	manifest->title = get_string(reader, "title");
	if (manifest->title == NULL)
		manifest->title = manifest->name;

	/* Kept in the document only. */
	(void) get_string(reader, "description");
}

/*
 * read_context
 *		Read the key "context".
 */
static void
read_context(const Reader *reader, PdManifest *manifest)
{
	JsonbValue	value;
	const char *context = require_string(reader, "context", &value);

	if (strcmp(context, pd_context_name(PD_LANDLORD)) == 0)
		manifest->context = PD_LANDLORD;
	else if (strcmp(context, pd_context_name(PD_TENANT)) == 0)
		manifest->context = PD_TENANT;
	else
		bad_value(reader, "context", &value,
				  "it must be \"landlord\" or \"tenant\"",
				  "Write \"tenant\" for a module that is installed for each tenant, \"landlord\" for one that is installed once.");
}

/*
 * read_requires
 *		Read the key "requires".
 */
static void
read_requires(const Reader *reader, PdManifest *manifest)
{
	Reader		nested;
	ListCell   *lc;

	if (!get_object(reader, "requires", &nested))
		return;
	foreach(lc, pd_json_pairs(nested.object))
	{
		const PdJsonPair *pair = lfirst(lc);
		PdRequirement *requirement = palloc(sizeof(PdRequirement));
		const char *problem;

		requirement->module = pair->key;
		if (!pd_module_name_is_valid(pair->key))
			bad_key(&nested, pair, PD_MODULE_NAME_RULE,
					"Write {\"MODULE\": \"RANGE\"}.");
		if (strcmp(pair->key, manifest->name) == 0)
			bad_key(&nested, pair,
					"a module cannot require itself",
					"Remove the key.");

		requirement->range = get_string(&nested, pair->key);
		if (pd_range_parse(requirement->range, &problem) == NULL)
			bad_value(&nested, pair->key, &pair->value,
					  psprintf("it %s as a range of versions", problem),
					  "Write a range as npm does, such as \"^1.2\", \">=1.0 <3.0\" or \"*\".");
		manifest->requires = lappend(manifest->requires, requirement);
	}
}

/*
 * read_tables
 *		Read the key "tables", with the privileges for tables that "grants"
 *		does not name.
 */
static void
read_tables(const Reader *reader, PdManifest *manifest)
{
	Reader		nested;
	ListCell   *lc;

	if (!get_object(reader, "tables", &nested))
		return;
	foreach(lc, pd_json_pairs(nested.object))
	{
		const PdJsonPair *pair = lfirst(lc);
		PdTableSpec *table = palloc(sizeof(PdTableSpec));
		const char *kind;

		table->name = pair->key;
		if (!is_identifier(pair->key, true))
			bad_key(&nested, pair,
					"a table's name has lower-case letters, digits and underscores, no digit first, and at most 63 bytes",
					"Name the table without a schema and without quotes.");

		kind = get_string(&nested, pair->key);
		if (strcmp(kind, "tenant") == 0)
			table->is_tenant = true;
		else if (strcmp(kind, "shared") == 0)
			table->is_tenant = false;
		else
			bad_value(&nested, pair->key, &pair->value,
					  "it must be \"tenant\" or \"shared\"",
					  "Write \"tenant\" for a table with tenants' rows, \"shared\" for one that every tenant reads.");
		if (!table->is_tenant && manifest->context == PD_TENANT)
			bad_value(&nested, pair->key, &pair->value,
					  "a module of context \"tenant\" makes tables of tenants only",
					  "Write \"tenant\", or put the table into a module of context \"landlord\".");

		table->privileges = table->is_tenant ?
			TENANT_TABLE_PRIVILEGES : SHARED_TABLE_PRIVILEGES;
		manifest->tables = lappend(manifest->tables, table);
	}
}

/*
 * privilege
 *		A privilege by its name; ACL_NO_RIGHTS where it is none of those that
 *		can be granted.
 */
static AclMode
privilege(const char *name)
{
	if (name == NULL)
		return ACL_NO_RIGHTS;
	if (strcmp(name, "select") == 0)
		return ACL_SELECT;
	if (strcmp(name, "insert") == 0)
		return ACL_INSERT;
	if (strcmp(name, "update") == 0)
		return ACL_UPDATE;
	if (strcmp(name, "delete") == 0)
		return ACL_DELETE;
	return ACL_NO_RIGHTS;
}

/*
 * read_privileges
 *		What an array of privileges grants on a table; nothing if it is empty.
 */
static AclMode
read_privileges(const Reader *nested, const PdJsonPair *pair, bool is_tenant)
{
	JsonbContainer *array = pd_json_array(&pair->value);
	AclMode		privileges = ACL_NO_RIGHTS;
	ListCell   *lc;

	if (array == NULL)
		bad_value(nested, pair->key, &pair->value,
				  "it must be an array of privileges",
				  "Write an array such as [\"select\", \"insert\"], or [] for no privilege.");
	foreach(lc, pd_json_elements(array))
	{
		const JsonbValue *element = lfirst(lc);
		AclMode		bit = privilege(pd_json_string(element));

		if (bit == ACL_NO_RIGHTS)
			bad_value(nested, pair->key, &pair->value,
					  psprintf("%s is none of select, insert, update and delete",
							   pd_json_show(element)),
					  "Name only these four, in lower case.");
		privileges |= bit;
	}
	if (!is_tenant && (privileges & ~SHARED_TABLE_PRIVILEGES) != 0)
		bad_value(nested, pair->key, &pair->value,
				  "on a shared table only select can be granted, since the landlord alone writes it",
				  "Write [\"select\"], or make it a table of kind \"tenant\".");
	return privileges;
}

/*
 * read_grants
 *		Read the key "grants".
 */
static void
read_grants(const Reader *reader, PdManifest *manifest)
{
	Reader		nested;
	ListCell   *lc;

	if (!get_object(reader, "grants", &nested))
		return;
	foreach(lc, pd_json_pairs(nested.object))
	{
		const PdJsonPair *pair = lfirst(lc);
		PdTableSpec *table;

		table = unconstify(PdTableSpec *, pd_manifest_table(manifest, pair->key));
		if (table == NULL)
			bad_key(&nested, pair,
					"only tables that \"tables\" names can be granted on",
					"Add the table to \"tables\", or remove the key.");
		table->privileges = read_privileges(&nested, pair, table->is_tenant);
	}
}

/*
 * refuse_installer
 *		Check the key "installer", and refuse it: only migrations run so far.
 */
static void
refuse_installer(const Reader *reader)
{
	static const char *const keys[] = {"install", "uninstall", NULL};
	Reader		nested;
	JsonbValue	value;

	if (!get_object(reader, "installer", &nested))
		return;
	ensure_known_keys(&nested, keys);
	for (const char *const *key = keys; *key != NULL; key++)
	{
		const char *function = get_string(&nested, *key);

		if (function == NULL || is_identifier(function, true))
			continue;
		pd_json_get(nested.object, *key, &value);
		bad_value(&nested, *key, &value,
				  "a function's name has lower-case letters, digits and underscores, no digit first, and at most 63 bytes",
				  "Name the function without a schema, parentheses and quotes.");
	}
	pd_json_get(reader->object, "installer", &value);
	not_supported(reader, "installer", &value,
				  "Make the module's tables in migrations.");
}

/*
 * refuse_on_uninstall
 *		Check the key "on_uninstall", and refuse all but "drop".
 */
static void
refuse_on_uninstall(const Reader *reader)
{
	const char *action = get_string(reader, "on_uninstall");
	JsonbValue	value;

	if (action == NULL || strcmp(action, "drop") == 0)
		return;
	pd_json_get(reader->object, "on_uninstall", &value);
	if (strcmp(action, "archive") == 0 || strcmp(action, "refuse_if_data") == 0)
		not_supported(reader, "on_uninstall", &value,
					  "Write \"drop\", or leave the key out, which means the same.");
	bad_value(reader, "on_uninstall", &value,
			  "it must be \"drop\", \"archive\" or \"refuse_if_data\"",
			  "Write \"drop\", or leave the key out, which means the same.");
}

/*
 * pd_manifest_parse
 *		Read and check a manifest.
 *
 * Raises 22023 for whatever is wrong with it, 0A000 for what is right but not
 * built yet.
 */
PdManifest *
pd_manifest_parse(Jsonb *document, const char *file)
{
	static const char *const keys[] = {
		"name", "title", "description", "version", "context", "requires",
		"tables", "grants", "installer", "on_uninstall", NULL
	};
	PdManifest *manifest = palloc0(sizeof(PdManifest));
	Reader		reader;

	if (!JB_ROOT_IS_OBJECT(document))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not a JSON object", file),
				 errhint("Write {\"name\": ..., \"version\": ..., \"context\": ...}.")));

	reader.file = file;
	reader.prefix = "";
	reader.object = &document->root;
	manifest->document = document;

	ensure_known_keys(&reader, keys);
	read_name_and_version(&reader, manifest);
	read_context(&reader, manifest);
	read_requires(&reader, manifest);
	read_tables(&reader, manifest);
	read_grants(&reader, manifest);
	refuse_installer(&reader);
	refuse_on_uninstall(&reader);
	return manifest;
}

/*
 * pd_manifest_table
 *		What a manifest says of a table; NULL where it does not name it.
 */
const PdTableSpec *
pd_manifest_table(const PdManifest *manifest, const char *name)
{
	ListCell   *lc;

	foreach(lc, manifest->tables)
	{
		const PdTableSpec *table = lfirst(lc);

		if (strcmp(table->name, name) == 0)
			return table;
	}
	return NULL;
}
