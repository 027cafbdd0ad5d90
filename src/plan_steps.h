/*-------------------------------------------------------------------------
 *
 * plan_steps.h
 *	  What the steps up and the steps down are put together from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_PLAN_STEPS_H
#define PUBLICDIGIT_PLAN_STEPS_H

#include "postgres.h"

#include "plan.h"

/* All must be called inside pd_spi_begin. */
extern PdChange *pd_plan_new_change(PdVerb verb, const PdTarget *target,
									const PdInstallation *installed,
									PdVersion *from, PdVersion *to);
extern List *pd_plan_scripts(const PdVersion *version, PdScriptKind kind);
extern List *pd_plan_reversed(const List *list);
extern bool pd_plan_is_unchanged(const PdChange *change, const PdScript *script,
								 const PdApplied *applied);
pg_noreturn extern void pd_plan_report_changed(const PdChange *change,
											   const PdScript *script,
											   const PdApplied *applied);
extern void pd_plan_add_step(PdChange *change, PdStepKind kind,
							 const PdScript *script, const char *sql);
extern void pd_plan_add_drop(PdChange *change, const PdScript *script);
extern void pd_plan_add_call(PdChange *change, const PdScript *script,
							 const char *function);
extern void pd_plan_add_installer(PdChange *change);
extern void pd_plan_add_repeatable(PdChange *change, bool all);

/* plan_grants.c: what the app role loses and gets. */
extern void pd_plan_add_revoke(PdChange *change, const PdManifest *kept);
extern void pd_plan_add_grant(PdChange *change);

#endif							/* PUBLICDIGIT_PLAN_STEPS_H */
