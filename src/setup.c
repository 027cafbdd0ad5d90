/*-------------------------------------------------------------------------
 *
 * setup.c
 *	  setup(): roles, the landlord's schema, and grants.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "key_file.h"
#include "spi.h"

PG_FUNCTION_INFO_V1(pd_setup);

/* What setup() was asked for. */
typedef struct Setup
{
	char	   *owner;
	char	   *app;
	char	   *admin;			/* or NULL */
	char	   *environment;
} Setup;

/*
 * name_argument
 *		A role's name.  Errors: 22004, 22023.
 */
static char *
name_argument(FunctionCallInfo fcinfo, int argno, const char *argument)
{
	char	   *name;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", argument)));
	name = pstrdup(NameStr(*PG_GETARG_NAME(argno)));
	if (name[0] == '\0' || strcmp(name, "public") == 0 || strcmp(name, "none") == 0 ||
		strncmp(name, "pg_", 3) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" cannot be the %s role", name, argument),
				 errdetail("PostgreSQL reserves the names public, none, and those that begin with pg_.")));
	return name;
}

/*
 * ready_role
 *		Make a role that is missing, and refuse one that would undo the
 *		isolation of tenants (55000).
 */
static void
ready_role(const char *role, const char *argument, bool may_log_in)
{
	HeapTuple	tuple = SearchSysCache1(AUTHNAME, CStringGetDatum(role));
	Form_pg_authid form;
	const char *too_much = NULL;

	if (!HeapTupleIsValid(tuple))
	{
		pd_spi_command("CREATE ROLE %s NOLOGIN", quote_identifier(role));
		return;
	}

	form = (Form_pg_authid) GETSTRUCT(tuple);
	if (form->rolsuper)
		too_much = "SUPERUSER";
	else if (form->rolbypassrls)
		too_much = "BYPASSRLS";
	else if (form->rolcanlogin && !may_log_in)
		too_much = "LOGIN";
	ReleaseSysCache(tuple);

	if (too_much != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("role \"%s\" cannot be the %s role", role, argument),
				 errdetail("It has the attribute %s.", too_much),
				 errhint("Run ALTER ROLE %s NO%s, or choose another role.",
						 quote_identifier(role), too_much)));
}

/*
 * ensure_no_bypass
 *		Refuse a role that is a member of one that bypasses row security
 *		(55000).
 */
static void
ensure_no_bypass(const char *role, const char *argument)
{
	char	   *bypasses;

	if (pd_spi_query("SELECT rolname FROM pg_roles WHERE (rolsuper OR rolbypassrls)"
					 " AND pg_has_role($1::name, oid, 'MEMBER')"
					 " ORDER BY rolname LIMIT 1",
					 PD_ARGS(pd_text(role))) == 0)
		return;
	bypasses = pd_spi_text(0, "rolname");
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("role \"%s\" cannot be the %s role", role, argument),
			 errdetail("It is a member of role \"%s\", which bypasses row-level security.",
					   bypasses),
			 errhint("Run REVOKE %s FROM %s.", quote_identifier(bypasses),
					 quote_identifier(role))));
}

/*
 * ensure_no_member
 *		Refuse a role that is a member of the owner role, and so could turn
 *		row security off (55000).
 */
static void
ensure_no_member(const char *role, const char *argument, const char *owner)
{
	if (is_member_of_role_nosuper(get_role_oid(role, false),
								  get_role_oid(owner, false)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("role \"%s\" cannot be the %s role", role, argument),
				 errdetail("It is a member of the owner role \"%s\".", owner),
				 errhint("Run REVOKE %s FROM %s.", quote_identifier(owner),
						 quote_identifier(role))));
}

/*
 * ensure_same_as_before
 *		Refuse to change, once there is something that rests on it, what an
 *		earlier setup() has decided (55000).
 */
static void
ensure_same_as_before(const PdCatalog *before, const Setup *setup)
{
	const char *changed = NULL;

	if (strcmp(NameStr(before->owner_role), setup->owner) != 0)
		changed = "owner role";
	else if (strcmp(NameStr(before->app_role), setup->app) != 0)
		changed = "app role";
	else if (before->testing != (strcmp(setup->environment, "testing") == 0))
		changed = "environment";
	if (changed == NULL)
		return;

	if (pd_spi_query("SELECT FROM publicdigit.tenant"
					 " UNION ALL SELECT FROM publicdigit.installation"
					 " UNION ALL SELECT FROM pg_class AS c"
					 "  JOIN pg_namespace AS n ON n.oid = c.relnamespace"
					 "  WHERE n.nspname = 'landlord' LIMIT 1",
					 NULL, 0) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot change the %s", changed),
				 errdetail("There are tenants, installed modules or tables of the landlord already."),
				 errhint("Call setup() with the same %s, or use another database.", changed)));
}

/*
 * ready_landlord_schema
 *		Make the landlord's schema, or refuse one that is somebody else's.
 */
static void
ready_landlord_schema(const Setup *setup)
{
	if (!OidIsValid(get_namespace_oid(PD_LANDLORD_SCHEMA, true)))
		pd_spi_command("CREATE SCHEMA %s AUTHORIZATION %s", PD_LANDLORD_SCHEMA,
					   quote_identifier(setup->owner));
	else if (pd_spi_query("SELECT FROM pg_namespace WHERE nspname = $1"
						  " AND pg_get_userbyid(nspowner) <> $2",
						  PD_ARGS(pd_text(PD_LANDLORD_SCHEMA), pd_text(setup->owner))) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_SCHEMA),
				 errmsg("schema \"%s\" already exists and belongs to another role",
						PD_LANDLORD_SCHEMA),
				 errhint("Rename it, or run ALTER SCHEMA %s OWNER TO %s.",
						 PD_LANDLORD_SCHEMA, quote_identifier(setup->owner))));
	pd_spi_command("GRANT USAGE ON SCHEMA %s TO %s", PD_LANDLORD_SCHEMA,
				   quote_identifier(setup->app));
}

/*
 * grant_schemas
 *		Grant or revoke the use of the landlord's and all tenants' schemas.
 */
static void
grant_schemas(const char *command, const char *preposition, const char *role)
{
	uint64		n;
	SPITupleTable *result;

	n = pd_spi_query("SELECT s.nspname AS name FROM pg_namespace AS s"
					 " WHERE s.nspname = 'landlord' OR s.nspname IN"
					 "  (SELECT schema_name FROM publicdigit.tenant)",
					 NULL, 0);
	result = SPI_tuptable;
	for (uint64 row = 0; row < n; row++)
	{
		SPI_tuptable = result;
		pd_spi_command("%s USAGE ON SCHEMA %s %s %s", command,
					   quote_identifier(pd_spi_text(row, "name")),
					   preposition, quote_identifier(role));
	}
}

/*
 * restricted_functions
 *		The extension's functions that PUBLIC may not call, as GRANT takes them.
 *		The others keep default privileges, which are quicker to look up.
 */
static const char *
restricted_functions(void)
{
	pd_spi_query("SELECT string_agg(p.oid::regprocedure::text, ', ') AS names"
				 " FROM pg_depend AS d JOIN pg_proc AS p ON p.oid = d.objid"
				 " WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e'"
				 " AND d.refclassid = 'pg_extension'::regclass"
				 " AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'publicdigit')"
				 " AND p.proacl IS NOT NULL AND p.prokind = 'f'"
				 /* Triggers of our own tables call them, whoever may or may not. */
				 " AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)",
				 NULL, 0);
	return pd_spi_text(0, "names");
}

/*
 * revoke_functions
 *		Take away from a role what has been granted to it of our functions.  A
 *		function with default privileges keeps them.
 */
static void
revoke_functions(const char *role)
{
	uint64		n;
	SPITupleTable *result;

	n = pd_spi_query("SELECT p.oid::regprocedure::text AS name"
					 " FROM pg_proc AS p"
					 " WHERE p.pronamespace = 'publicdigit'::regnamespace"
					 " AND EXISTS (SELECT FROM aclexplode(p.proacl) AS a"
					 "  WHERE a.grantee = to_regrole(quote_ident($1)))",
					 PD_ARGS(pd_text(role)));
	result = SPI_tuptable;
	for (uint64 row = 0; row < n; row++)
	{
		SPI_tuptable = result;
		pd_spi_command("REVOKE ALL ON ROUTINE %s FROM %s",
					   pd_spi_text(row, "name"), quote_identifier(role));
	}
}

/*
 * take_rights_back
 *		Take away from the owner, app or admin role of before, if it is another
 *		one now, what an earlier setup() gave it.
 */
static void
take_rights_back(const char *former, const char *now, const char *argument)
{
	const char *role = quote_identifier(former);

	if (former[0] == '\0' || (now != NULL && strcmp(former, now) == 0) ||
		!OidIsValid(get_role_oid(former, true)))
		return;

	ereport(NOTICE,
			(errmsg("role \"%s\" is no longer the %s role", former, argument)));
	revoke_functions(former);
	pd_spi_command("REVOKE ALL ON ALL TABLES IN SCHEMA publicdigit FROM %s", role);
	grant_schemas("REVOKE", "FROM", former);
}

/*
 * grant_functions
 *		What the owner, the app and the admin role may call and read.  doc/roles.md says
 *		why each.
 */
static void
grant_functions(const Setup *setup)
{
	const char *app = quote_identifier(setup->app);

	pd_spi_command("GRANT EXECUTE ON FUNCTION"
				   " publicdigit.use_tenant(text, boolean, boolean),"
				   " publicdigit.use_tenant(uuid, boolean, boolean),"
				   " publicdigit.use_token(text, boolean, boolean),"
				   " publicdigit.use_landlord(boolean),"
				   " publicdigit.find_tenant(text)"
				   " TO %s", app);
	/*
	 * For modules' scripts; it asks for the ownership of the table as well.  Its
	 * triggers are made as the table's owner, a new partition's by the server.
	 */
	pd_spi_command("GRANT EXECUTE ON FUNCTION"
				   " publicdigit.reference_landlord(regclass, name, regclass),"
				   " publicdigit.check_landlord_reference(), publicdigit.keep_landlord_key() TO %s",
				   quote_identifier(setup->owner));

	if (setup->admin != NULL)
	{
		const char *admin = quote_identifier(setup->admin);

		pd_spi_command("GRANT EXECUTE ON FUNCTION %s TO %s", restricted_functions(), admin);
		/* Who may make roles and change what setup() decided is the owner of the extension. */
		pd_spi_command("REVOKE EXECUTE ON FUNCTION publicdigit.setup(name, name, text, name) FROM %s", admin);
		pd_spi_command("GRANT SELECT ON publicdigit.tenants, publicdigit.domains,"
					   " publicdigit.tenant_access, publicdigit.modules,"
					   " publicdigit.module_installations, publicdigit.migrations,"
					   " publicdigit.migration_events"
					   " TO %s", admin);
		/* To name a table for protect_table() and the like; not to read it. */
		grant_schemas("GRANT", "TO", setup->admin);
	}
}

/*
 * setup(owner, app, environment DEFAULT 'production', admin DEFAULT NULL)
 *		Make what is missing of roles, schema and grants.
 *		Errors: 22004, 22023, 55000, 42P06.
 */
Datum
pd_setup(PG_FUNCTION_ARGS)
{
	Setup		setup;
	PdCatalog	before = *pd_catalog();
	PdSpi		spi;

	setup.owner = name_argument(fcinfo, 0, "owner");
	setup.app = name_argument(fcinfo, 1, "app");
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("environment must not be null")));
	setup.environment = text_to_cstring(PG_GETARG_TEXT_PP(2));
	setup.admin = PG_ARGISNULL(3) ? NULL : name_argument(fcinfo, 3, "admin");

	if (strcmp(setup.environment, "production") != 0 &&
		strcmp(setup.environment, "testing") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("environment \"%s\" is not known", setup.environment),
				 errhint("The environments are \"production\" and \"testing\".")));
	if (strcmp(setup.owner, setup.app) == 0 ||
		(setup.admin != NULL && (strcmp(setup.owner, setup.admin) == 0 ||
								 strcmp(setup.app, setup.admin) == 0)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("owner, app and admin must be different roles")));

	pd_spi_begin(&spi);
	if (before.is_set_up)
		ensure_same_as_before(&before, &setup);

	ready_role(setup.owner, "owner", false);
	ensure_no_bypass(setup.owner, "owner");
	ready_role(setup.app, "app", true);
	ensure_no_bypass(setup.app, "app");
	ensure_no_member(setup.app, "app", setup.owner);
	if (setup.admin != NULL)
	{
		ready_role(setup.admin, "admin", true);
		ensure_no_bypass(setup.admin, "admin");
		ensure_no_member(setup.admin, "admin", setup.owner);
	}
	take_rights_back(NameStr(before.owner_role), setup.owner, "owner");
	take_rights_back(NameStr(before.app_role), setup.app, "app");
	take_rights_back(NameStr(before.admin_role), setup.admin, "admin");
	ready_landlord_schema(&setup);
	grant_functions(&setup);

	pd_spi_query("INSERT INTO publicdigit.setting"
				 " (owner_role, app_role, admin_role, environment)"
				 " VALUES ($1, $2, $3, $4)"
				 " ON CONFLICT (singleton) DO UPDATE SET"
				 " owner_role = excluded.owner_role, app_role = excluded.app_role,"
				 " admin_role = excluded.admin_role, environment = excluded.environment",
				 PD_ARGS(pd_text(setup.owner), pd_text(setup.app),
						 pd_text(setup.admin), pd_text(setup.environment)));
	pd_spi_end(&spi);

	if (!before.is_set_up && !pd_library_is_preloaded())
		ereport(NOTICE,
				(errmsg("publicdigit is not in shared_preload_libraries"),
				 errdetail("Sessions guard the schemas of other tenants only from their first call of a function of publicdigit on, and tokens cannot be used."),
				 errhint("Add it to shared_preload_libraries, and restart the server.")));
	PG_RETURN_VOID();
}
