/*-------------------------------------------------------------------------
 *
 * catalog.c
 *	  The extension's own objects in this database, and its settings.
 *
 * OIDs and settings are read once and kept until an invalidation says that
 * one of them may have changed: the relcache callback of registry.c calls
 * pd_catalog_invalidate_all, which only clears a flag.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "catalog.h"

static PdCatalog cached;
static bool cached_valid = false;
static bool cached_absent = false;	/* it is known not to be created here */
static const char *missing = NULL;	/* an object of ours, when last looked for */
static uint64 invalidations = 0;

/*
 * extension_owner
 *		The role that owns the extension; InvalidOid when it is not created.
 */
static Oid
extension_owner(void)
{
	Relation	rel;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum(PD_EXTENSION));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		owner = ((Form_pg_extension) GETSTRUCT(tuple))->extowner;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	return owner;
}

/*
 * own_relation
 *		OID of a table or index of ours; notes its name when it is missing.
 */
static Oid
own_relation(Oid schema, const char *name)
{
	Oid			relid = get_relname_relid(name, schema);

	if (!OidIsValid(relid))
		missing = name;
	return relid;
}

/*
 * own_function
 *		OID of a function of ours; notes its name when it is missing.
 */
static Oid
own_function(Oid schema, const char *name, int nargs, const Oid *types)
{
	Oid			function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
										   CStringGetDatum(name),
										   PointerGetDatum(buildoidvector(types, nargs)),
										   ObjectIdGetDatum(schema));

	if (!OidIsValid(function))
		missing = name;
	return function;
}

/*
 * hash_of
 *		The hash by which plans name a function that they depend on.
 */
static uint32
hash_of(Oid function)
{
	return OidIsValid(function) ?
		GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(function)) : 0;
}

/*
 * copy_name
 *		Copy a name column of the settings' row; an empty name for null.
 */
static void
copy_name(NameData *target, Relation rel, HeapTuple tuple, const char *column)
{
	bool		isnull;
	Datum		value;

	value = heap_getattr(tuple, get_attnum(RelationGetRelid(rel), column),
						 RelationGetDescr(rel), &isnull);
	if (isnull)
		MemSet(target, 0, sizeof(NameData));
	else
		*target = *DatumGetName(value);
}

/*
 * read_settings
 *		Read what setup() has stored.
 */
static void
read_settings(PdCatalog *catalog)
{
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;

	rel = table_open(catalog->setting, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		environment;

		copy_name(&catalog->owner_role, rel, tuple, "owner_role");
		copy_name(&catalog->app_role, rel, tuple, "app_role");
		copy_name(&catalog->admin_role, rel, tuple, "admin_role");
		environment = heap_getattr(tuple,
								   get_attnum(catalog->setting, "environment"),
								   RelationGetDescr(rel), &isnull);
		catalog->testing =
			strcmp(TextDatumGetCString(environment), "testing") == 0;
		catalog->is_set_up = true;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * read_catalog
 *		Look everything up; NULL as in pd_catalog_if_created.
 */
static const PdCatalog *
read_catalog(void)
{
	static const Oid setval_types[] = {REGCLASSOID, INT8OID, BOOLOID};
	static const Oid uuid_type[] = {UUIDOID};
	PdCatalog	fresh = {0};
	uint64		before = invalidations;

	missing = NULL;
	fresh.extension_owner = extension_owner();
	if (!OidIsValid(fresh.extension_owner))
	{
		cached_absent = (invalidations == before);
		return NULL;
	}

	fresh.schema = get_namespace_oid(PD_SCHEMA, true);
	fresh.setting = own_relation(fresh.schema, "setting");
	fresh.tenant = own_relation(fresh.schema, "tenant");
	fresh.tenant_pkey = own_relation(fresh.schema, "tenant_pkey");
	fresh.tenant_slug_key = own_relation(fresh.schema, "tenant_slug_key");
	fresh.tenant_schema_name_key = own_relation(fresh.schema, "tenant_schema_name_key");
	fresh.access = own_relation(fresh.schema, "access");
	fresh.access_key = own_relation(fresh.schema, "access_tenant_id_role_name_key");
	fresh.current_tenant_id = own_function(fresh.schema, "current_tenant_id", 0, NULL);
	fresh.is_current_tenant = own_function(fresh.schema, "is_current_tenant", 1, uuid_type);
	fresh.ensure_tenant = own_function(fresh.schema, "ensure_tenant", 0, NULL);
	fresh.guarded_nextval = own_function(fresh.schema, "guarded_nextval", 1, setval_types);
	fresh.guarded_setval = own_function(fresh.schema, "guarded_setval", 2, setval_types);
	fresh.guarded_setval_called = own_function(fresh.schema, "guarded_setval", 3, setval_types);
	fresh.tying[0] = hash_of(fresh.current_tenant_id);
	fresh.tying[1] = hash_of(fresh.is_current_tenant);
	fresh.tying[2] = hash_of(fresh.ensure_tenant);
	fresh.tying[3] = hash_of(own_function(fresh.schema, "current_tenant", 0, NULL));
	if (!OidIsValid(fresh.setting) || !OidIsValid(fresh.tenant) ||
		!OidIsValid(fresh.tenant_pkey) || !OidIsValid(fresh.tenant_slug_key) ||
		!OidIsValid(fresh.tenant_schema_name_key) ||
		!OidIsValid(fresh.access) || !OidIsValid(fresh.access_key))
		return NULL;
	read_settings(&fresh);

	/* What arrived while we read may be about what we have read. */
	cached = fresh;
	cached_valid = (invalidations == before && missing == NULL);
	return &cached;
}

/*
 * pd_catalog_if_created
 *		The extension's objects; NULL when it is not created in this database,
 *		or its tables are not there.  Functions may be missing, as InvalidOid:
 *		while it is dropped, and between a newer library and ALTER EXTENSION
 *		... UPDATE.
 */
const PdCatalog *
pd_catalog_if_created(void)
{
	AcceptInvalidationMessages();
	return pd_catalog_of_plan();
}

/*
 * pd_catalog_of_plan
 *		The same for who asks about a plan: the server has looked already
 *		whether anything that it depends on has changed.
 */
const PdCatalog *
pd_catalog_of_plan(void)
{
	if (likely(cached_valid))
		return &cached;
	return cached_absent ? NULL : read_catalog();
}

/*
 * pd_catalog
 *		The extension's objects; an error (55000) when it is not created here.
 */
const PdCatalog *
pd_catalog(void)
{
	const PdCatalog *catalog = pd_catalog_if_created();

	if (!cached_valid && missing != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("\"%s.%s\" is missing", PD_SCHEMA, missing),
				 errhint("Run ALTER EXTENSION publicdigit UPDATE, or restore the extension's tables.")));
	if (catalog == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extension \"publicdigit\" is not created in this database"),
				 errhint("Run CREATE EXTENSION publicdigit CASCADE in the landlord database.")));
	return catalog;
}

/*
 * pd_catalog_set_up
 *		As pd_catalog, and an error (55000) before setup() has run.
 */
const PdCatalog *
pd_catalog_set_up(void)
{
	const PdCatalog *catalog = pd_catalog();

	if (!catalog->is_set_up)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("publicdigit is not set up in this database"),
				 errhint("Run SELECT publicdigit.setup('OWNER_ROLE', 'APP_ROLE') first.")));
	return catalog;
}

/*
 * pd_catalog_invalidate_all
 *		Forget everything.  Called from an invalidation callback, so it does
 *		nothing but note it.
 */
void
pd_catalog_invalidate_all(void)
{
	cached_valid = false;
	cached_absent = false;
	invalidations++;
}

/*
 * pd_catalog_is_ours
 *		Does a relcache invalidation of this relation concern us?
 */
bool
pd_catalog_is_ours(Oid relid)
{
	/* Before it is known which tables are ours, any may be. */
	return !OidIsValid(relid) || !cached_valid ||
		relid == cached.setting || relid == cached.tenant ||
		relid == cached.access;
}

/*
 * pd_context_name
 *		The word for a context, as manifests and the registry spell it.
 */
const char *
pd_context_name(PdContextKind context)
{
	return context == PD_LANDLORD ? "landlord" : "tenant";
}
