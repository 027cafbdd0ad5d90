/*-------------------------------------------------------------------------
 *
 * script_guard.c
 *	  What a module's script may not reach: objects outside its own schema.
 *
 * The owner role owns every tenant's objects, so privileges alone do not keep
 * one tenant's script out of another's schema.  Three hooks do:
 *
 * - object access: what is created, altered, dropped or truncated must lie in
 *   the script's schema.  A new object's row cannot be looked up yet when the
 *   hook runs, so objects are noted and looked at after the statement; an
 *   error then undoes it.  Naming another tenant's schema is refused at once.
 * - executor permission check: INSERT, UPDATE and DELETE outside the schema.
 *   Reading the landlord's tables, and locking their rows, is allowed.
 * - utility: only kinds of statement that make sense in a module may run
 *   (script_utility.c).
 *
 * A sequence is written to by a call of a function, which no hook sees with its
 * arguments; sequence.c has a way of its own for them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/partition.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_policy.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_ts_dict.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "compat.h"
#include "fresh_row.h"
#include "hooks.h"
#include "protect.h"
#include "script_guard.h"

/*
 * report_outside
 *		Raise 42501 for an object that does not belong to the script.
 */
static void
report_outside(const PdScriptRun *run, const ObjectAddress *object)
{
	char	   *description = getObjectDescription(object, true);
	bool		is_temporary = description != NULL &&
		is_objectclass_supported(object->classId) &&
		isAnyTempNamespace(get_object_namespace(object));

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 is_temporary ? errmsg("a module script may not make or change temporary objects") :
			 errmsg("a module script may not change %s",
					description ? description : "objects outside its schema"),
			 errdetail("It may change objects of schema \"%s\" only.",
					   get_namespace_name(run->schema)),
			 is_temporary ? errhint("Use a query WITH ..., or an ordinary table that the same script drops.") : 0));
}

/*
 * is_other_tenant_schema
 *		Does the owner role own this schema, though it is neither the
 *		script's nor the landlord's?  Nor that of a table which we ourselves are
 *		reading.
 */
static bool
is_other_tenant_schema(const PdScriptRun *run, Oid nspid)
{
	HeapTuple	tuple;
	Form_pg_namespace form;
	bool		result;

	if (nspid == run->schema ||
		(OidIsValid(run->referring) && nspid == get_rel_namespace(run->referring)))
		return false;
	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(nspid));
	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_namespace) GETSTRUCT(tuple);
	result = form->nspowner == run->owner &&
		strcmp(NameStr(form->nspname), PD_LANDLORD_SCHEMA) != 0;
	ReleaseSysCache(tuple);
	return result;
}

/*
 * is_internal_trigger
 *		Is this a trigger that belongs to a foreign key?
 */
static bool
is_internal_trigger(Oid trigger)
{
	HeapTuple	tuple = pd_fresh_row(TriggerRelationId, TriggerOidIndexId,
									 Anum_pg_trigger_oid, trigger);

	return HeapTupleIsValid(tuple) &&
		((Form_pg_trigger) GETSTRUCT(tuple))->tgisinternal;
}

/*
 * note_relation
 *		Remember a relation that the script has made or altered.
 */
static void
note_relation(PdScriptRun *run, Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(run->memory);

	run->relations = list_append_unique_oid(run->relations, relid);
	MemoryContextSwitchTo(old);
}

/*
 * is_own_schema
 *		Is this the script's schema, or one that the server uses for it?
 */
static bool
is_own_schema(const PdScriptRun *run, Oid nspid)
{
	Node	   *utility = pd_hooks_utility();

	return nspid == run->schema || IsToastNamespace(nspid) ||
		/* REFRESH ... CONCURRENTLY works with a temporary table. */
		(utility != NULL && IsA(utility, RefreshMatViewStmt) &&
		 isTempNamespace(nspid));
}

/*
 * schema_of
 *		The schema of an object; InvalidOid when it is gone.  One that is being
 *		altered is asked for in the caches, which still have the schema that it
 *		was in.  One that the statement has altered or made is read: a cache
 *		would keep an entry for each of a module's objects until the
 *		transaction ends.
 */
static Oid
schema_of(Oid classId, Oid objectId, bool altered)
{
	ObjectAddress object;

	if (!altered)
		return pd_fresh_namespace(classId, objectId);
	ObjectAddressSet(object, classId, objectId);
	if (!SearchSysCacheExists1(get_object_catcache_oid(classId),
							   ObjectIdGetDatum(objectId)))
		return InvalidOid;
	return get_object_namespace(&object);
}

/*
 * is_inside
 *		Does an object belong to the script's schema?  True also for one that
 *		is gone: what dropped it has been looked at.  Notes the table, which
 *		is checked against the golden rules at the end.
 */
static bool
is_inside(PdScriptRun *run, const ObjectAddress *object, bool altered)
{
	Oid			relid = InvalidOid;
	Oid			nspid;

	switch (object->classId)
	{
		case RelationRelationId:
		case IndexRelationId:
		case InheritsRelationId:
		case ForeignTableRelationId:
			relid = object->objectId;
			break;
		case NamespaceRelationId:
			/* The server makes these when a session first needs them. */
			return isTempNamespace(object->objectId) ||
				isTempToastNamespace(object->objectId);
		case TriggerRelationId:
			/* A foreign key to a landlord's table has its triggers there. */
			if (!altered && is_internal_trigger(object->objectId))
				return true;
			relid = pd_fresh_oid(TriggerRelationId, TriggerOidIndexId,
								 Anum_pg_trigger_oid, object->objectId,
								 Anum_pg_trigger_tgrelid);
			break;
		case CastRelationId:
			/* CREATE CAST is refused; a range type brings one of its own. */
			return true;
		case PolicyRelationId:
			relid = pd_fresh_oid(PolicyRelationId, PolicyOidIndexId,
								 Anum_pg_policy_oid, object->objectId,
								 Anum_pg_policy_polrelid);
			break;
		case RewriteRelationId:
			relid = pd_fresh_oid(RewriteRelationId, RewriteOidIndexId,
								 Anum_pg_rewrite_oid, object->objectId,
								 Anum_pg_rewrite_ev_class);
			break;
		case AttrDefaultRelationId:
			relid = pd_fresh_oid(AttrDefaultRelationId, AttrDefaultOidIndexId,
								 Anum_pg_attrdef_oid, object->objectId,
								 Anum_pg_attrdef_adrelid);
			break;
		case CollationRelationId:
		case ConstraintRelationId:
		case OperatorRelationId:
		case ProcedureRelationId:
		case StatisticExtRelationId:
		case TSConfigRelationId:
		case TSDictionaryRelationId:
		case TypeRelationId:
			nspid = schema_of(object->classId, object->objectId, altered);
			return !OidIsValid(nspid) || is_own_schema(run, nspid);
		default:
			/* What lives in no schema is never a module's. */
			return false;
	}

	nspid = OidIsValid(relid) ?
		schema_of(RelationRelationId, relid, altered) : InvalidOid;
	if (!OidIsValid(nspid))
		return true;
	if (!is_own_schema(run, nspid))
		return false;
	note_relation(run, relid);
	return true;
}

/*
 * note
 *		Remember an object that the statement has made or altered.
 */
static void
note(PdScriptRun *run, Oid classId, Oid objectId, bool created)
{
	MemoryContext old = MemoryContextSwitchTo(run->memory);
	ObjectAddress *object = palloc(sizeof(ObjectAddress));
	ObjectAddress *kept = palloc(sizeof(ObjectAddress));

	ObjectAddressSet(*object, classId, objectId);
	run->touched = lappend(run->touched, object);
	*kept = *object;
	run->objects = lappend(run->objects, kept);
	if (classId == ProcedureRelationId)
		run->functions = list_append_unique_oid(run->functions, objectId);
	if (created && classId == RelationRelationId)
	{
		run->created = lappend_oid(run->created, objectId);
		run->unprotected = lappend_oid(run->unprotected, objectId);
	}
	MemoryContextSwitchTo(old);
}

/*
 * note_renamed
 *		Where a relation that is being altered gets another name, remember the one
 *		that it had before the scripts.
 */
static void
note_renamed(PdScriptRun *run, Oid relid)
{
	HeapTuple	tuple = pd_fresh_row(RelationRelationId, ClassOidIndexId,
									 Anum_pg_class_oid, relid);
	char	   *name = get_rel_name(relid); /* the cache has the old row */
	MemoryContext old;
	PdRenamed  *renamed;
	ListCell   *cell;

	if (!HeapTupleIsValid(tuple) || name == NULL ||
		strcmp(NameStr(((Form_pg_class) GETSTRUCT(tuple))->relname), name) == 0)
		return;
	foreach(cell, run->renamed)
	{
		if (((PdRenamed *) lfirst(cell))->relid == relid)
			return;
	}
	old = MemoryContextSwitchTo(run->memory);
	renamed = palloc(sizeof(PdRenamed));
	renamed->relid = relid;
	renamed->former_name = pstrdup(name);
	run->renamed = lappend(run->renamed, renamed);
	MemoryContextSwitchTo(old);
}

/*
 * note_guarded
 *		A policy is being dropped or altered: remember the table if it is protected
 *		as yet, so that it is looked at when all scripts have run.
 */
static void
note_guarded(PdScriptRun *run, Oid policy)
{
	Oid			relid = pd_fresh_oid(PolicyRelationId, PolicyOidIndexId,
									 Anum_pg_policy_oid, policy,
									 Anum_pg_policy_polrelid);
	MemoryContext old;

	if (!OidIsValid(relid) || !pd_is_protected(relid, NULL))
		return;
	old = MemoryContextSwitchTo(run->memory);
	run->guarded = list_append_unique_oid(run->guarded, relid);
	MemoryContextSwitchTo(old);
}

/*
 * pd_script_guard_object
 *		Object access hook while a script runs.
 *
 * The server's own follow-up work (toast tables, triggers of foreign keys)
 * is marked internal and passes.
 */
void
pd_script_guard_object(PdScriptRun *run, ObjectAccessType access,
					   Oid classId, Oid objectId, int subId, void *arg)
{
	ObjectAddress object;

	ObjectAddressSet(object, classId, objectId);
	/* What happens to a column leaves the names of objects as they are. */
	if (subId == 0 && (access == OAT_POST_CREATE || access == OAT_POST_ALTER ||
					   access == OAT_DROP))
		run->names_changed = true;
	if (classId == PolicyRelationId && (access == OAT_POST_ALTER || access == OAT_DROP))
		note_guarded(run, objectId);
	switch (access)
	{
		case OAT_POST_CREATE:
			if (arg == NULL || !((ObjectAccessPostCreate *) arg)->is_internal)
				note(run, classId, objectId, subId == 0);	/* else a column */
			break;
		case OAT_POST_ALTER:
			if (arg == NULL || !((ObjectAccessPostAlter *) arg)->is_internal)
			{
				/* It is there already, and must not take effect first. */
				pd_script_guard_inside(run, &object);
				note(run, classId, objectId, false);
				if (classId == RelationRelationId && subId == 0)
					note_renamed(run, objectId);
			}
			break;
		case OAT_DROP:
		case OAT_TRUNCATE:
			pd_script_guard_inside(run, &object);
			break;
		case OAT_NAMESPACE_SEARCH:
			{
				ObjectAccessNamespaceSearch *search = arg;

				if (!is_other_tenant_schema(run, objectId))
					break;
				if (search->ereport_on_violation)
					ereport(ERROR,
							(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
							 errmsg("a module script may not use schema \"%s\"",
									get_namespace_name(objectId)),
							 errdetail("The schema belongs to another tenant."),
							 errhint("Leave the schema out: names are looked up in that of the tenant for whom the script runs.")));
				search->result = false;
				break;
			}
		case OAT_FUNCTION_EXECUTE:
			break;				/* sequence.c looks at these */
	}
}

/*
 * pd_script_guard_function
 *		Object access hook when a function is looked up to be called: an error
 *		(42501) for what writes the statistics of a table that it is given by
 *		name.
 */
void
pd_script_guard_function(Oid function)
{
	if (pd_writes_statistics(function))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a module script may not call %s", get_func_name(function)),
				 errdetail("It writes the statistics of any table of the owner role."),
				 errhint("Use ANALYZE with the names of the module's tables.")));
}

/*
 * ensure_rule_stays_inside
 *		An error (42501) for a rule whose actions name other schemas' tables:
 *		they would run as the owner role whenever anybody writes to the
 *		rule's own table, with no script to hold them.
 */
static void
ensure_rule_stays_inside(const PdScriptRun *run, Oid rule)
{
	Relation	rel;
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			rule_table;

	tuple = pd_fresh_row(RewriteRelationId, RewriteOidIndexId,
						 Anum_pg_rewrite_oid, rule);
	/* What a view reads, which is a rule as well, is allowed to be outside. */
	if (!HeapTupleIsValid(tuple) ||
		((Form_pg_rewrite) GETSTRUCT(tuple))->ev_type == '0' + CMD_SELECT)
		return;
	rule_table = ((Form_pg_rewrite) GETSTRUCT(tuple))->ev_class;

	rel = table_open(DependRelationId, AccessShareLock);
	ScanKeyInit(&key[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(RewriteRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(rule));
	scan = systable_beginscan(rel, DependDependerIndexId, true, SnapshotSelf, 2, key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_depend depend = (Form_pg_depend) GETSTRUCT(tuple);
		ObjectAddress object;

		ObjectAddressSet(object, depend->refclassid, depend->refobjid);
		if (object.classId != RelationRelationId)
			continue;
		if (get_rel_namespace(object.objectId) != run->schema)
			report_outside(run, &object);
		if (get_rel_relkind(object.objectId) == RELKIND_VIEW && rule_table != object.objectId)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("a rule of a module script may not name a view"),
					 errdetail("The view may reach tables of other schemas."),
					 errhint("Name the tables.")));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * pd_script_guard_check_touched
 *		Check what the statement has made and altered, now that it can be
 *		looked up, and forget it.
 */
void
pd_script_guard_check_touched(PdScriptRun *run)
{
	ListCell   *cell;

	foreach(cell, run->touched)
	{
		ObjectAddress *object = lfirst(cell);

		if (!is_inside(run, object, false))
			report_outside(run, object);
		if (object->classId == RewriteRelationId)
			ensure_rule_stays_inside(run, object->objectId);
	}
	list_free_deep(run->touched);
	run->touched = NIL;
}

/*
 * pd_script_guard_inside
 *		An error (42501) unless an object belongs to the script's schema.
 */
void
pd_script_guard_inside(PdScriptRun *run, const ObjectAddress *object)
{
	if (!is_inside(run, object, true))
		report_outside(run, object);
}

/*
 * is_referring
 *		Is this the table that we ourselves read for references to a key which
 *		the script takes away, or a partition of it?
 */
static bool
is_referring(const PdScriptRun *run, Oid relid)
{
	return OidIsValid(run->referring) &&
		(relid == run->referring ||
		 (get_rel_relispartition(relid) &&
		  list_member_oid(get_partition_ancestors(relid), run->referring)));
}

/*
 * pd_script_guard_read
 *		An error (42501) for a query within a foreign key's own work that reads
 *		a protected table of another schema: there the owner role, whose
 *		triggers it may fire, sees the rows of all tenants.
 */
void
pd_script_guard_read(const PdScriptRun *run, Oid relid)
{
	bool		enabled;
	bool		forced;
	HeapTuple	tuple;

	if (!OidIsValid(relid) || get_rel_namespace(relid) == run->schema ||
		is_referring(run, relid))
		return;
	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	if (!HeapTupleIsValid(tuple))
		return;
	enabled = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	forced = ((Form_pg_class) GETSTRUCT(tuple))->relforcerowsecurity;
	ReleaseSysCache(tuple);
	if (enabled && forced)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a module script may not read table \"%s\" within the action of a foreign key",
						get_rel_name(relid)),
				 errdetail("Row-level security does not hold there.")));
}

/*
 * pd_script_guard_write
 *		The same for a table that a query writes to, or a statement names.
 */
void
pd_script_guard_write(PdScriptRun *run, Oid relid)
{
	ObjectAddress object;

	ObjectAddressSet(object, RelationRelationId, relid);
	pd_script_guard_inside(run, &object);
}
