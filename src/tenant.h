/*-------------------------------------------------------------------------
 *
 * tenant.h
 *	  The life of a tenant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_TENANT_H
#define PUBLICDIGIT_TENANT_H

#include "postgres.h"

#include "registry.h"

typedef enum PdLock
{
	PD_LOCK_CHANGE,				/* of modules or status; one at a time */
	PD_LOCK_DROP				/* nothing else may refer to it meanwhile */
} PdLock;

extern void pd_lock_tenant(PdTenant *tenant, PdLock lock);
extern void pd_drop_schema(const char *schema);

#endif							/* PUBLICDIGIT_TENANT_H */
