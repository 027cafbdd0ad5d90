/*-------------------------------------------------------------------------
 *
 * registry.h
 *	  Look-ups in the registry, cached per backend.  Nothing here writes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_REGISTRY_H
#define PUBLICDIGIT_REGISTRY_H

#include "postgres.h"

#include "utils/uuid.h"

#define PD_SLUG_MAX		50

typedef enum PdTenantStatus
{
	PD_TENANT_ACTIVE,
	PD_TENANT_SUSPENDED,
	PD_TENANT_ARCHIVED
} PdTenantStatus;

typedef struct PdTenant
{
	pg_uuid_t	id;
	char		slug[PD_SLUG_MAX + 1];
	NameData	schema;
	PdTenantStatus status;
} PdTenant;

/* What the registry lets a role do with a tenant; the last one outweighs. */
typedef enum PdAccess
{
	PD_ACCESS_NONE,
	PD_ACCESS_FULL,
	PD_ACCESS_TOKEN_ONLY
} PdAccess;

/* What the schemas of archived modules are called, before the tenant's id. */
#define PD_ARCHIVE_PREFIX	"archive_"

extern void pd_registry_init(void);
extern bool pd_tenant_by_id(const pg_uuid_t *id, PdTenant *tenant);
extern bool pd_tenant_by_slug(const char *slug, PdTenant *tenant);
extern bool pd_tenant_of_schema(Oid nspid, pg_uuid_t *tenant);
extern PdAccess pd_tenant_access(const pg_uuid_t *id, Oid role);
extern PdTenantStatus pd_tenant_status(const char *status);
extern void pd_ensure_active(const PdTenant *tenant);

#endif							/* PUBLICDIGIT_REGISTRY_H */
