/*-------------------------------------------------------------------------
 *
 * tenant.c
 *	  The life of a tenant: created, renamed, suspended, archived, dropped.
 *
 * Each function locks the tenant's row before it looks at its status, so that
 * two sessions that change the same tenant do so one after the other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "archive.h"
#include "catalog.h"
#include "domain.h"
#include "grants.h"
#include "script.h"
#include "spi.h"
#include "tenant.h"
#include "tenant_ref.h"

PG_FUNCTION_INFO_V1(pd_create_tenant);

/*
 * report_bad_slug
 *		Raise 22023: the same message with a different detail for each rule.
 */
static void
report_bad_slug(const char *slug, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" cannot be a tenant's slug", slug),
			 errdetail("%s", detail),
			 errhint("Choose another slug: lower-case letters and digits, with single hyphens between them, such as \"acme\" or \"acme-2\".")));
}

/*
 * check_slug
 *		An error (22023) for a slug that is malformed or reserved.
 */
static void
check_slug(const char *slug)
{
	static const char *const reserved[] = {
		"public", "publicdigit", "information_schema", "landlord"
	};
	size_t		len = strlen(slug);

	if (len == 0)
		report_bad_slug(slug, "It is empty.");
	if (len > PD_SLUG_MAX)
		report_bad_slug(slug, psprintf("It is longer than %d bytes.", PD_SLUG_MAX));

	for (size_t i = 0; i < len; i++)
	{
		char		c = slug[i];

		if (c >= 'A' && c <= 'Z')
			report_bad_slug(slug, "It contains upper-case letters, by which two slugs could look alike.");
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			report_bad_slug(slug, "It contains a character other than a-z, 0-9 and the hyphen.");
		if (c == '-' && (i == 0 || i + 1 == len || slug[i - 1] == '-'))
			report_bad_slug(slug, "A hyphen stands at its beginning, at its end, or beside another.");
	}
	if (!(slug[0] >= 'a' && slug[0] <= 'z'))
		report_bad_slug(slug, "It does not begin with a letter.");
	if (pd_reads_as_uuid(slug))
		report_bad_slug(slug, "It reads as a tenant's id.");
	if (strncmp(slug, "pg", 2) == 0)
		report_bad_slug(slug, "Slugs that begin with \"pg\" are reserved.");
	for (int i = 0; i < lengthof(reserved); i++)
	{
		if (strcmp(slug, reserved[i]) == 0)
			report_bad_slug(slug, "It is reserved.");
	}
}

/*
 * report_slug_taken
 *		Raise 42710.
 */
static void
report_slug_taken(const char *slug)
{
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("tenant \"%s\" already exists", slug),
			 errhint("Choose another slug.")));
}

/*
 * choose_schema_name
 *		Take a schema name that never was a tenant's, and keep it for good.
 *
 * The first choice is tenant_SLUG with underscores; where that is used up,
 * _2, _3 and so on follow.  A schema of that name which never was a tenant's
 * is somebody else's: 42710.
 */
static char *
choose_schema_name(const char *slug)
{
	char	   *base = psprintf("tenant_%s", slug);
	char	   *name = base;

	for (char *c = base; *c != '\0'; c++)
	{
		if (*c == '-')
			*c = '_';
	}

	for (int i = 2;; i++)
	{
		if (pd_spi_query("INSERT INTO publicdigit.tenant_schema VALUES ($1)"
						 " ON CONFLICT DO NOTHING",
						 PD_ARGS(pd_text(name))) > 0)
			break;
		name = psprintf("%s_%d", base, i);
	}
	if (OidIsValid(get_namespace_oid(name, true)))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("schema \"%s\" already exists", name),
				 errdetail("It was not made by publicdigit."),
				 errhint("Rename or drop the schema, or choose another slug.")));
	return name;
}

/*
 * add_domains
 *		Give a tenant the domains of a text[] argument.
 */
static void
add_domains(const pg_uuid_t *tenant, ArrayType *domains)
{
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(domains, TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a domain must not be null")));
		pd_insert_domain(tenant, TextDatumGetCString(elements[i]));
	}
}

/*
 * create_tenant(slug, name DEFAULT NULL, placement DEFAULT 'schema',
 *				 domains DEFAULT NULL) → uuid
 *		Errors: 22004, 22023, 42710, 55000, 0A000.
 */
Datum
pd_create_tenant(PG_FUNCTION_ARGS)
{
	const PdCatalog *catalog = pd_catalog_set_up();
	char	   *owner = pstrdup(NameStr(catalog->owner_role));
	char	   *app = pstrdup(NameStr(catalog->app_role));
	char	   *admin = pstrdup(NameStr(catalog->admin_role));
	pg_uuid_t  *id = palloc(sizeof(pg_uuid_t));
	char	   *slug;
	char	   *name;
	char	   *placement;
	char	   *schema;
	bool		isnull;
	PdSpi		spi;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", PG_ARGISNULL(0) ? "slug" : "placement")));
	slug = text_to_cstring(PG_GETARG_TEXT_PP(0));
	name = PG_ARGISNULL(1) ? slug : text_to_cstring(PG_GETARG_TEXT_PP(1));
	placement = text_to_cstring(PG_GETARG_TEXT_PP(2));

	check_slug(slug);
	if (name[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a tenant's name must not be empty"),
				 errhint("Leave the name out to use the slug.")));
	if (strcmp(placement, "shared") == 0 || strcmp(placement, "database") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("placement \"%s\" is not supported yet", placement),
				 errhint("Use placement \"schema\"; for shared tables made by hand there is publicdigit.protect_table().")));
	if (strcmp(placement, "schema") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("placement \"%s\" is not known", placement),
				 errhint("Use placement \"schema\".")));

	pd_spi_begin(&spi);
	/* First a look, so that a slug that is taken uses up no schema name. */
	if (pd_spi_query("SELECT FROM publicdigit.tenant WHERE slug = $1",
					 PD_ARGS(pd_text(slug))) > 0)
		report_slug_taken(slug);
	schema = choose_schema_name(slug);
	/* Waits for a session that is creating the same tenant just now. */
	if (pd_spi_query("INSERT INTO publicdigit.tenant (slug, name, placement, schema_name)"
					 " VALUES ($1, $2, $3, $4) ON CONFLICT (slug) DO NOTHING RETURNING id",
					 PD_ARGS(pd_text(slug), pd_text(name), pd_text(placement),
							 pd_text(schema))) == 0)
		report_slug_taken(slug);
	*id = *DatumGetUUIDP(pd_spi_datum(0, "id", &isnull));

	pd_spi_command("CREATE SCHEMA %s AUTHORIZATION %s",
				   quote_identifier(schema), quote_identifier(owner));
	pd_spi_command("GRANT USAGE ON SCHEMA %s TO %s",
				   quote_identifier(schema), quote_identifier(app));
	if (admin[0] != '\0')
		pd_spi_command("GRANT USAGE ON SCHEMA %s TO %s",
					   quote_identifier(schema), quote_identifier(admin));
	if (!PG_ARGISNULL(3))
		add_domains(id, PG_GETARG_ARRAYTYPE_P(3));
	pd_spi_end(&spi);

	PG_RETURN_UUID_P(id);
}

/*
 * pd_lock_tenant
 *		Lock a tenant's row until the transaction ends, and read its status
 *		anew.  An error (42704) if it was dropped meanwhile.  Must be called
 *		inside pd_spi_begin.
 */
void
pd_lock_tenant(PdTenant *tenant, PdLock lock)
{
	pg_uuid_t	id = tenant->id;
	uint64		n;

	if (lock == PD_LOCK_DROP)
		n = pd_spi_query("SELECT slug, status FROM publicdigit.tenant WHERE id = $1 FOR UPDATE",
						 PD_ARGS(pd_uuid(&id)));
	else
		n = pd_spi_query("SELECT slug, status FROM publicdigit.tenant WHERE id = $1 FOR NO KEY UPDATE",
						 PD_ARGS(pd_uuid(&id)));
	if (n == 0)
		pd_no_such_tenant(tenant->slug);

	/* From the row itself: word of its change may be on its way to the cache. */
	strlcpy(tenant->slug, pd_spi_text(0, "slug"), sizeof(tenant->slug));
	tenant->status = pd_tenant_status(pd_spi_text(0, "status"));
}

/*
 * rename_tenant(tenant, slug)
 *		Change a tenant's slug.  Errors: 22004, 42704, 22023, 42710.
 */
PD_TENANT_FUNCTION(pd_rename_tenant, 0, 0)
{
	PdTenant	tenant = ref->tenant;
	char	   *slug;
	PdSpi		spi;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("slug must not be null")));
	slug = text_to_cstring(PG_GETARG_TEXT_PP(1));
	check_slug(slug);

	pd_spi_begin(&spi);
	pd_lock_tenant(&tenant, PD_LOCK_DROP);
	if (strcmp(tenant.slug, slug) != 0)
	{
		MemoryContext memory = CurrentMemoryContext;

		PG_TRY();
		{
			pd_spi_query("UPDATE publicdigit.tenant SET slug = $2 WHERE id = $1",
						 PD_ARGS(pd_uuid(&tenant.id), pd_text(slug)));
		}
		PG_CATCH();
		{
			/* Nothing but the error is caught: another one follows. */
			if (geterrcode() != ERRCODE_UNIQUE_VIOLATION)
				PG_RE_THROW();
			MemoryContextSwitchTo(memory);
			FlushErrorState();
			report_slug_taken(slug);
		}
		PG_END_TRY();
	}
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * set_status
 *		Take a tenant from one of the statuses in "from" (a bit for each) to
 *		another.  Already there is a notice; anything else an error (55000).
 *		Returns whether anything changed.  Must be called inside pd_spi_begin.
 */
static bool
set_status(PdTenant *tenant, int from, PdTenantStatus to)
{
	static const char *const words[] = {"active", "suspended", "archived"};

	pd_lock_tenant(tenant, PD_LOCK_CHANGE);
	if (tenant->status == to)
	{
		ereport(NOTICE,
				(errmsg("tenant \"%s\" is %s already", tenant->slug, words[to])));
		return false;
	}
	if ((from & (1 << tenant->status)) == 0)
		pd_ensure_active(tenant);
	pd_spi_query("UPDATE publicdigit.tenant SET status = $2 WHERE id = $1",
				 PD_ARGS(pd_uuid(&tenant->id), pd_text(words[to])));
	return true;
}

/*
 * suspend_tenant(tenant)
 *		Errors: 22004, 42704, 55000.
 */
PD_TENANT_FUNCTION(pd_suspend_tenant, 0, 0)
{
	PdTenant	tenant = ref->tenant;
	PdSpi		spi;

	pd_spi_begin(&spi);
	set_status(&tenant, 1 << PD_TENANT_ACTIVE, PD_TENANT_SUSPENDED);
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * resume_tenant(tenant)
 *		Errors: 22004, 42704, 55000.
 */
PD_TENANT_FUNCTION(pd_resume_tenant, 0, 0)
{
	PdTenant	tenant = ref->tenant;
	PdSpi		spi;

	pd_spi_begin(&spi);
	set_status(&tenant, 1 << PD_TENANT_SUSPENDED, PD_TENANT_ACTIVE);
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * archive_tenant(tenant)
 *		Errors: 22004, 42704.
 */
PD_TENANT_FUNCTION(pd_archive_tenant, 0, 0)
{
	PdTenant	tenant = ref->tenant;
	PdSpi		spi;

	pd_spi_begin(&spi);
	if (set_status(&tenant, 1 << PD_TENANT_ACTIVE | 1 << PD_TENANT_SUSPENDED,
				   PD_TENANT_ARCHIVED))
		pd_revoke_app_grants(&tenant);
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * restore_tenant(tenant)
 *		Errors: 22004, 42704, 55000.
 */
PD_TENANT_FUNCTION(pd_restore_tenant, 0, 0)
{
	PdTenant	tenant = ref->tenant;
	PdSpi		spi;

	pd_spi_begin(&spi);
	if (set_status(&tenant, 1 << PD_TENANT_ARCHIVED, PD_TENANT_ACTIVE))
		pd_restore_app_grants(&tenant);
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * pd_drop_schema
 *		Drop a schema of a tenant's, if it is there, with all that is in it; as
 *		its owner, since functions of its tables run meanwhile (see pd_spi_begin).
 */
void
pd_drop_schema(const char *schema)
{
	PdSpi		spi;

	pd_spi_begin_as(&spi, pd_script_owner());
	pd_spi_command("DROP SCHEMA IF EXISTS %s CASCADE", quote_identifier(schema));
	pd_spi_end(&spi);
}

/*
 * drop_tenant(tenant, force DEFAULT false)
 *		Remove a tenant with everything in its schema.
 *		Errors: 22004, 42704, 55000.
 */
PD_TENANT_FUNCTION(pd_drop_tenant, 0, 0)
{
	PdTenant	tenant = ref->tenant;
	PdSpi		spi;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("force must not be null")));

	pd_spi_begin(&spi);
	pd_lock_tenant(&tenant, PD_LOCK_DROP);
	if (tenant.status == PD_TENANT_ACTIVE && !PG_GETARG_BOOL(1))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tenant \"%s\" is active", tenant.slug),
				 errdetail("Dropping a tenant removes its schema, with all data in it, for good."),
				 errhint("Suspend or archive it first, or call drop_tenant with force => true.")));

	/* A notice for each table that goes is of no use to anybody. */
	(void) set_config_option("client_min_messages", "warning",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	pd_archive_drop_all(&tenant);
	pd_drop_schema(NameStr(tenant.schema));
	pd_spi_query("DELETE FROM publicdigit.tenant WHERE id = $1",
				 PD_ARGS(pd_uuid(&tenant.id)));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}
