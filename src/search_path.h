/*-------------------------------------------------------------------------
 *
 * search_path.h
 *	  The search_path of a tenant and of the landlord.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SEARCH_PATH_H
#define PUBLICDIGIT_SEARCH_PATH_H

#include "postgres.h"

#include "utils/guc.h"

#include "registry.h"

/* NULL stands for the landlord.  The text is in the current memory context. */
extern void pd_search_path_init(void);
extern char *pd_search_path(const PdTenant *tenant);
extern void pd_set_search_path(const char *path, GucAction action);
extern void pd_reset_search_path(void);
extern void pd_ensure_schema_usable(const char *schema);

#endif							/* PUBLICDIGIT_SEARCH_PATH_H */
