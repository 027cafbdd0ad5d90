/*-------------------------------------------------------------------------
 *
 * install.h
 *	  What the SQL functions that change modules share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_INSTALL_H
#define PUBLICDIGIT_INSTALL_H

#include "postgres.h"

#include "fmgr.h"

#include "grants.h"
#include "plan.h"
#include "target.h"

extern char *pd_module_argument(FunctionCallInfo fcinfo, int argno);
extern char *pd_version_argument(FunctionCallInfo fcinfo, int argno);
extern void pd_module_target(const PdTenantRef *ref, const char *module,
							 PdTargetLock lock, PdTarget *target);

#endif							/* PUBLICDIGIT_INSTALL_H */
