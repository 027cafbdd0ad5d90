/*-------------------------------------------------------------------------
 *
 * guard.h
 *	  Tenants' schemas, which are reachable while their tenant is bound.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_GUARD_H
#define PUBLICDIGIT_GUARD_H

#include "postgres.h"

#include "catalog/objectaccess.h"
#include "nodes/parsenodes.h"

/* Moves whenever somebody reaches for a tenant's schema who is not exempt. */
extern uint64 pd_guard_count;

/* Called by hooks.c. */
extern void pd_guard_object(ObjectAccessType access, Oid classId, Oid objectId, void *arg);
extern void pd_guard_lock(const LockStmt *lock);
extern bool pd_guard_tables(List *range_table, bool ereport_on_violation);
extern void pd_guard_statistics(Oid relid);

/* Called by sequence.c. */
extern bool pd_guard_is_for_session(void);
extern void pd_guard_relation(Oid relid);

#endif							/* PUBLICDIGIT_GUARD_H */
