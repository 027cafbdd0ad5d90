/*-------------------------------------------------------------------------
 *
 * install.h
 *	  Steps that install, uninstall and seed share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_INSTALL_H
#define PUBLICDIGIT_INSTALL_H

#include "postgres.h"

#include "fmgr.h"

#include "script.h"
#include "target.h"
#include "version.h"

extern char *pd_module_argument(FunctionCallInfo fcinfo, int argno);
extern const PdScript *pd_find_script(const PdModuleSource *source,
									  PdScriptKind kind, const char *migration);
extern void pd_finish_run(PdScriptRun *run);

#endif							/* PUBLICDIGIT_INSTALL_H */
