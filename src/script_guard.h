/*-------------------------------------------------------------------------
 *
 * script_guard.h
 *	  What a module's script may not reach.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SCRIPT_GUARD_H
#define PUBLICDIGIT_SCRIPT_GUARD_H

#include "postgres.h"

#include "catalog/objectaccess.h"
#include "catalog/objectaddress.h"
#include "nodes/parsenodes.h"

#include "script_run.h"

/* Called by hooks.c, while a script's statement is being executed. */
extern void pd_script_guard_object(PdScriptRun *run, ObjectAccessType access,
								   Oid classId, Oid objectId, int subId,
								   void *arg);
extern void pd_script_guard_read(const PdScriptRun *run, Oid relid);
extern void pd_script_guard_write(PdScriptRun *run, Oid relid);
extern void pd_script_guard_inside(PdScriptRun *run, const ObjectAddress *object);
extern void pd_script_guard_function(Oid function);
extern void pd_script_guard_utility(PdScriptRun *run, Node *stmt);

/* Called by script.c after each statement. */
extern void pd_script_guard_check_touched(PdScriptRun *run);

#endif							/* PUBLICDIGIT_SCRIPT_GUARD_H */
