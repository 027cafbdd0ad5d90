/*-------------------------------------------------------------------------
 *
 * registry.c
 *	  Look-ups in the registry, cached per backend.  Nothing here writes.
 *
 * A switch to a tenant that this backend has seen before runs no SQL and
 * reads no table: it finds the tenant, and what the role may do with it, in
 * a hash table.  Triggers on the registry's tables send a relcache
 * invalidation for their table (CacheInvalidateRelcache), which reaches every
 * backend at commit and this one at the end of the command, also when the
 * change is rolled back.  The callback (see inval.c) only counts; the next look-up throws
 * the whole cache away when the count has moved.
 *
 * Misses are read with a catalog snapshot, never the transaction's: what a
 * REPEATABLE READ transaction sees may be old, and would stay in the cache
 * after it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "binding.h"
#include "catalog.h"
#include "compat.h"
#include "inval.h"
#include "registry.h"

/* Beyond this many tenants a backend starts its cache anew. */
#define CACHE_MAX_TENANTS	10000

typedef struct TenantEntry
{
	PdTenant	tenant;			/* its id, the hash key, comes first */
	Oid			access_role;	/* the role that "access" is about */
	PdAccess	access;
} TenantEntry;

/* Whose a schema is. */
typedef struct SchemaEntry
{
	Oid			nspid;			/* hash key */
	bool		is_tenants;
	pg_uuid_t	tenant;
} SchemaEntry;

typedef struct SlugEntry
{
	char		slug[PD_SLUG_MAX + 1];	/* hash key */
	pg_uuid_t	id;
} SlugEntry;

static MemoryContext cache_context = NULL;
static HTAB *tenants = NULL;
static HTAB *slugs = NULL;
static HTAB *schemas = NULL;

static uint64 generation = 1;	/* moves with each invalidation */
static uint64 cache_generation = 0; /* what the cache was filled under */

PG_FUNCTION_INFO_V1(pd_invalidate_registry);

/*
 * pd_registry_table_changed
 *		A table changed, or (InvalidOid) any may have.
 */
void
pd_registry_table_changed(Oid relid)
{
	if (pd_catalog_is_ours(relid))
	{
		generation++;
		pd_epoch++;
		pd_catalog_invalidate_all();
	}
}

/*
 * syscache_callback
 *		Roles or memberships changed: what a role may do, too.  Or schemas:
 *		whose one is.
 */
static void
syscache_callback(Datum arg, int cacheid, uint32 hashvalue)
{
	generation++;
	pd_epoch++;
}

/*
 * pd_registry_init
 *		Ask to be told of changes.  Called once, by _PG_init.
 */
void
pd_registry_init(void)
{
	CacheRegisterSyscacheCallback(AUTHOID, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, syscache_callback, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, syscache_callback, (Datum) 0);
}

/*
 * pd_invalidate_registry
 *		Trigger on the registry's tables.
 */
Datum
pd_invalidate_registry(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"invalidate_registry\" was not called by a trigger")));

	CacheInvalidateRelcache(trigdata->tg_relation);
	return PointerGetDatum(NULL);
}

/*
 * ready_cache
 *		An empty cache where there was none, or an outdated or very large one.
 */
static void
ready_cache(void)
{
	HASHCTL		ctl;

	AcceptInvalidationMessages();

	if (tenants != NULL && cache_generation == generation &&
		hash_get_num_entries(tenants) < CACHE_MAX_TENANTS &&
		hash_get_num_entries(schemas) < CACHE_MAX_TENANTS)
		return;

	/* In this order, so that an error leaves no pointer into freed memory. */
	tenants = NULL;
	slugs = NULL;
	schemas = NULL;
	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(TopMemoryContext,
											  "publicdigit registry",
											  ALLOCSET_SMALL_SIZES);
	else
		MemoryContextReset(cache_context);

	ctl.hcxt = cache_context;
	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(SchemaEntry);
	schemas = hash_create("publicdigit schemas", 64, &ctl,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ctl.keysize = PD_SLUG_MAX + 1;
	ctl.entrysize = sizeof(SlugEntry);
	slugs = hash_create("publicdigit slugs", 64, &ctl,
						HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	ctl.keysize = sizeof(pg_uuid_t);
	ctl.entrysize = sizeof(TenantEntry);
	tenants = hash_create("publicdigit tenants", 64, &ctl,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	cache_generation = generation;
}

/*
 * pd_tenant_status
 *		A status as the registry spells it.
 */
PdTenantStatus
pd_tenant_status(const char *status)
{
	if (strcmp(status, "active") == 0)
		return PD_TENANT_ACTIVE;
	if (strcmp(status, "suspended") == 0)
		return PD_TENANT_SUSPENDED;
	return PD_TENANT_ARCHIVED;
}

/*
 * column
 *		A column that is never null, read by its name.
 */
static Datum
column(Relation rel, HeapTuple tuple, const char *name)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple,
									 get_attnum(RelationGetRelid(rel), name),
									 RelationGetDescr(rel), &isnull);

	if (isnull)
		elog(ERROR, "column \"%s\" of registry table \"%s\" is null",
			 name, RelationGetRelationName(rel));
	return value;
}

/*
 * read_tenant
 *		Read one tenant by a key and put it into the cache; NULL when unknown.
 */
static TenantEntry *
read_tenant(const PdCatalog *catalog, Oid index, const char *key_column,
			RegProcedure equal, Datum key)
{
	Oid			relid = catalog->tenant;
	PdTenant	read;
	bool		found = false;
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData skey;
	HeapTuple	tuple;
	TenantEntry *entry;
	SlugEntry  *slug;
	Oid			nspid;

	rel = table_open(relid, AccessShareLock);
	ScanKeyInit(&skey, get_attnum(relid, key_column),
				BTEqualStrategyNumber, equal, key);
	scan = systable_beginscan(rel, index, true, NULL, 1, &skey);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		read.id = *DatumGetUUIDP(column(rel, tuple, "id"));
		strlcpy(read.slug, TextDatumGetCString(column(rel, tuple, "slug")),
				sizeof(read.slug));
		read.schema = *DatumGetName(column(rel, tuple, "schema_name"));
		read.status = pd_tenant_status(TextDatumGetCString(column(rel, tuple, "status")));
		found = true;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	if (!found)
		return NULL;

	entry = hash_search(tenants, &read.id, HASH_ENTER, NULL);
	entry->tenant = read;
	entry->access_role = InvalidOid;
	slug = hash_search(slugs, read.slug, HASH_ENTER, NULL);
	slug->id = read.id;
	nspid = get_namespace_oid(NameStr(read.schema), true);
	if (OidIsValid(nspid))
	{
		SchemaEntry *schema = hash_search(schemas, &nspid, HASH_ENTER, NULL);

		schema->is_tenants = true;
		schema->tenant = read.id;
	}
	return entry;
}

/*
 * entry_by_id
 *		The cache's entry of a tenant, read when missing; NULL when unknown.
 */
static TenantEntry *
entry_by_id(const pg_uuid_t *id)
{
	TenantEntry *entry;
	const PdCatalog *catalog;

	ready_cache();
	entry = hash_search(tenants, id, HASH_FIND, NULL);
	if (entry != NULL)
		return entry;

	catalog = pd_catalog();
	return read_tenant(catalog, catalog->tenant_pkey, "id", F_UUID_EQ,
					   UUIDPGetDatum(id));
}

/*
 * pd_tenant_by_id
 *		Copy out a tenant; false when there is none of that id.
 */
bool
pd_tenant_by_id(const pg_uuid_t *id, PdTenant *tenant)
{
	TenantEntry *entry = entry_by_id(id);

	if (entry == NULL)
		return false;
	*tenant = entry->tenant;
	return true;
}

/*
 * pd_tenant_by_slug
 *		Copy out a tenant; false when there is none of that slug.
 */
bool
pd_tenant_by_slug(const char *slug, PdTenant *tenant)
{
	SlugEntry  *found;
	TenantEntry *entry;
	const PdCatalog *catalog;

	/* Also keeps a longer text from matching by its first bytes. */
	if (strlen(slug) > PD_SLUG_MAX)
		return false;

	ready_cache();
	found = hash_search(slugs, slug, HASH_FIND, NULL);
	if (found != NULL)
	{
		pg_uuid_t	id = found->id; /* the cache may go meanwhile */

		return pd_tenant_by_id(&id, tenant);
	}

	catalog = pd_catalog();
	entry = read_tenant(catalog, catalog->tenant_slug_key, "slug", F_TEXTEQ,
						CStringGetTextDatum(slug));
	if (entry == NULL)
		return false;
	*tenant = entry->tenant;
	return true;
}

/*
 * owner_of_archive
 *		The tenant whose archived module lies in a schema of this name; NULL for
 *		other names.  See archive.c for what the name is made of.
 */
static TenantEntry *
owner_of_archive(const char *name)
{
	char		hex[2 * UUID_LEN + 1];
	size_t		prefix = strlen(PD_ARCHIVE_PREFIX);

	if (strncmp(name, PD_ARCHIVE_PREFIX, prefix) != 0 ||
		strspn(name + prefix, "0123456789abcdef") != sizeof(hex) - 1)
		return NULL;
	strlcpy(hex, name + prefix, sizeof(hex));
	return entry_by_id(DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(hex))));
}

/*
 * read_schema
 *		Find out whose a schema is, and put it into the cache.
 */
static SchemaEntry *
read_schema(const PdCatalog *catalog, Oid nspid)
{
	char	   *name = get_namespace_name(nspid);
	TenantEntry *owner = NULL;
	SchemaEntry *entry;

	if (name != NULL)
		owner = read_tenant(catalog, catalog->tenant_schema_name_key, "schema_name",
							F_NAMEEQ, CStringGetDatum(name));
	if (name != NULL && owner == NULL)
		owner = owner_of_archive(name);

	entry = hash_search(schemas, &nspid, HASH_ENTER, NULL);

	entry->is_tenants = owner != NULL;
	if (owner != NULL)
		entry->tenant = owner->tenant.id;
	return entry;
}

/*
 * pd_tenant_of_schema
 *		Copy out the id of the tenant whose schema, or whose archive, this is;
 *		false for a schema that is no tenant's.
 */
bool
pd_tenant_of_schema(Oid nspid, pg_uuid_t *tenant)
{
	const PdCatalog *catalog;
	SchemaEntry *entry;

	if (nspid < FirstNormalObjectId)
		return false;
	ready_cache();
	entry = hash_search(schemas, &nspid, HASH_FIND, NULL);
	if (entry == NULL)
	{
		catalog = pd_catalog_if_created();
		if (catalog == NULL)
			return false;
		entry = read_schema(catalog, nspid);
	}
	if (entry->is_tenants)
		*tenant = entry->tenant;
	return entry->is_tenants;
}

/*
 * scan_access
 *		What the grants for a tenant (NULL: the grants for every tenant) let a
 *		role do, by itself or as a member of others.
 */
static PdAccess
scan_access(const PdCatalog *catalog, const pg_uuid_t *id, Oid role)
{
	Oid			relid = catalog->access;
	Oid			index = catalog->access_key;
	AttrNumber	attno = get_attnum(relid, "tenant_id");
	PdAccess	access = PD_ACCESS_NONE;
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;

	rel = table_open(relid, AccessShareLock);
	if (id != NULL)
		ScanKeyInit(&key, attno, BTEqualStrategyNumber, F_UUID_EQ,
					UUIDPGetDatum(id));
	else
		ScanKeyEntryInitialize(&key, SK_ISNULL | SK_SEARCHNULL, attno,
							   InvalidStrategy, InvalidOid, InvalidOid,
							   InvalidOid, (Datum) 0);
	scan = systable_beginscan(rel, index, true, NULL, 1, &key);
	while (access != PD_ACCESS_TOKEN_ONLY &&
		   HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Name		name = DatumGetName(column(rel, tuple, "role_name"));
		Oid			granted = get_role_oid(NameStr(*name), true);

		/* A role that was dropped leaves its grants; they open nothing. */
		if (!OidIsValid(granted) || !pd_may_act_as(role, granted))
			continue;
		access = DatumGetBool(column(rel, tuple, "token_only")) ?
			PD_ACCESS_TOKEN_ONLY : PD_ACCESS_FULL;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	return access;
}

/*
 * pd_tenant_access
 *		What the registry lets a role do with a tenant that exists.
 *
 * A grant counts for the role itself and for all that may act as it.
 * A grant that asks for a token outweighs plain ones: it is there to tighten.
 */
PdAccess
pd_tenant_access(const pg_uuid_t *id, Oid role)
{
	TenantEntry *entry = entry_by_id(id);
	uint64		before = generation;
	const PdCatalog *catalog;
	PdAccess	access;

	if (entry == NULL)
		return PD_ACCESS_NONE;
	if (entry->access_role == role)
		return entry->access;

	catalog = pd_catalog();
	access = scan_access(catalog, id, role);
	if (access != PD_ACCESS_TOKEN_ONLY)
		access = Max(access, scan_access(catalog, NULL, role));

	/* The entry is still there: nothing but ready_cache throws it away. */
	if (generation == before)
	{
		entry->access = access;
		entry->access_role = role;
	}
	return access;
}

/*
 * pd_ensure_active
 *		An error (55000) unless the tenant is active.
 */
void
pd_ensure_active(const PdTenant *tenant)
{
	if (tenant->status == PD_TENANT_ACTIVE)
		return;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("tenant \"%s\" is %s", tenant->slug,
					tenant->status == PD_TENANT_SUSPENDED ? "suspended" : "archived"),
			 tenant->status == PD_TENANT_SUSPENDED ?
			 errhint("Run publicdigit.resume_tenant('%s') to end the suspension.", tenant->slug) :
			 errhint("Run publicdigit.restore_tenant('%s') to bring it back.", tenant->slug)));
}
