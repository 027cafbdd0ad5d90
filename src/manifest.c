/*-------------------------------------------------------------------------
 *
 * manifest.c
 *	  module.json, read and checked.
 *
 * Every rule about one manifest alone is here, so that what the registry
 * holds needs no second look.  doc/module.schema.json says the same to editors,
 * as far as a JSON Schema can.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "json.h"
#include "manifest.h"
#include "manifest_reader.h"
#include "range.h"
#include "semver.h"
#include "text_list.h"

#define TENANT_TABLE_PRIVILEGES \
	(ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE)
#define SHARED_TABLE_PRIVILEGES		ACL_SELECT

#define NEEDED_KEYS	"A manifest needs name, version and context."

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
 * is_migration_stem
 *		Is this what the file names of a migration begin with, such as
 *		"0001_create_cards", or of a repeatable script or the installer?
 */
static bool
is_migration_stem(const char *name)
{
	size_t		digits = strspn(name, "0123456789");
	const char *word = name + digits + 1;

	if (digits == 0)
		return islower((unsigned char) name[0]) &&
			strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
	return digits >= 4 && digits <= 9 && name[digits] == '_' && *word != '\0' &&
		strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(word);
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
 * read_name_and_version
 *		Read the keys "name", "version", "title" and "description".
 */
static void
read_name_and_version(const PdReader *reader, PdManifest *manifest)
{
	JsonbValue	value;

	manifest->name = pd_require_string(reader, "name", NEEDED_KEYS, &value);
	if (!pd_module_name_is_valid(manifest->name))
		pd_bad_value(reader, "name", &value, PD_MODULE_NAME_RULE,
					 "Choose a name such as \"digital_card\".");

	manifest->version = pd_require_string(reader, "version", NEEDED_KEYS, &value);
	if (!pd_semver_is_valid(manifest->version))
		pd_bad_value(reader, "version", &value, PD_SEMVER_RULE,
					 "Write a semantic version such as \"1.0.0\" or \"1.1.0-rc.1\".");

	manifest->title = pd_get_string(reader, "title");
	if (manifest->title == NULL)
		manifest->title = manifest->name;

	/* Kept in the document only. */
	(void) pd_get_string(reader, "description");
}

/*
 * read_context
 *		Read the key "context".
 */
static void
read_context(const PdReader *reader, PdManifest *manifest)
{
	JsonbValue	value;
	const char *context = pd_require_string(reader, "context", NEEDED_KEYS, &value);

	if (strcmp(context, pd_context_name(PD_LANDLORD)) == 0)
		manifest->context = PD_LANDLORD;
	else if (strcmp(context, pd_context_name(PD_TENANT)) == 0)
		manifest->context = PD_TENANT;
	else
		pd_bad_value(reader, "context", &value,
					 "it must be \"landlord\" or \"tenant\"",
					 "Write \"tenant\" for a module that is installed for each tenant, \"landlord\" for one that is installed once.");
}

/*
 * read_requires
 *		Read the key "requires".
 */
static void
read_requires(const PdReader *reader, PdManifest *manifest)
{
	PdReader	nested;
	ListCell   *lc;

	if (!pd_get_object(reader, "requires", &nested))
		return;
	foreach(lc, pd_json_pairs(nested.object))
	{
		const PdJsonPair *pair = lfirst(lc);
		PdRequirement *requirement = palloc(sizeof(PdRequirement));
		const char *problem;

		requirement->module = pair->key;
		if (!pd_module_name_is_valid(pair->key))
			pd_bad_key(&nested, pair, PD_MODULE_NAME_RULE,
					   "Write {\"MODULE\": \"RANGE\"}.");
		if (strcmp(pair->key, manifest->name) == 0)
			pd_bad_key(&nested, pair,
					   "a module cannot require itself",
					   "Remove the key.");

		requirement->range = pd_get_string(&nested, pair->key);
		if (pd_range_parse(requirement->range, &problem) == NULL)
			pd_bad_value(&nested, pair->key, &pair->value,
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
read_tables(const PdReader *reader, PdManifest *manifest)
{
	PdReader	nested;
	ListCell   *lc;

	if (!pd_get_object(reader, "tables", &nested))
		return;
	foreach(lc, pd_json_pairs(nested.object))
	{
		const PdJsonPair *pair = lfirst(lc);
		PdTableSpec *table = palloc(sizeof(PdTableSpec));
		const char *kind;

		table->name = pair->key;
		if (!is_identifier(pair->key, true))
			pd_bad_key(&nested, pair,
					   "a table's name has lower-case letters, digits and underscores, no digit first, and at most 63 bytes",
					   "Name the table without a schema and without quotes.");

		kind = pd_get_string(&nested, pair->key);
		if (strcmp(kind, "tenant") == 0)
			table->is_tenant = true;
		else if (strcmp(kind, "shared") == 0)
			table->is_tenant = false;
		else
			pd_bad_value(&nested, pair->key, &pair->value,
						 "it must be \"tenant\" or \"shared\"",
						 "Write \"tenant\" for a table with tenants' rows, \"shared\" for one that every tenant reads.");
		if (!table->is_tenant && manifest->context == PD_TENANT)
			pd_bad_value(&nested, pair->key, &pair->value,
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
read_privileges(const PdReader *nested, const PdJsonPair *pair, bool is_tenant)
{
	JsonbContainer *array = pd_json_array(&pair->value);
	AclMode		privileges = ACL_NO_RIGHTS;
	ListCell   *lc;

	if (array == NULL)
		pd_bad_value(nested, pair->key, &pair->value,
					 "it must be an array of privileges",
					 "Write an array such as [\"select\", \"insert\"], or [] for no privilege.");
	foreach(lc, pd_json_elements(array))
	{
		const JsonbValue *element = lfirst(lc);
		AclMode		bit = privilege(pd_json_string(element));

		if (bit == ACL_NO_RIGHTS)
			pd_bad_value(nested, pair->key, &pair->value,
						 psprintf("%s is none of select, insert, update and delete",
								  pd_json_show(element)),
						 "Name only these four, in lower case.");
		if ((privileges & bit) != 0)
			pd_bad_value(nested, pair->key, &pair->value,
						 psprintf("%s is there twice", pd_json_show(element)),
						 "Name each privilege once.");
		privileges |= bit;
	}
	if (!is_tenant && (privileges & ~SHARED_TABLE_PRIVILEGES) != 0)
		pd_bad_value(nested, pair->key, &pair->value,
					 "on a shared table only select can be granted, since the landlord alone writes it",
					 "Write [\"select\"], or make it a table of kind \"tenant\".");
	return privileges;
}

/*
 * read_grants
 *		Read the key "grants".
 */
static void
read_grants(const PdReader *reader, PdManifest *manifest)
{
	PdReader	nested;
	ListCell   *lc;

	if (!pd_get_object(reader, "grants", &nested))
		return;
	foreach(lc, pd_json_pairs(nested.object))
	{
		const PdJsonPair *pair = lfirst(lc);
		PdTableSpec *table;

		table = unconstify(PdTableSpec *, pd_manifest_table(manifest, pair->key));
		if (table == NULL)
			pd_bad_key(&nested, pair,
					   "only tables that \"tables\" names can be granted on",
					   "Add the table to \"tables\", or remove the key; a view is named under \"views\" alone.");
		table->privileges = read_privileges(&nested, pair, table->is_tenant);
	}
}

/*
 * read_views
 *		Read the key "views".
 */
static void
read_views(const PdReader *reader, PdManifest *manifest)
{
	JsonbValue	value;
	JsonbContainer *array;
	ListCell   *lc;

	if (!pd_json_get(reader->object, "views", &value))
		return;
	array = pd_json_array(&value);
	if (array == NULL)
		pd_bad_value(reader, "views", &value,
					 "it must be an array of names",
					 "Write an array such as [\"card_totals\"], or leave the key out.");
	foreach(lc, pd_json_elements(array))
	{
		const JsonbValue *element = lfirst(lc);
		char	   *name = pd_json_string(element);

		if (name == NULL || !is_identifier(name, true))
			pd_bad_value(reader, "views", &value,
						 psprintf("%s is no view's name, which has lower-case letters, digits and underscores, no digit first, and at most 63 bytes",
								  pd_json_show(element)),
						 "Name the view without a schema and without quotes.");
		if (pd_manifest_has_view(manifest, name))
			pd_bad_value(reader, "views", &value,
						 psprintf("%s is there twice", pd_json_show(element)),
						 "Name each view once.");
		if (pd_manifest_table(manifest, name) != NULL)
			pd_bad_value(reader, "views", &value,
						 psprintf("\"tables\" names %s, too", pd_json_show(element)),
						 "Name tables under \"tables\" and views under \"views\".");
		manifest->views = lappend(manifest->views, name);
	}
}

/*
 * read_function
 *		A function that the key "installer" names; raises where it names none.
 */
static char *
read_function(const PdReader *nested, const char *key)
{
	JsonbValue	value;
	char	   *function = pd_require_string(nested, key,
											 "An installer has a function that installs and one that takes it back.",
											 &value);

	if (!is_identifier(function, true))
		pd_bad_value(nested, key, &value,
					 "a function's name has lower-case letters, digits and underscores, no digit first, and at most 63 bytes",
					 "Name the function without a schema, parentheses and quotes.");
	return function;
}

/*
 * read_installer
 *		Read the key "installer".
 */
static void
read_installer(const PdReader *reader, PdManifest *manifest)
{
	static const char *const keys[] = {"install", "uninstall", NULL};
	PdReader	nested;

	if (!pd_get_object(reader, "installer", &nested))
		return;
	pd_ensure_known_keys(&nested, keys);
	manifest->install_function = read_function(&nested, "install");
	manifest->uninstall_function = read_function(&nested, "uninstall");
}

/*
 * read_on_uninstall
 *		Read the key "on_uninstall".
 */
static void
read_on_uninstall(const PdReader *reader, PdManifest *manifest)
{
	const char *action = pd_get_string(reader, "on_uninstall");
	JsonbValue	value;

	if (action == NULL || strcmp(action, "drop") == 0)
		manifest->on_uninstall = PD_UNINSTALL_DROP;
	else if (strcmp(action, "archive") == 0)
		manifest->on_uninstall = PD_UNINSTALL_ARCHIVE;
	else if (strcmp(action, "refuse_if_data") == 0)
		manifest->on_uninstall = PD_UNINSTALL_REFUSE_IF_DATA;
	else
	{
		pd_json_get(reader->object, "on_uninstall", &value);
		pd_bad_value(reader, "on_uninstall", &value,
					 "it must be \"drop\", \"archive\" or \"refuse_if_data\"",
					 "Write \"archive\" to keep the tables, \"refuse_if_data\" to uninstall only while they are empty, or leave the key out to drop them.");
	}
}

/*
 * read_hazards
 *		The names of hazards in an array of the key "accept", of char *.
 *
 * Which hazards there are is not known here: it depends on the scripts.
 */
static List *
read_hazards(const PdReader *nested, const PdJsonPair *pair)
{
	JsonbContainer *array = pd_json_array(&pair->value);
	List	   *hazards = NIL;
	ListCell   *lc;

	if (array == NULL)
		pd_bad_value(nested, pair->key, &pair->value,
					 "it must be an array of hazards",
					 "Write an array such as [\"drop_column\"].");
	foreach(lc, pd_json_elements(array))
	{
		const JsonbValue *element = lfirst(lc);
		char	   *hazard = pd_json_string(element);

		if (hazard == NULL || !is_identifier(hazard, false))
			pd_bad_value(nested, pair->key, &pair->value,
						 psprintf("%s is no hazard's name", pd_json_show(element)),
						 "Write each hazard as a lower-case word, such as \"drop_column\".");
		if (pd_has_text(hazards, hazard))
			pd_bad_value(nested, pair->key, &pair->value,
						 psprintf("%s is there twice", pd_json_show(element)),
						 "Name each hazard once.");
		hazards = lappend(hazards, hazard);
	}
	if (hazards == NIL)
		pd_bad_value(nested, pair->key, &pair->value,
					 "it must name the hazards that are accepted",
					 "Name a hazard, or remove the key.");
	return hazards;
}

/*
 * read_accept
 *		Read the key "accept".
 *
 * Whether the module has such migrations shows where the scripts are.
 */
static void
read_accept(const PdReader *reader, PdManifest *manifest)
{
	PdReader	nested;
	ListCell   *lc;

	if (!pd_get_object(reader, "accept", &nested))
		return;
	foreach(lc, pd_json_pairs(nested.object))
	{
		const PdJsonPair *pair = lfirst(lc);
		PdAcceptance *acceptance = palloc(sizeof(PdAcceptance));

		if (!is_migration_stem(pair->key) && strcmp(pair->key, PD_MANIFEST_FILE) != 0)
			pd_bad_key(&nested, pair,
					   "a migration has four to nine digits, an underscore and a word of lower-case letters, digits and underscores, a repeatable script only such a word",
					   "Name a migration as its files are named, without .up.sql, such as \"0002_drop_phone\", and the manifest \"" PD_MANIFEST_FILE "\".");
		acceptance->migration = pair->key;
		acceptance->hazards = read_hazards(&nested, pair);
		manifest->accepted = lappend(manifest->accepted, acceptance);
	}
}

/*
 * without_schema
 *		A manifest without its key "$schema", which tells an editor where the
 *		JSON Schema of manifests lies, and nothing about the module.
 *
 * So it is not stored and no part of the checksum.
 */
static Jsonb *
without_schema(const PdReader *reader, Jsonb *document)
{
	JsonbValue	value;

	if (!pd_json_get(reader->object, "$schema", &value))
		return document;
	(void) pd_get_string(reader, "$schema");
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_delete,
											  JsonbPGetDatum(document),
											  CStringGetTextDatum("$schema")));
}

/*
 * pd_manifest_parse
 *		Read and check a manifest.
 *
 * Raises 22023 for whatever is wrong with it.
 */
PdManifest *
pd_manifest_parse(Jsonb *document, const char *file)
{
	static const char *const keys[] = {
		"name", "title", "description", "version", "context", "requires",
		"tables", "grants", "views", "installer", "on_uninstall", "accept", "$schema",
		NULL
	};
	PdManifest *manifest = palloc0(sizeof(PdManifest));
	PdReader	reader;

	if (!JB_ROOT_IS_OBJECT(document))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is not a JSON object", file),
				 errhint("Write {\"name\": ..., \"version\": ..., \"context\": ...}.")));

	reader.file = file;
	reader.prefix = "";
	reader.object = &document->root;

	pd_ensure_known_keys(&reader, keys);
	read_name_and_version(&reader, manifest);
	read_context(&reader, manifest);
	read_requires(&reader, manifest);
	read_tables(&reader, manifest);
	read_grants(&reader, manifest);
	read_views(&reader, manifest);
	read_installer(&reader, manifest);
	read_on_uninstall(&reader, manifest);
	read_accept(&reader, manifest);
	manifest->document = without_schema(&reader, document);
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

/*
 * pd_manifest_has_view
 *		Does a manifest name this view?
 */
bool
pd_manifest_has_view(const PdManifest *manifest, const char *name)
{
	return pd_has_text(manifest->views, name);
}
