/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  All differences between the supported servers, PostgreSQL 15 to 18.
 *
 * No other file may test PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_COMPAT_H
#define PUBLICDIGIT_COMPAT_H

#include "postgres.h"

#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "commands/extension.h"
#include "executor/executor.h"
#include "nodes/bitmapset.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"

#if PG_VERSION_NUM < 150000
#error "publicdigit needs PostgreSQL 15 or later"
#endif

/* The macros on varlena were part of postgres.h until 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* The hooks of the server's own settings moved out of guc.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "utils/guc_hooks.h"
#endif

/* It comes first in a declaration from 18 on, and may before. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn					pg_attribute_noreturn()
#endif

/* A GUC's "extra" is malloc'ed by the hook itself in 15, by guc.c from 16. */
#if PG_VERSION_NUM >= 160000
#define pd_guc_malloc(size)			guc_malloc(LOG, (size))
#else
#define pd_guc_malloc(size)			malloc(size)
#endif

/* Ownership and privilege checks became generic in 16. */
#if PG_VERSION_NUM >= 160000
#define pd_is_relation_owner(relid, roleid) \
	object_ownercheck(RelationRelationId, (relid), (roleid))
#define pd_schema_aclcheck(nspid, roleid, mode) \
	object_aclcheck(NamespaceRelationId, (nspid), (roleid), (mode))
#else
#define pd_is_relation_owner(relid, roleid) \
	pg_class_ownercheck((relid), (roleid))
#define pd_schema_aclcheck(nspid, roleid, mode) \
	pg_namespace_aclcheck((nspid), (roleid), (mode))
#endif

/*
 * May one role act as another, with its privileges or by SET ROLE?  Until 15
 * every member may; from 16 a membership can be without either, as that of
 * whoever made the role with CREATEROLE is.
 */
#if PG_VERSION_NUM >= 160000
#define pd_may_act_as(member, role) \
	(has_privs_of_role((member), (role)) || member_can_set_role((member), (role)))
#else
#define pd_may_act_as(member, role) \
	is_member_of_role_nosuper((member), (role))
#endif

/* Functions that write a table's statistics came in 18. */
#if PG_VERSION_NUM >= 180000
#define pd_writes_statistics(function) \
	((function) == F_PG_RESTORE_RELATION_STATS || \
	 (function) == F_PG_RESTORE_ATTRIBUTE_STATS || \
	 (function) == F_PG_CLEAR_RELATION_STATS || \
	 (function) == F_PG_CLEAR_ATTRIBUTE_STATS)
#else
#define pd_writes_statistics(function)	false
#endif

/*
 * The permissions that a query needs moved in 16 from the range table into a
 * list of their own.  Locking rows needs the privilege to update and changes
 * no column.
 */
#if PG_VERSION_NUM >= 160000
#define PD_CHECK_PERMS_ARGS	List *rangeTable, List *rteperminfos, bool ereport_on_violation
#define PD_CHECK_PERMS_PASS	rangeTable, rteperminfos, ereport_on_violation
#define PD_CHECK_PERMS_LIST	rteperminfos
typedef RTEPermissionInfo PdPermInfo;
#else
#define PD_CHECK_PERMS_ARGS	List *rangeTable, bool ereport_on_violation
#define PD_CHECK_PERMS_PASS	rangeTable, ereport_on_violation
#define PD_CHECK_PERMS_LIST	rangeTable
typedef RangeTblEntry PdPermInfo;
#endif

static inline bool
pd_perm_info_writes(const PdPermInfo *info)
{
	return OidIsValid(info->relid) &&
		((info->requiredPerms & (ACL_INSERT | ACL_DELETE)) != 0 ||
		 ((info->requiredPerms & ACL_UPDATE) != 0 &&
		  !bms_is_empty(info->updatedCols)));
}

/*
 * The table or view that an entry of a range table stands for.  A view's entry
 * is a subquery, which keeps the view's OID from 16 on, when it no longer has
 * another entry beside it.
 */
static inline Oid
pd_entry_relation(const RangeTblEntry *entry)
{
	return entry->rtekind == RTE_RELATION || entry->rtekind == RTE_SUBQUERY ?
		entry->relid : InvalidOid;
}

/*
 * A plan that may be executed more than once runs without workers.  Which of
 * the two says so has changed in minor releases of 15 to 17.
 */
#if PG_VERSION_NUM >= 180000
#define PD_EXECUTOR_RUN_ARGS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count
#define PD_EXECUTOR_RUN_PASS		queryDesc, direction, count
#define pd_executor_run_serially()	(queryDesc->already_executed = true)
#else
#define PD_EXECUTOR_RUN_ARGS \
	QueryDesc *queryDesc, ScanDirection direction, uint64 count, bool execute_once
#define PD_EXECUTOR_RUN_PASS		queryDesc, direction, count, execute_once
#define pd_executor_run_serially() \
	(queryDesc->already_executed = true, execute_once = false)
#endif

/* Extensions may lie outside the server's share folder from 18 on. */
#if PG_VERSION_NUM >= 180000
#define pd_extension_control_path()	Extension_control_path
#else
#define pd_extension_control_path()	"$system"
#endif

/* SET EXPRESSION of a generated column, which rewrites the table, came in 17. */
#if PG_VERSION_NUM >= 170000
#define pd_sets_expression(subtype)	((subtype) == AT_SetExpression)
#else
#define pd_sets_expression(subtype)	false
#endif

/* Virtual generated columns and constraints that are NOT ENFORCED came in 18. */
#if PG_VERSION_NUM >= 180000
#define pd_is_stored(constraint) \
	((constraint)->generated_kind == ATTRIBUTE_GENERATED_STORED)
#define pd_is_enforced(constraint)	((constraint)->is_enforced)
#else
#define pd_is_stored(constraint)	true
#define pd_is_enforced(constraint)	true
#endif

/* NOT NULL constraints that are NOT VALID came in 18. */
#if PG_VERSION_NUM >= 180000
#define pd_is_never_null(descriptor, attno) \
	(TupleDescCompactAttr(descriptor, (attno) - 1)->attnullability == ATTNULLABLE_VALID)
#else
#define pd_is_never_null(descriptor, attno) \
	(TupleDescAttr(descriptor, (attno) - 1)->attnotnull)
#endif

#endif							/* PUBLICDIGIT_COMPAT_H */
