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
	PD_TARGET_ADD,				/* install, seed */
	PD_TARGET_REMOVE			/* uninstall */
} PdTargetLock;

extern void pd_target_resolve(const PdTenantRef *ref, const PdManifest *manifest,
							  PdTarget *target);
extern void pd_target_lock(PdTarget *target, PdTargetLock lock);
extern const pg_uuid_t *pd_target_tenant(const PdTarget *target);
extern const char *pd_target_schema(const PdTarget *target);
extern char *pd_target_name(const PdTarget *target);

#endif							/* PUBLICDIGIT_TARGET_H */
