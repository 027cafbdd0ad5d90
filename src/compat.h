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

#include "catalog/pg_class.h"
#include "catalog/pg_namespace.h"
#include "utils/acl.h"
#include "utils/guc.h"

#if PG_VERSION_NUM < 150000
#error "publicdigit needs PostgreSQL 15 or later"
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

#endif							/* PUBLICDIGIT_COMPAT_H */
