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

typedef enum PdInstallationStatus
{
	PD_INSTALLED,
	PD_DISABLED,				/* the app role may not use it */
	PD_ARCHIVED					/* uninstalled, with its tables put aside */
} PdInstallationStatus;

/* What is installed of a module. */
typedef struct PdInstallation
{
	int64		id;
	char	   *module;
	int64		version_id;
	char	   *version;
	PdInstallationStatus status;
	char	   *head;			/* of the chain over what is applied */
} PdInstallation;

/*
 * All must be called inside pd_spi_begin; results live as long as it lasts.
 * A tenant of NULL stands for the landlord.
 */
extern PdContextKind pd_module_context(const char *module);
extern PdVersion *pd_version_load(int64 id);
extern PdManifest *pd_version_manifest(int64 id);
extern PdVersion *pd_version_find(const char *module, const char *version);
extern PdInstallation *pd_installation_find(const char *module,
											const pg_uuid_t *tenant);
extern List *pd_installations(const pg_uuid_t *tenant);
extern const PdScript *pd_version_script(const PdVersion *version,
										 PdScriptKind kind, const char *migration);

#endif							/* PUBLICDIGIT_VERSION_H */
