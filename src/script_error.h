/*-------------------------------------------------------------------------
 *
 * script_error.h
 *	  What is said of an error in a module's script beside the server's words.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SCRIPT_ERROR_H
#define PUBLICDIGIT_SCRIPT_ERROR_H

#include "postgres.h"

#include "compat.h"
#include "script_run.h"

extern bool pd_error_is_of_module(const ErrorData *error);
pg_noreturn extern void pd_script_rethrow(const PdScriptRun *run,
										  const PdScript *script);
pg_noreturn extern void pd_script_rethrow_unread(const char *content, int location);

#endif							/* PUBLICDIGIT_SCRIPT_ERROR_H */
