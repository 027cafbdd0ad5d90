/*-------------------------------------------------------------------------
 *
 * module_source.c
 *	  A version of a module with its scripts: the checks that a folder and a
 *	  document have in common, and the document.
 *
 * A document has the manifest's own keys and "scripts", an object from
 * relative path to text.  The same module gives the same checksum from either
 * source: it is taken over the manifest as jsonb prints it, which knows no
 * layout, and over each script's bytes in UTF-8, whatever encoding the
 * database has, with line ends as LF.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "chain.h"
#include "compat.h"
#include "json.h"
#include "module_source.h"
#include "script_error.h"
#include "script_text.h"

/*
 * module_checksum
 *		The checksum of a version: of its manifest, and of the path and
 *		checksum of each script.
 */
static char *
module_checksum(const PdModuleSource *module)
{
	Jsonb	   *document = module->manifest->document;
	StringInfoData content;
	ListCell   *lc;

	initStringInfo(&content);
	(void) JsonbToCString(&content, &document->root, VARSIZE(document));
	foreach(lc, module->scripts)
	{
		const PdScript *script = lfirst(lc);

		appendStringInfo(&content, "\n%s %s", script->checksum, script->path);
	}
	return pd_checksum(content.data);
}

/* What the error context tells of. */
typedef struct Reading
{
	const PdManifest *manifest;
	const PdScript *script;
	int			error_location;
} Reading;

/*
 * reading_context
 *		Error context callback: where in which script there is no token.
 */
static void
reading_context(void *arg)
{
	Reading    *reading = arg;
	const char *content = reading->script->content;

	reading->error_location = pd_script_take_error_position(content, 0);
	errcontext("module \"%s\" version %s, script \"%s\", line %d",
			   reading->manifest->name, reading->manifest->version,
			   reading->script->path,
			   pd_script_line(content, reading->error_location));
}

/*
 * take_checksums
 *		Both checksums of a script.  Errors: 42601 and the like.
 */
static void
take_checksums(const PdManifest *manifest, PdScript *script)
{
	MemoryContext context = CurrentMemoryContext;
	Reading		reading = {manifest, script};
	ErrorContextCallback callback;

	callback.callback = reading_context;
	callback.arg = &reading;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	PG_TRY();
	{
		script->checksum = pd_checksum_of_script(script->content);
		script->statements = pd_checksum_of_statements(script->content);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		pd_script_rethrow_unread(script->content, reading.error_location);
	}
	PG_END_TRY();
	error_context_stack = callback.previous;
}

/*
 * compare_migrations
 *		Order two scripts as they are applied, for list_sort.
 */
static int
compare_migrations(const ListCell *a, const ListCell *b)
{
	return strcmp(((const PdScript *) lfirst(a))->migration,
				  ((const PdScript *) lfirst(b))->migration);
}

/*
 * head_of
 *		The head of the chain over all that a version applies.
 */
static char *
head_of(const List *scripts)
{
	char	   *head = PD_CHAIN_EMPTY;
	List	   *applied = NIL;
	ListCell   *lc;

	foreach(lc, scripts)
	{
		if (pd_script_is_applied(lfirst(lc)))
			applied = lappend(applied, lfirst(lc));
	}
	list_sort(applied, compare_migrations);
	foreach(lc, applied)
	{
		const PdScript *script = lfirst(lc);

		head = pd_chain_next(head, script->migration, script->statements);
	}
	return head;
}

/*
 * compare_paths
 *		Order two scripts by their paths, for list_sort.
 */
static int
compare_paths(const ListCell *a, const ListCell *b)
{
	return strcmp(((const PdScript *) lfirst(a))->path,
				  ((const PdScript *) lfirst(b))->path);
}

/*
 * ensure_has_up
 *		Raise for a down or verify script whose neighbour in the list, which
 *		is sorted by path, is not the up script of the same migration.
 */
static void
ensure_has_up(const PdScript *script, const List *scripts, int neighbour,
			  const char *source)
{
	if (neighbour >= 0 && neighbour < list_length(scripts))
	{
		const PdScript *up = list_nth(scripts, neighbour);

		if (up->kind == PD_SCRIPT_UP && strcmp(up->migration, script->migration) == 0)
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("migration \"%s\" of %s has no up script",
					script->migration, source),
			 errdetail("There is only \"%s\".", script->path),
			 errhint("Add the up script, or correct the name.")));
}

/*
 * up_scripts
 *		The up scripts, by path; raises for a down or verify script without
 *		its own.
 */
static List *
up_scripts(const List *scripts, const char *source)
{
	List	   *ups = NIL;
	ListCell   *lc;

	foreach(lc, scripts)
	{
		PdScript   *script = lfirst(lc);
		int			position = foreach_current_index(lc);

		if (script->kind == PD_SCRIPT_UP)
			ups = lappend(ups, script);
		else if (script->kind == PD_SCRIPT_DOWN)
			ensure_has_up(script, scripts, position + 1, source);
		else if (script->kind == PD_SCRIPT_VERIFY)
			ensure_has_up(script, scripts, position - 1, source);
	}
	return ups;
}

/*
 * ensure_numbered
 *		Raise unless migrations are numbered 1, 2, 3 and so on in the order of
 *		their paths, which is the order they run in.
 */
static void
ensure_numbered(const List *ups, const char *source)
{
	const PdScript *previous = NULL;
	int			expected = 1;
	ListCell   *lc;

	foreach(lc, ups)
	{
		const PdScript *up = lfirst(lc);

		if (previous != NULL && up->number == previous->number)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("two migrations of %s have the number %d",
							source, up->number),
					 errdetail("They are \"%s\" and \"%s\".",
							   previous->migration, up->migration),
					 errhint("Number migrations from 0001 on, without gaps and with the same number of digits.")));
		if (up->number != expected)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s has no migration with the number %04d",
							source, expected),
					 errdetail("Found \"%s\" in its place.", up->migration),
					 errhint("Number migrations from 0001 on, without gaps and with the same number of digits.")));
		previous = up;
		expected++;
	}
}

/*
 * ensure_installer
 *		Raise unless the manifest names functions just where there is a script
 *		that makes them, and the module is a tenant's.
 */
static void
ensure_installer(const PdManifest *manifest, const List *scripts,
				 const char *source)
{
	bool		found = false;
	ListCell   *lc;

	foreach(lc, scripts)
	{
		if (((const PdScript *) lfirst(lc))->kind == PD_SCRIPT_INSTALLER)
			found = true;
	}
	if (manifest->context == PD_LANDLORD && (found || manifest->install_function != NULL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s has an installer, and its context is landlord", source),
				 errdetail("The functions of an installer take the tenant that they work for."),
				 errhint("Make the landlord's tables in migrations.")));
	if (found == (manifest->install_function != NULL))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 found ?
			 errmsg("%s has the script \"installer.sql\" and no key \"installer\"", source) :
			 errmsg("%s has the key \"installer\" and no script \"installer.sql\"", source),
			 errdetail("The script makes the functions that the key names."),
			 errhint("Write \"installer\": {\"install\": NAME, \"uninstall\": NAME}, and make both functions in installer.sql.")));
}

/*
 * ensure_views_can_be
 *		Raise where the manifest names views and no script could make one.
 */
static void
ensure_views_can_be(const PdManifest *manifest, const List *scripts,
					const char *source)
{
	ListCell   *lc;

	if (manifest->views == NIL)
		return;
	foreach(lc, scripts)
	{
		if (pd_script_is_applied(lfirst(lc)))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s names views and has no script that makes them", source),
			 errdetail("\"views\" names \"%s\".", (char *) linitial(manifest->views)),
			 errhint("Add a repeatable script, or remove the key \"views\".")));
}

/*
 * pd_module_source_make
 *		Check a module as a whole, sort its scripts and take the checksums.
 *
 * Of each script path and content are set.  source is what errors name the
 * module by: module "x", or "the document".  Raises 22023 for whatever does not
 * fit together.
 */
PdModuleSource *
pd_module_source_make(PdManifest *manifest, List *scripts, const char *source)
{
	PdModuleSource *module = palloc0(sizeof(PdModuleSource));
	List	   *ups;
	ListCell   *lc;

	foreach(lc, scripts)
	{
		PdScript   *script = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		pd_script_classify(script, manifest->context);
		if (strncmp(script->content, "\xEF\xBB\xBF", 3) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("script \"%s\" of %s begins with a byte order mark",
							script->path, source),
					 errhint("Save the file as UTF-8 without one.")));
		take_checksums(manifest, script);
	}
	list_sort(scripts, compare_paths);

	ups = up_scripts(scripts, source);
	ensure_numbered(ups, source);
	ensure_installer(manifest, scripts, source);
	ensure_views_can_be(manifest, scripts, source);
	if (ups == NIL && manifest->tables != NIL && manifest->install_function == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s names tables and has no migration that makes them", source),
				 errdetail("\"tables\" names \"%s\".",
						   ((PdTableSpec *) linitial(manifest->tables))->name),
				 errhint("Add an up script, or remove the key \"tables\".")));

	module->manifest = manifest;
	module->scripts = scripts;
	module->checksum = module_checksum(module);
	module->head = head_of(scripts);
	return module;
}

/*
 * read_scripts
 *		The scripts of a document, with path and content.
 */
static List *
read_scripts(const JsonbValue *value)
{
	JsonbContainer *object = pd_json_object(value);
	List	   *scripts = NIL;
	ListCell   *lc;

	if (object == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value of key \"scripts\" in document"),
				 errdetail("The value is %s, but it must be an object.",
						   pd_json_show(value)),
				 errhint("Write {\"PATH\": \"TEXT\", ...}.")));
	foreach(lc, pd_json_pairs(object))
	{
		const PdJsonPair *pair = lfirst(lc);
		PdScript   *script = palloc0(sizeof(PdScript));

		script->path = pair->key;
		script->content = pd_json_string(&pair->value);
		if (script->content == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value of key \"scripts.%s\" in document",
							pair->key),
					 errdetail("The value is %s, but it must be a string.",
							   pd_json_show(&pair->value)),
					 errhint("Write the script's text as a JSON string.")));
		scripts = lappend(scripts, script);
	}
	return scripts;
}

/*
 * pd_module_source_from_document
 *		Read a module from one document.
 *
 * Raises 22023 for whatever is wrong with it.
 */
PdModuleSource *
pd_module_source_from_document(Jsonb *document)
{
	PdManifest *manifest;
	JsonbValue	value;
	List	   *scripts = NIL;

	if (VARSIZE(document) > PD_SOURCE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("document is too large"),
				 errdetail("It has %d bytes; %d are allowed.",
						   (int) VARSIZE(document), PD_SOURCE_MAX),
				 errhint("Register the module from the server's share folder, or load its data in another way.")));

	if (JB_ROOT_IS_OBJECT(document) &&
		pd_json_get(&document->root, "scripts", &value))
	{
		scripts = read_scripts(&value);
		document = DatumGetJsonbP(DirectFunctionCall2(jsonb_delete,
													  JsonbPGetDatum(document),
													  CStringGetTextDatum("scripts")));
	}
	manifest = pd_manifest_parse(document, "document");
	return pd_module_source_make(manifest, scripts, "the document");
}
