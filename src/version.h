/*-------------------------------------------------------------------------
 *
 * version.h
 *	  Registered versions of modules, and what is installed.  No writes.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_VERSION_H
#define PUBLICDIGIT_VERSION_H

#include "postgres.h"

#include "module_source.h"
#include "registry.h"

typedef struct PdVersion
{
	int64		id;				/* in the registry */
	PdModuleSource *source;
} PdVersion;

/* What is installed of a module. */
typedef struct PdInstallation
{
	int64		id;
	int64		version_id;
	char	   *version;
} PdInstallation;

/*
 * All must be called inside pd_spi_begin; results live as long as it lasts.
 * A tenant of NULL stands for the landlord.
 */
extern PdVersion *pd_version_load(int64 id);
extern PdVersion *pd_version_find(const char *module, const char *version);
extern PdVersion *pd_version_find_in_range(const PdRequirement *requirement,
										   const PdManifest *by);
extern PdInstallation *pd_installation_find(const char *module,
											const pg_uuid_t *tenant);

#endif							/* PUBLICDIGIT_VERSION_H */
