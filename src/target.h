/*-------------------------------------------------------------------------
 *
 * target.h
 *	  For whom a module is installed: a tenant or the landlord.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_TARGET_H
#define PUBLICDIGIT_TARGET_H

#include "postgres.h"

#include "manifest.h"
#include "registry.h"
#include "tenant_ref.h"

typedef struct PdTarget
{
	PdContextKind context;
	PdTenant	tenant;			/* where context is PD_TENANT */
} PdTarget;

/* The lock that a change of modules takes on its target. */
typedef enum PdTargetLock
{
	PD_TARGET_READ,				/* none: planning in a read-only transaction */
	PD_TARGET_LOOK,				/* drift check: a suspended tenant, too */
	PD_TARGET_ADD,				/* install, seed: nothing that others rest on */
	PD_TARGET_CHANGE			/* what others may rest on */
} PdTargetLock;

/* What error contexts tell of while a module is worked on. */
typedef struct PdTargetWork
{
	const char *doing;			/* "install", … */
	const PdManifest *manifest;
	const PdTarget *target;
	ErrorContextCallback callback;
} PdTargetWork;

extern void pd_target_begin_work(PdTargetWork *work, const char *doing,
								 const PdManifest *manifest,
								 const PdTarget *target);
extern void pd_target_end_work(PdTargetWork *work);
extern void pd_target_resolve(const PdTenantRef *ref, const char *module,
							  PdContextKind context, PdTarget *target);
extern void pd_target_lock(PdTarget *target, PdTargetLock lock);
extern const pg_uuid_t *pd_target_tenant(const PdTarget *target);
extern const char *pd_target_schema(const PdTarget *target);
extern char *pd_target_name(const PdTarget *target);

#endif							/* PUBLICDIGIT_TARGET_H */
