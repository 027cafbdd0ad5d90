/*-------------------------------------------------------------------------
 *
 * run_check.h
 *	  What came of a module's scripts.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_RUN_CHECK_H
#define PUBLICDIGIT_RUN_CHECK_H

#include "postgres.h"

#include "script_run.h"

/* All must be called inside pd_spi_begin. */
extern void pd_check_run(PdScriptRun *run);
extern void pd_check_named_views(const PdScriptRun *run, int64 installation,
								 const PdManifest *before);
extern void pd_warn_of_lost_objects(const PdScriptRun *run, int64 installation,
									List *kept);
extern void pd_warn_of_unnamed_tables(const PdScriptRun *run);
extern void pd_warn_of_keys(const PdScriptRun *run);

#endif							/* PUBLICDIGIT_RUN_CHECK_H */
