/*-------------------------------------------------------------------------
 *
 * version.c
 *	  Registered versions of modules, and what is installed.  No writes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/jsonb.h"

#include "range.h"
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

/*
 * pd_version_load
 *		A version with its manifest and scripts, as they were registered.
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
	/* Locked, so that nobody unregisters what is being installed. */
	if (pd_spi_query("SELECT manifest, checksum FROM publicdigit.module_version"
					 " WHERE id = $1 FOR KEY SHARE",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(id)))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the version of the module has been unregistered meanwhile"),
				 errhint("The view publicdigit.modules lists the registered versions.")));
	source->checksum = pd_spi_text(0, "checksum");
	source->manifest = pd_manifest_parse(DatumGetJsonbPCopy(pd_spi_datum(0, "manifest", &isnull)),
										 "registered manifest");

	n = pd_spi_query("SELECT path, content, checksum FROM publicdigit.module_script"
					 " WHERE version_id = $1 ORDER BY path COLLATE \"C\"",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(id))));
	for (uint64 row = 0; row < n; row++)
	{
		PdScript   *script = palloc0(sizeof(PdScript));

		script->path = pd_spi_text(row, "path");
		script->content = pd_spi_text(row, "content");
		script->checksum = pd_spi_text(row, "checksum");
		pd_script_classify(script, source->manifest->context);
		source->scripts = lappend(source->scripts, script);
	}
	return version;
}

/*
 * ensure_registered
 *		An error (42704) for a module of which no version is registered; "by"
 *		is who requires it, or NULL.
 */
static void
ensure_registered(const char *module, const PdManifest *by)
{
	if (pd_spi_query("SELECT FROM publicdigit.module WHERE name = $1",
					 PD_ARGS(pd_text(module))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("module \"%s\" is not registered", module),
				 by == NULL ? 0 :
				 errdetail("Module \"%s\" version %s requires it.", by->name, by->version),
				 errhint("Register it with publicdigit.register_module(); publicdigit.available_modules() lists what the server has.")));
}

/*
 * pd_version_find
 *		A registered version of a module; NULL stands for the highest that is
 *		no prerelease, or the highest where all are.  Errors: 42704.
 */
PdVersion *
pd_version_find(const char *module, const char *version)
{
	ensure_registered(module, NULL);
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
 * pd_version_find_in_range
 *		The highest registered version that meets a requirement.
 *		Errors: 42704.
 */
PdVersion *
pd_version_find_in_range(const PdRequirement *requirement, const PdManifest *by)
{
	const char *module = requirement->module;
	const char *problem;
	PdRange    *range = pd_range_parse(requirement->range, &problem);
	uint64		n;

	if (range == NULL)
		elog(ERROR, "range \"%s\" is malformed: %s", requirement->range, problem);

	ensure_registered(module, by);
	n = pd_spi_query("SELECT id, version::text AS version FROM publicdigit.module_version"
					 " WHERE module = $1 ORDER BY module_version.version DESC",
					 PD_ARGS(pd_text(module)));
	for (uint64 row = 0; row < n; row++)
	{
		if (pd_range_contains(range, pd_spi_text(row, "version")))
			return pd_version_load(number(row, "id"));
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("no registered version of module \"%s\" is in the range \"%s\"",
					module, requirement->range),
			 errdetail("Module \"%s\" version %s requires it.", by->name, by->version),
			 errhint("The view publicdigit.modules lists the registered versions.")));
	return NULL;				/* keep compiler quiet */
}

/*
 * pd_installation_find
 *		What a tenant, or the landlord (NULL), has of a module; NULL where
 *		that is nothing.
 */
PdInstallation *
pd_installation_find(const char *module, const pg_uuid_t *tenant)
{
	PdInstallation *installation;

	if (pd_spi_query("SELECT i.id, i.version_id, v.version::text AS version"
					 " FROM publicdigit.installation AS i"
					 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
					 " WHERE i.module = $1 AND (i.tenant_id = $2 OR $2 IS NULL AND i.tenant_id IS NULL)",
					 PD_ARGS(pd_text(module), pd_uuid(tenant))) == 0)
		return NULL;

	installation = palloc(sizeof(PdInstallation));
	installation->id = number(0, "id");
	installation->version_id = number(0, "version_id");
	installation->version = pd_spi_text(0, "version");
	return installation;
}
