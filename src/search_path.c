/*-------------------------------------------------------------------------
 *
 * search_path.c
 *	  The search_path of a tenant and of the landlord.
 *
 * A tenant's path is its own schema, then the landlord's, then those of shared
 * extensions, then pg_temp: last, so that nobody shadows a table with a
 * temporary one.  It never names two tenants.  Only C code without a SET clause
 * may set it: a function that is declared with SET search_path undoes its own
 * SET LOCAL when it returns.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "miscadmin.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "catalog.h"
#include "compat.h"
#include "search_path.h"

static char *shared_schemas = NULL;

/*
 * check_shared_schemas
 *		GUC check hook: a list of names.
 */
static bool
check_shared_schemas(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names;
	bool		is_list = SplitIdentifierString(copy, ',', &names);

	if (!is_list)
		GUC_check_errdetail("List syntax is invalid.");
	list_free(names);
	pfree(copy);
	return is_list;
}

/*
 * pd_search_path_init
 *		Define the setting.  Called once, by _PG_init.
 */
void
pd_search_path_init(void)
{
	DefineCustomStringVariable("publicdigit.shared_schemas",
							   "Schemas of shared extensions, which stand in the search_path after the landlord's.",
							   NULL,
							   &shared_schemas,
							   "",
							   PGC_SUSET,
							   GUC_LIST_INPUT,
							   check_shared_schemas, NULL, NULL);
}

/*
 * pd_search_path
 *		The path of a tenant, or of the landlord (NULL).
 */
char *
pd_search_path(const PdTenant *tenant)
{
	StringInfoData path;
	List	   *names;
	ListCell   *cell;

	initStringInfo(&path);
	if (tenant != NULL)
		appendStringInfo(&path, "%s, ", quote_identifier(NameStr(tenant->schema)));
	appendStringInfoString(&path, PD_LANDLORD_SCHEMA);
	(void) SplitIdentifierString(pstrdup(shared_schemas), ',', &names);
	foreach(cell, names)
		appendStringInfo(&path, ", %s", quote_identifier(lfirst(cell)));
	appendStringInfoString(&path, ", pg_temp");
	return path.data;
}

/*
 * pd_set_search_path
 *		As SET (LOCAL) search_path.
 */
void
pd_set_search_path(const char *path, GucAction action)
{
	(void) set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION,
							 action, true, 0, false);
}

/*
 * pd_reset_search_path
 *		As RESET search_path.
 */
void
pd_reset_search_path(void)
{
	(void) set_config_option("search_path", NULL, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SET, true, 0, false);
}

/*
 * pd_ensure_schema_usable
 *		An error unless the schema exists and the current user may use it.
 *
 * The path would silently fall through to the next schema otherwise.
 */
void
pd_ensure_schema_usable(const char *schema)
{
	Oid			nspid = get_namespace_oid(schema, true);

	if (!OidIsValid(nspid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", schema),
				 errdetail("It was dropped or renamed by other means than publicdigit.drop_tenant()."),
				 errhint("Restore it from a backup, or drop the tenant.")));

	if (pd_schema_aclcheck(nspid, GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for schema %s", schema),
				 errhint("Grant the role membership in the app role that publicdigit.setup() named.")));
}
