/*-------------------------------------------------------------------------
 *
 * register.c
 *	  SQL functions that register modules and forget them.
 *
 * Registration copies a manifest and its scripts into the registry, where
 * they never change.  Those who register or unregister take turns: they lock
 * table "module" until their transaction ends, in the mode that lets installs
 * of registered versions go on.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "errors.h"
#include "json.h"
#include "lint.h"
#include "module_source.h"
#include "requirement.h"
#include "script_error.h"
#include "semver.h"
#include "spi.h"

PG_FUNCTION_INFO_V1(pd_available_modules);
PG_FUNCTION_INFO_V1(pd_register_module);
PG_FUNCTION_INFO_V1(pd_register_module_document);
PG_FUNCTION_INFO_V1(pd_unregister_module);

/*
 * ensure_not_null
 *		Raise 22004 for a null argument.
 */
static void
ensure_not_null(FunctionCallInfo fcinfo, int argno, const char *name,
				const char *hint)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name),
				 errhint("%s", hint)));
}

/*
 * lock_modules
 *		Wait until nobody else registers or unregisters.
 */
static void
lock_modules(void)
{
	pd_spi_query("LOCK TABLE publicdigit.module IN SHARE ROW EXCLUSIVE MODE",
				 NULL, 0);
}

/*
 * ensure_module
 *		Enter a module's name; raise 22023 where it is there with the other
 *		context.
 */
static void
ensure_module(const PdManifest *manifest)
{
	const char *context = pd_context_name(manifest->context);
	const char *registered;

	pd_spi_query("INSERT INTO publicdigit.module (name, context) VALUES ($1, $2)"
				 " ON CONFLICT DO NOTHING",
				 PD_ARGS(pd_text(manifest->name), pd_text(context)));
	if (pd_spi_query("SELECT m.context FROM publicdigit.module AS m WHERE m.name = $1",
					 PD_ARGS(pd_text(manifest->name))) == 0)
		elog(ERROR, "module \"%s\" has vanished", manifest->name);

	registered = pd_spi_text(0, "context");
	if (strcmp(registered, context) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("module \"%s\" is registered with another context",
						manifest->name),
				 errdetail("The registered context is %s, the given one %s.",
						   registered, context),
				 errhint("Give the new module another name, or unregister all versions of the old one.")));
}

/*
 * insert_version
 *		Enter a version without its scripts.
 *
 * Returns its id, or 0 where the module has this version.  The column's type
 * may lie in any schema, so the text is turned into it by the function that
 * reads it from the manifest.
 */
static int64
insert_version(const PdModuleSource *source)
{
	const PdManifest *manifest = source->manifest;
	bool		isnull;

	if (pd_spi_query("INSERT INTO publicdigit.module_version"
					 " (module, version, title, manifest, checksum, head)"
					 " SELECT $1, r.version, $2, $3, $4, $5"
					 " FROM pg_catalog.jsonb_populate_record(NULL::publicdigit.module_version, $3) AS r"
					 " ON CONFLICT DO NOTHING RETURNING id",
					 PD_ARGS(pd_text(manifest->name),
							 pd_text(manifest->title),
							 pd_datum(JSONBOID, JsonbPGetDatum(manifest->document)),
							 pd_text(source->checksum),
							 pd_text(source->head))) == 0)
		return 0;
	return DatumGetInt64(pd_spi_datum(0, "id", &isnull));
}

/*
 * ensure_same_content
 *		Tell that a version is registered already; raise PD002 where its
 *		content is not the same.
 */
static void
ensure_same_content(const PdModuleSource *source)
{
	const PdManifest *manifest = source->manifest;
	uint64		n;

	n = pd_spi_query("SELECT v.version::text AS version, v.checksum"
					 " FROM publicdigit.module_version AS v WHERE v.module = $1",
					 PD_ARGS(pd_text(manifest->name)));
	for (uint64 row = 0; row < n; row++)
	{
		const char *version = pd_spi_text(row, "version");
		const char *checksum = pd_spi_text(row, "checksum");

		/* 1.0.0+a and 1.0.0+b are one version. */
		if (pd_semver_compare(version, manifest->version) != 0)
			continue;
		if (strcmp(checksum, source->checksum) == 0)
			ereport(NOTICE,
					(errmsg("version %s of module \"%s\" is registered already with the same content, skipping",
							version, manifest->name)));
		else
			ereport(ERROR,
					(errcode(ERRCODE_PD_CHECKSUM),
					 errmsg("version %s of module \"%s\" is registered with other content",
							version, manifest->name),
					 errdetail("Registered is %s, given is %s.",
							   checksum, source->checksum),
					 errhint("Raise the version: what is registered never changes.")));
		return;
	}
	elog(ERROR, "version %s of module \"%s\" has vanished",
		 manifest->version, manifest->name);
}

/*
 * register_source
 *		Enter a module's version and its scripts, and return the version.
 *		With strict, hazards in them are an error (PD004).
 */
static Datum
register_source(const PdModuleSource *source, bool strict)
{
	PdSpi		spi;
	int64		id;

	pd_spi_begin(&spi);
	lock_modules();
	ensure_module(source->manifest);
	pd_requirements_check(source->manifest);
	id = insert_version(source);
	if (id == 0)
		ensure_same_content(source);
	else
	{
		ListCell   *lc;

		pd_lint_module(source, strict);
		foreach(lc, source->scripts)
		{
			const PdScript *script = lfirst(lc);

			pd_spi_query("INSERT INTO publicdigit.module_script"
						 " (version_id, path, kind, migration, content, checksum, statements)"
						 " VALUES ($1, $2, $3, $4, $5, $6, $7)",
						 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(id)),
								 pd_text(script->path),
								 pd_text(pd_script_kind_name(script->kind)),
								 pd_text(script->migration),
								 pd_text(script->content),
								 pd_text(script->checksum),
								 pd_text(script->statements)));
		}
	}
	pd_spi_end(&spi);
	return CStringGetTextDatum(source->manifest->version);
}

#define STRICT_HINT	"Pass true or false, or leave it out."

/*
 * pd_register_module
 *		Register a module of the server's share folder, or a document.
 *
 * Drivers that bind parameters as text reach this function with a document
 * too; no module's name begins with a brace.
 */
Datum
pd_register_module(PG_FUNCTION_ARGS)
{
	char	   *module;
	PdModuleSource *source;

	ensure_not_null(fcinfo, 0, "module",
					"Name a module that publicdigit.available_modules() lists.");
	ensure_not_null(fcinfo, 1, "strict", STRICT_HINT);
	module = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (strncmp(module, "\xEF\xBB\xBF", 3) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the module's name or document begins with a byte order mark"),
				 errhint("Save the file as UTF-8 without one.")));
	if (module[strspn(module, " \t\r\n")] == '{')
		source = pd_module_source_from_document(pd_json_parse(module, "document"));
	else
		source = pd_module_source_from_directory(module);
	return register_source(source, PG_GETARG_BOOL(1));
}

/*
 * pd_register_module_document
 *		Register a module from one document.
 */
Datum
pd_register_module_document(PG_FUNCTION_ARGS)
{
	ensure_not_null(fcinfo, 0, "document",
					"Give an object with name, version, context and scripts.");
	ensure_not_null(fcinfo, 1, "strict", STRICT_HINT);
	return register_source(pd_module_source_from_document(PG_GETARG_JSONB_P(0)),
						   PG_GETARG_BOOL(1));
}

/*
 * ensure_registered
 *		Lock versions of a module that are to be forgotten, so that none can
 *		be installed meanwhile.  Raises 42704 where there is none.
 *
 * Who installs locks the module before a version of it.  Once its row is ours
 * nobody works with a version, and none that we hold is waited for by a session
 * for which we wait.
 */
static void
ensure_registered(const char *module, const char *version)
{
	if (pd_spi_query("SELECT FROM publicdigit.module AS m WHERE m.name = $1 FOR UPDATE",
					 PD_ARGS(pd_text(module))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("module \"%s\" is not registered", module),
				 errhint("The view publicdigit.modules lists the registered versions.")));
	if (pd_spi_query("SELECT FROM publicdigit.module_version AS v"
					 " WHERE v.module = $1 AND ($2 IS NULL OR v.version::text = $2)"
					 " ORDER BY v.id FOR UPDATE",
					 PD_ARGS(pd_text(module), pd_text(version))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version \"%s\" of module \"%s\" is not registered",
						version, module),
				 errhint("The view publicdigit.modules lists the registered versions.")));
}

/*
 * ensure_not_installed
 *		Raise 2BP01 where a version that is to be forgotten is installed.
 */
static void
ensure_not_installed(const char *module, const char *version)
{
	const char *installed;
	const char *tenants;
	const char *landlord;

	if (pd_spi_query("SELECT v.version::text AS version,"
					 " pg_catalog.count(i.tenant_id) AS tenants,"
					 " pg_catalog.count(*) - pg_catalog.count(i.tenant_id) AS landlord,"
					 " i.status = 'archived' AS archived"
					 " FROM publicdigit.installation AS i"
					 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
					 " WHERE v.module = $1 AND ($2 IS NULL OR v.version::text = $2)"
					 " GROUP BY v.id, archived ORDER BY v.id, archived LIMIT 1",
					 PD_ARGS(pd_text(module), pd_text(version))) == 0)
		return;

	installed = pd_spi_text(0, "version");
	tenants = pd_spi_text(0, "tenants");
	landlord = pd_spi_text(0, "landlord");
	if (strcmp(pd_spi_text(0, "archived"), "t") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot unregister version %s of module \"%s\" because it is in the archive",
						installed, module),
				 strcmp(landlord, "0") != 0 ?
				 errdetail("It is in the landlord's archive.") :
				 errdetail("It is in the archive of this number of tenants: %s.", tenants),
				 errhint("Install it again, or drop it with publicdigit.uninstall_module(..., cascade => true), first; the view publicdigit.module_installations tells where.")));
	ereport(ERROR,
			(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
			 errmsg("cannot unregister version %s of module \"%s\" because it is installed",
					installed, module),
			 strcmp(landlord, "0") != 0 ?
			 errdetail("It is installed for the landlord.") :
			 errdetail("It is installed for this number of tenants: %s.", tenants),
			 errhint("Uninstall it, or go to another version, first; the view publicdigit.module_installations tells where.")));
}

/*
 * pd_unregister_module
 *		Forget a version of a module, or all of them where version is null.
 */
Datum
pd_unregister_module(PG_FUNCTION_ARGS)
{
	char	   *module;
	char	   *version = NULL;
	PdSpi		spi;

	ensure_not_null(fcinfo, 0, "module",
					"Name a module that the view publicdigit.modules lists.");
	module = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (!PG_ARGISNULL(1))
		version = text_to_cstring(PG_GETARG_TEXT_PP(1));

	pd_spi_begin(&spi);
	lock_modules();
	ensure_registered(module, version);
	ensure_not_installed(module, version);
	pd_spi_query("DELETE FROM publicdigit.module_version AS v"
				 " WHERE v.module = $1 AND ($2 IS NULL OR v.version::text = $2)",
				 PD_ARGS(pd_text(module), pd_text(version)));
	pd_spi_query("DELETE FROM publicdigit.module AS m WHERE m.name = $1"
				 " AND NOT EXISTS (SELECT FROM publicdigit.module_version AS v"
				 " WHERE v.module = m.name)",
				 PD_ARGS(pd_text(module)));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * problem_of
 *		What an error says about a module, in one text; raises the error again
 *		where it is not the module's fault.
 */
static char *
problem_of(ErrorData *error)
{
	/* A file that is missing, or cannot be read, is one of the folder's faults. */
	if (!pd_error_is_of_module(error) &&
		ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_SYSTEM_ERROR)
		ReThrowError(error);
	return error->detail == NULL ? error->message :
		psprintf("%s: %s", error->message, error->detail);
}

/*
 * read_module
 *		Read a module of the server's share folder; NULL, with *problem set,
 *		where something is wrong with it.
 *
 * In a subtransaction, which also closes the files of a failed attempt.
 */
static PdManifest *
read_module(const char *name, char **problem)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	PdManifest *volatile manifest = NULL;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		manifest = pd_module_source_from_directory(name)->manifest;
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;

	if (error != NULL)
		*problem = problem_of(error);
	return manifest;
}

/*
 * is_registered
 *		Does the registry have this version of a module?
 */
static bool
is_registered(const PdManifest *manifest)
{
	PdSpi		spi;
	bool		found;

	pd_spi_begin(&spi);
	found = pd_spi_query("SELECT FROM publicdigit.module_version AS v"
						 " WHERE v.module = $1 AND v.version::text = $2",
						 PD_ARGS(pd_text(manifest->name),
								 pd_text(manifest->version))) > 0;
	pd_spi_end(&spi);
	return found;
}

/*
 * pd_available_modules
 *		A row for each folder of the server's share folder in which a module
 *		should lie: the module, or what is wrong with it.
 */
Datum
pd_available_modules(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext per_module;
	MemoryContext caller;
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	per_module = AllocSetContextCreate(CurrentMemoryContext,
									   "publicdigit module",
									   ALLOCSET_DEFAULT_SIZES);
	foreach(lc, pd_module_directories())
	{
		const char *name = lfirst(lc);
		Datum		values[6];
		bool		nulls[6] = {false, true, true, true, true, true};
		PdManifest *manifest;
		char	   *problem;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(per_module);
		caller = MemoryContextSwitchTo(per_module);

		manifest = read_module(name, &problem);
		values[0] = DirectFunctionCall1(namein, CStringGetDatum(name));
		if (manifest == NULL)
		{
			values[5] = CStringGetTextDatum(problem);
			nulls[5] = false;
		}
		else
		{
			values[1] = CStringGetTextDatum(manifest->version);
			values[2] = CStringGetTextDatum(pd_context_name(manifest->context));
			values[3] = CStringGetTextDatum(manifest->title);
			values[4] = BoolGetDatum(is_registered(manifest));
			memset(nulls + 1, false, 4 * sizeof(bool));
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		MemoryContextSwitchTo(caller);
	}
	MemoryContextDelete(per_module);
	return (Datum) 0;
}
