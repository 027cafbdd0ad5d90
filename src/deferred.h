/*-------------------------------------------------------------------------
 *
 * deferred.h
 *	  Deferred triggers, which run as the tenant whose rows set them off.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_DEFERRED_H
#define PUBLICDIGIT_DEFERRED_H

#include "postgres.h"

#include "executor/execdesc.h"
#include "nodes/parsenodes.h"

#include "binding.h"

extern void pd_deferred_init(void);
extern void pd_deferred_note(const QueryDesc *queryDesc);
extern void pd_deferred_note_copy(const CopyStmt *copy);
extern bool pd_deferred_allows(PdBindingKind kind, const pg_uuid_t *tenant, Oid *relid);
extern void pd_deferred_ensure_may_bind(PdBindingKind kind, const pg_uuid_t *tenant);

#endif							/* PUBLICDIGIT_DEFERRED_H */
