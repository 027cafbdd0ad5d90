/*-------------------------------------------------------------------------
 *
 * version.c
 *	  Registered versions of modules, and what is installed.  No writes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/jsonb.h"

#include "spi.h"
#include "version.h"

/*
 * number
 *		A bigint column of the last result.
 */
static int64
number(uint64 row, const char *column)
{
	bool		isnull;

	return DatumGetInt64(pd_spi_datum(row, column, &isnull));
}

#define LOAD_VERSION \
	"SELECT v.manifest, v.checksum, v.head" \
	" FROM publicdigit.module_version AS v" \
	" JOIN publicdigit.module AS m ON m.name = v.module" \
	" WHERE v.id = $1"

/*
 * pd_version_load
 *		A version with its manifest and scripts, as they were registered.
 *
 * It is locked, so that nobody unregisters what is being installed.  Its module
 * comes first: who unregisters waits for that row, and holds no version yet for
 * which another one could wait.  A read-only transaction takes no lock, and
 * installs nothing.
 */
PdVersion *
pd_version_load(int64 id)
{
	PdVersion  *version = palloc0(sizeof(PdVersion));
	PdModuleSource *source = palloc0(sizeof(PdModuleSource));
	uint64		n;
	bool		isnull;

	version->id = id;
	version->source = source;
	/* The rows are locked in the order of the list after OF. */
	if (pd_spi_query(XactReadOnly ? LOAD_VERSION : LOAD_VERSION " FOR KEY SHARE OF m, v",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(id)))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the version of the module has been unregistered meanwhile"),
				 errhint("The view publicdigit.modules lists the registered versions.")));
	source->checksum = pd_spi_text(0, "checksum");
	source->head = pd_spi_text(0, "head");
	source->manifest = pd_manifest_parse(DatumGetJsonbPCopy(pd_spi_datum(0, "manifest", &isnull)),
										 "registered manifest");

	n = pd_spi_query("SELECT path, content, checksum, statements"
					 " FROM publicdigit.module_script"
					 " WHERE version_id = $1 ORDER BY path COLLATE \"C\"",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(id))));
	for (uint64 row = 0; row < n; row++)
	{
		PdScript   *script = palloc0(sizeof(PdScript));

		script->path = pd_spi_text(row, "path");
		script->content = pd_spi_text(row, "content");
		script->checksum = pd_spi_text(row, "checksum");
		script->statements = pd_spi_text(row, "statements");
		pd_script_classify(script, source->manifest->context);
		source->scripts = lappend(source->scripts, script);
	}
	return version;
}

/*
 * pd_version_manifest
 *		The manifest of a version that is installed, without its scripts, and
 *		without a lock: what is installed cannot be unregistered.
 */
PdManifest *
pd_version_manifest(int64 id)
{
	bool		isnull;

	if (pd_spi_query("SELECT v.manifest FROM publicdigit.module_version AS v WHERE v.id = $1",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(id)))) == 0)
		elog(ERROR, "version " INT64_FORMAT " is not registered", id);
	return pd_manifest_parse(DatumGetJsonbPCopy(pd_spi_datum(0, "manifest", &isnull)),
							 "registered manifest");
}

/*
 * pd_module_context
 *		For whom a registered module is meant.  Errors: 42704 where no version of
 *		it is registered.
 */
PdContextKind
pd_module_context(const char *module)
{
	if (pd_spi_query("SELECT context FROM publicdigit.module WHERE name = $1",
					 PD_ARGS(pd_text(module))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("module \"%s\" is not registered", module),
				 errhint("Register it with publicdigit.register_module(); publicdigit.available_modules() lists what the server has.")));
	return strcmp(pd_spi_text(0, "context"), pd_context_name(PD_TENANT)) == 0 ?
		PD_TENANT : PD_LANDLORD;
}

/*
 * pd_version_find
 *		A registered version of a module; NULL stands for the highest that is
 *		no prerelease, or the highest where all are.  Errors: 42704.
 */
PdVersion *
pd_version_find(const char *module, const char *version)
{
	(void) pd_module_context(module);
	/* Build metadata does not count in semver's order, nor does it here. */
	if (pd_spi_query("SELECT id FROM publicdigit.module_version"
					 " WHERE module = $1 AND ($2 IS NULL OR version::text = $2)"
					 " ORDER BY version::text ~ '^[0-9.]+-', version DESC LIMIT 1",
					 PD_ARGS(pd_text(module), pd_text(version))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("version \"%s\" of module \"%s\" is not registered", version, module),
				 errhint("The view publicdigit.modules lists the registered versions.")));
	return pd_version_load(number(0, "id"));
}

/*
 * read_installation
 *		One row of the last result.
 */
static PdInstallation *
read_installation(uint64 row)
{
	PdInstallation *installation = palloc(sizeof(PdInstallation));
	const char *status = pd_spi_text(row, "status");

	installation->id = number(row, "id");
	installation->module = pd_spi_text(row, "module");
	installation->version_id = number(row, "version_id");
	installation->version = pd_spi_text(row, "version");
	installation->status = strcmp(status, "installed") == 0 ? PD_INSTALLED :
		strcmp(status, "disabled") == 0 ? PD_DISABLED : PD_ARCHIVED;
	installation->head = pd_spi_text(row, "head");
	return installation;
}

#define FIND_INSTALLATION(whose) \
	"SELECT i.id, i.module::text AS module, i.version_id," \
	" v.version::text AS version, i.status, i.head" \
	" FROM publicdigit.installation AS i" \
	" JOIN publicdigit.module_version AS v ON v.id = i.version_id" \
	" WHERE i.module = $1 AND i.tenant_id " whose

/*
 * pd_installation_find
 *		What a tenant, or the landlord (NULL), has of a module; NULL where
 *		that is nothing.
 */
PdInstallation *
pd_installation_find(const char *module, const pg_uuid_t *tenant)
{
	PdArg		args[] = {pd_text(module), pd_uuid(tenant)};

	/* Two statements, since no index serves both at once. */
	if ((tenant != NULL ? pd_spi_query(FIND_INSTALLATION("= $2"), args, 2) :
		 pd_spi_query(FIND_INSTALLATION("IS NULL"), args, 1)) == 0)
		return NULL;
	return read_installation(0);
}

/*
 * pd_installations
 *		All that a tenant, or the landlord (NULL), has, as a list of
 *		PdInstallation, by module.
 */
List *
pd_installations(const pg_uuid_t *tenant)
{
	List	   *installations = NIL;
	uint64		n;

	n = pd_spi_query("SELECT i.id, i.module::text AS module, i.version_id,"
					 " v.version::text AS version, i.status, i.head"
					 " FROM publicdigit.installation AS i"
					 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
					 " WHERE i.tenant_id = $1 OR $1 IS NULL AND i.tenant_id IS NULL"
					 " ORDER BY i.module",
					 PD_ARGS(pd_uuid(tenant)));
	for (uint64 row = 0; row < n; row++)
		installations = lappend(installations, read_installation(row));
	return installations;
}

/*
 * pd_version_script
 *		A migration's script of a kind; NULL where the version has none.
 */
const PdScript *
pd_version_script(const PdVersion *version, PdScriptKind kind,
				  const char *migration)
{
	ListCell   *cell;

	foreach(cell, version->source->scripts)
	{
		const PdScript *script = lfirst(cell);

		if (script->kind == kind && strcmp(script->migration, migration) == 0)
			return script;
	}
	return NULL;
}
