/*-------------------------------------------------------------------------
 *
 * script.h
 *	  Running a module's scripts, held to one schema and one tenant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SCRIPT_H
#define PUBLICDIGIT_SCRIPT_H

#include "postgres.h"

#include "script_run.h"

extern void pd_script_start(PdScriptRun *run, PdContextKind context,
							const PdTenant *tenant,
							const PdManifest *manifest);
extern void pd_script_execute(PdScriptRun *run, const PdScript *script);
extern void pd_script_hold(PdScriptRun *run, void (*work) (PdScriptRun *run));
extern void pd_script_ensure_none_pending(const PdScriptRun *run);
extern Oid	pd_script_owner(void);

#endif							/* PUBLICDIGIT_SCRIPT_H */
