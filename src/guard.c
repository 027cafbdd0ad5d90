/*-------------------------------------------------------------------------
 *
 * guard.c
 *	  Tenants' schemas, which are reachable while their tenant is bound.
 *
 * An app role may use every tenant's schema, so a qualified name leads into any
 * of them.  Row-level security hides the rows; the guard closes the rest:
 * materialized views, sequences, locks, what is not protected.
 *
 * - A name with a schema, and the search_path, are refused and passed over
 *   when they are looked up.  Most statements go no further.
 * - Queries are looked at when they start: they may have been parsed, as views,
 *   prepared statements and functions have, while another tenant was bound.
 * - What is made, altered, dropped or truncated is looked at when it is, and
 *   what is locked.
 * - The planner's statistics hold values of all tables, and are closed.
 *
 * Superusers, the owner role and the admin role pass, as themselves and in
 * functions of theirs declared SECURITY DEFINER.  A view does not lend its
 * owner's exemption.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_statistic_ext_data.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "compat.h"
#include "context.h"
#include "fresh_row.h"
#include "guard.h"
#include "inval.h"
#include "registry.h"

/*
 * That a user could reach a table, and under which epoch it was found.  Who is
 * exempt, and who has logged in, moves no epoch: the one is told by the user, and
 * the other asked about at each use of a tenant.
 */
typedef struct Reached
{
	uint64		epoch;
	Oid			relid;
	Oid			user;
	bool		is_tenants;		/* in the schema of the tenant that is bound */
} Reached;

uint64		pd_guard_count = 0;

static Reached reached[64];		/* by relid */
static uint64 invalidations = 0;

/*
 * has_role
 *		Has a user the privileges of a role of setup()?  The name is empty where
 *		there is no such role.
 */
static bool
has_role(Oid user, const NameData *name)
{
	Oid			role = get_role_oid(NameStr(*name), true);

	return OidIsValid(role) && has_privs_of_role(user, role);
}

/*
 * is_exempt_user
 *		May a user reach the schema of any tenant?
 */
static bool
is_exempt_user(Oid user, const PdCatalog *catalog)
{
	return superuser_arg(user) ||
		has_role(user, &catalog->owner_role) ||
		has_role(user, &catalog->admin_role);
}

/*
 * is_exempt
 *		The same for the current user.
 */
static bool
is_exempt(void)
{
	/* Two, since functions declared SECURITY DEFINER go to and fro. */
	static struct
	{
		uint64		epoch;
		Oid			user;
		bool		is_exempt;
	}			found[2];
	static int	next = 0;
	Oid			user = GetUserId();
	uint64		epoch = pd_epoch;
	const PdCatalog *catalog;
	bool		result;

	for (int i = 0; i < lengthof(found); i++)
	{
		if (found[i].epoch == epoch && found[i].user == user)
			return found[i].is_exempt;
	}

	catalog = pd_catalog_if_created();
	result = catalog == NULL || is_exempt_user(user, catalog);
	found[next].epoch = epoch;
	found[next].user = user;
	found[next].is_exempt = result;
	next = (next + 1) % lengthof(found);
	return result;
}

/*
 * pd_guard_is_for_session
 *		Has somebody logged in whom the guard is there for: who can act as the
 *		app role, and is not exempt?  Where the app role has been renamed, all
 *		who are not exempt.
 *
 * For what cannot be asked again when the current user is another one.
 */
bool
pd_guard_is_for_session(void)
{
	const PdCatalog *catalog = pd_catalog_if_created();
	Oid			user = GetSessionUserId();
	Oid			app;

	if (catalog == NULL || !catalog->is_set_up || is_exempt_user(user, catalog))
		return false;
	app = get_role_oid(NameStr(catalog->app_role), true);
	return !OidIsValid(app) || pd_may_act_as(user, app);
}

/*
 * is_held
 *		Is somebody at work now whom the guard is there for?
 */
static bool
is_held(void)
{
	return !is_exempt() && pd_guard_is_for_session();
}

/*
 * pd_guard_table_changed
 *		A table, or (InvalidOid) any, may be in another schema now.
 */
void
pd_guard_table_changed(Oid relid)
{
	invalidations++;
	if (OidIsValid(relid))
		reached[relid % lengthof(reached)].epoch = 0;
	else
		MemSet(reached, 0, sizeof(reached));
}

/*
 * is_reachable
 *		May the current user reach a schema now?  *tenant is set to whose it is
 *		where the answer is no.
 *
 * "use" is for what happens now, as opposed to what a path is made of: there
 * the checks that belong to the use of a tenant are made, and their errors
 * raised (see pd_binding_to_use).
 */
static bool
is_reachable(Oid nspid, bool use, pg_uuid_t *tenant)
{
	const PdBinding *binding;

	if (!pd_tenant_of_schema(nspid, tenant) || is_exempt())
		return true;
	if (use)
		pd_guard_count++;
	binding = use ? pd_binding_to_use() : pd_binding();
	return pd_is_tenant(binding->kind, &binding->tenant, tenant);
}

/*
 * report_unreachable
 *		Raise 42501 for a schema whose tenant is not bound.
 */
static void
report_unreachable(Oid nspid, const pg_uuid_t *id)
{
	PdTenant	tenant;
	bool		known = pd_tenant_by_id(id, &tenant);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for schema %s", get_namespace_name(nspid)),
			 pd_binding()->kind == PD_BOUND_TENANT ?
			 errdetail("It is the schema of a tenant that is not bound.") :
			 errdetail("It is a tenant's schema, and no tenant is bound."),
			 known ? errhint("Bind it first with SELECT publicdigit.use_tenant('%s').", tenant.slug) : 0));
}

/*
 * ensure_reachable
 *		An error (42501) for a schema whose tenant is not bound.
 */
static void
ensure_reachable(Oid nspid)
{
	pg_uuid_t	tenant;

	if (!is_reachable(nspid, true, &tenant))
		report_unreachable(nspid, &tenant);
}

/*
 * pd_guard_relation
 *		The same for the schema of a table or sequence.
 */
void
pd_guard_relation(Oid relid)
{
	ensure_reachable(get_rel_namespace(relid));
}

/*
 * is_about_values
 *		Does a catalog hold values of the tables' rows?  Views of the server
 *		show them to whoever may read the table, whatever is bound.
 */
static bool
is_about_values(Oid catalog)
{
	return catalog == StatisticRelationId || catalog == StatisticExtDataRelationId;
}

/*
 * report_statistics
 *		Raise 42501 for a query of such a catalog.
 */
static void
report_statistics(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for the planner's statistics"),
			 errdetail("They hold values of the tables of all tenants."),
			 errhint("Read them as a superuser, or as the owner or admin role.")));
}

/*
 * pd_guard_statistics
 *		An error (42501) for a script that reads the planner's statistics, which
 *		tell of the tables of all tenants.
 */
void
pd_guard_statistics(Oid relid)
{
	if (is_about_values(relid))
		report_statistics();
}

/*
 * is_table_reachable
 *		May the current user reach a table now?  See is_reachable.
 */
static bool
is_table_reachable(Oid relid, pg_uuid_t *tenant)
{
	Reached    *entry = &reached[relid % lengthof(reached)];
	uint64		epoch = pd_epoch;
	uint64		count = pd_guard_count;
	uint64		before;

	if (entry->epoch == epoch && entry->relid == relid && entry->user == GetUserId())
	{
		if (!entry->is_tenants)
			return true;
		/* Not all that follows is run by the executor, which would check too. */
		(void) pd_binding_check(&epoch);
		if (entry->epoch == epoch)
		{
			pd_guard_count++;
			return true;
		}
	}

	before = invalidations;
	if (!is_reachable(get_rel_namespace(relid), true, tenant))
		return false;
	/* What arrived meanwhile may be about this table. */
	entry->epoch = before == invalidations ? epoch : 0;
	entry->relid = relid;
	entry->user = GetUserId();
	entry->is_tenants = pd_guard_count != count;
	return true;
}

/*
 * pd_guard_tables
 *		Permission hook of the executor: all tables of a query, those of views
 *		and partitions too.
 */
bool
pd_guard_tables(List *range_table, bool ereport_on_violation)
{
	ListCell   *cell;

	foreach(cell, range_table)
	{
		Oid			relid = pd_entry_relation(lfirst_node(RangeTblEntry, cell));
		pg_uuid_t	tenant;

		if (relid < FirstNormalObjectId)
		{
			if (!is_about_values(relid) || !is_held())
				continue;
			if (ereport_on_violation)
				report_statistics();
			return false;
		}
		if (is_table_reachable(relid, &tenant))
			continue;
		if (ereport_on_violation)
			report_unreachable(get_rel_namespace(relid), &tenant);
		return false;
	}
	return true;
}

/*
 * ensure_same_tenant
 *		An error (42P16) for a parent and a child, or partition, of which one
 *		lies in a tenant's schema and the other does not: rows would go to and
 *		fro past the guard.  Nobody is exempt.
 */
static void
ensure_same_tenant(Oid one, Oid other)
{
	pg_uuid_t	tenant;
	pg_uuid_t	other_tenant;
	bool		is_tenants;

	if (one == other)
		return;
	is_tenants = pd_tenant_of_schema(one, &tenant);
	if (pd_tenant_of_schema(other, &other_tenant) == is_tenants &&
		(!is_tenants || memcmp(&tenant, &other_tenant, UUID_LEN) == 0))
		return;					/* neither, or a schema and its archive */
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
			 errmsg("a table in a tenant's schema must have its parents, partitions and children there"),
			 errdetail("One would be in schema \"%s\", the other in \"%s\".",
					   get_namespace_name(one), get_namespace_name(other)),
			 errhint("Partition the table within one schema.")));
}

/*
 * check_name
 *		A schema has been altered: an error (55000) if it is a tenant's and has
 *		another name now.  The registry knows it by its name; by another one it
 *		would be nobody's.
 */
static void
check_name(Oid nspid)
{
	char	   *name = get_namespace_name(nspid);	/* the cache has the old row */
	pg_uuid_t	tenant;
	HeapTuple	tuple;

	if (name == NULL || !pd_tenant_of_schema(nspid, &tenant))
		return;
	tuple = pd_fresh_row(NamespaceRelationId, NamespaceOidIndexId,
						 Anum_pg_namespace_oid, nspid);
	if (HeapTupleIsValid(tuple) &&
		strcmp(NameStr(((Form_pg_namespace) GETSTRUCT(tuple))->nspname), name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot rename schema \"%s\"", name),
				 errdetail("It is a tenant's schema, which keeps its name."),
				 errhint("publicdigit.rename_tenant() changes the tenant's slug.")));
}

/*
 * pd_guard_lock
 *		LOCK TABLE: an error (42501) for a view, which would lock what it reads
 *		in whatever schema.  The server looks the name up again; who can put a
 *		view in a table's place in between owns both.
 */
void
pd_guard_lock(const LockStmt *lock)
{
	ListCell   *cell;

	if (!is_held())
		return;
	foreach(cell, lock->relations)
	{
		Oid			relid = RangeVarGetRelid(lfirst_node(RangeVar, cell), NoLock, true);

		if (OidIsValid(relid) && get_rel_relkind(relid) == RELKIND_VIEW)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to lock view %s", get_rel_name(relid)),
					 errdetail("It would lock the tables that it reads, of whichever tenant."),
					 errhint("Lock the tables.")));
	}
}

/*
 * is_child_of
 *		Is a table a child or partition of another one now?  The hook is the
 *		same when it has ceased to be.
 */
static bool
is_child_of(Oid child, Oid parent)
{
	Relation	rel = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(child));
	scan = systable_beginscan(rel, InheritsRelidSeqnoIndexId, true, SnapshotSelf, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (((Form_pg_inherits) GETSTRUCT(tuple))->inhparent == parent)
			found = true;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * check_family
 *		A table has got a parent, or has been moved to another schema: keep
 *		those that belong together in one.
 */
static void
check_family(Oid classId, Oid relid, void *arg)
{
	ObjectAccessPostAlter *alter = arg;

	if (classId == InheritsRelationId && alter != NULL &&
		is_child_of(relid, alter->auxiliary_id))
		ensure_same_tenant(get_rel_namespace(relid), get_rel_namespace(alter->auxiliary_id));
	else if (classId == RelationRelationId &&
			 (has_superclass(relid) || find_inheritance_children(relid, NoLock) != NIL))
		/* The cache still has the schema that it comes from. */
		ensure_same_tenant(get_rel_namespace(relid), pd_fresh_namespace(classId, relid));
}

/*
 * pd_guard_object
 *		Object access hook.
 */
void
pd_guard_object(ObjectAccessType access, Oid classId, Oid objectId, void *arg)
{
	ObjectAccessNamespaceSearch *search = arg;
	pg_uuid_t	tenant;

	if (access == OAT_POST_ALTER && classId == NamespaceRelationId)
		check_name(objectId);
	else if (access == OAT_POST_ALTER)
		check_family(classId, objectId, arg);

	switch (access)
	{
		case OAT_NAMESPACE_SEARCH:
			if (search->ereport_on_violation)
				ensure_reachable(objectId);
			else if (!is_reachable(objectId, false, &tenant))
				search->result = false;
			break;
		case OAT_POST_CREATE:
		case OAT_POST_ALTER:
		case OAT_DROP:
		case OAT_TRUNCATE:
			if (!is_exempt())
				ensure_reachable(pd_fresh_namespace(classId, objectId));
			break;
		case OAT_FUNCTION_EXECUTE:
			break;				/* sequence.c looks at these */
	}
}
