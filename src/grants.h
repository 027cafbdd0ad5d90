/*-------------------------------------------------------------------------
 *
 * grants.h
 *	  What the app role may do with a module's tables and views.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_GRANTS_H
#define PUBLICDIGIT_GRANTS_H

#include "postgres.h"

#include "manifest.h"
#include "registry.h"
#include "script_run.h"

/* All must be called inside pd_spi_begin. */
extern void pd_grant_privileges(const PdManifest *manifest, const char *schema);
extern List *pd_grants_planned(const PdManifest *manifest, const char *schema,
							   const List *dropped);
extern void pd_revoke_privileges(const PdManifest *from, const PdManifest *to,
								 const char *schema);
extern List *pd_revokes(const PdManifest *from, const PdManifest *to,
						const char *schema);
extern void pd_revoke_renamed(const PdScriptRun *run);
extern void pd_revoke_released(const PdScriptRun *run);
extern void pd_revoke_app_grants(const PdTenant *tenant);
extern void pd_restore_app_grants(const PdTenant *tenant);

#endif							/* PUBLICDIGIT_GRANTS_H */
