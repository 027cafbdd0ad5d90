/*-------------------------------------------------------------------------
 *
 * plan.h
 *	  What a change of modules will do, decided before any of it is done.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_PLAN_H
#define PUBLICDIGIT_PLAN_H

#include "postgres.h"

#include "ledger.h"
#include "target.h"
#include "version.h"

typedef enum PdVerb
{
	PD_VERB_INSTALL,
	PD_VERB_UPGRADE,
	PD_VERB_DOWNGRADE,
	PD_VERB_UNINSTALL,
	PD_VERB_ARCHIVE,			/* uninstalled, with its tables put aside */
	PD_VERB_RESTORE,			/* and put back */
	PD_VERB_DISCARD,			/* or thrown away */
	PD_VERB_SEED
} PdVerb;

typedef enum PdStepKind
{
	PD_STEP_APPLY,				/* run a script, and enter it in the ledger */
	PD_STEP_UNDO,				/* run a down script, and take its migration out */
	PD_STEP_VERIFY,
	PD_STEP_CALL,				/* a function that the installer has made */
	PD_STEP_DROP,				/* what a repeatable script or the installer made */
	PD_STEP_ARCHIVE,			/* make it */
	PD_STEP_MOVE,				/* into the archive, or out of it */
	PD_STEP_DISCARD,			/* it, with all that is in it */
	PD_STEP_SEED,
	PD_STEP_REVOKE,				/* from the app role, before any script */
	PD_STEP_GRANT				/* to it, what the scripts have made too */
} PdStepKind;

typedef struct PdStep
{
	PdStepKind	kind;
	const PdScript *script;		/* that runs, or that has made what is dropped */
	const char *sql;			/* of the kinds that run no script; may be "" */
	const char *function;		/* of PD_STEP_CALL */
} PdStep;

/* What happens to one module. */
typedef struct PdChange
{
	PdVerb		verb;
	const PdInstallation *installed;	/* NULL for an installation */
	const PdVersion *from;		/* NULL for an installation */
	const PdVersion *to;		/* NULL where it goes; what is archived, or seeded */
	PdLedger   *ledger;
	List	   *steps;			/* of PdStep */
} PdChange;

/*
 * Each returns a list of PdChange in the order to make them, in the current
 * memory context; NIL where nothing is to be done.  All must be called inside
 * pd_spi_begin, with the target locked.
 */
extern List *pd_plan_install(const PdTarget *target, const char *module,
							 const char *version);
extern List *pd_plan_upgrade(const PdTarget *target, const char *module,
							 const char *version);
extern List *pd_plan_migrate(const PdTarget *target, const char *module);
extern List *pd_plan_downgrade(const PdTarget *target, const char *module,
							   const char *version);
extern List *pd_plan_seed(const PdTarget *target, const char *module);

extern void pd_plan_ensure_together(const PdTarget *target, const List *changes);
extern PdInstallation *pd_plan_installed(const PdTarget *target, const char *module);
extern void pd_plan_ensure_may_be(const PdTarget *target, PdVersion *version,
								  bool enabled);

pg_noreturn extern void pd_plan_report_not_installed(const PdTarget *target,
													 const char *module);
pg_noreturn extern void pd_plan_report_archived(const PdTarget *target,
												const char *module, const char *hint);

/* plan_away.c: what goes with a module. */
extern List *pd_plan_uninstall(const PdTarget *target, const char *module,
							   bool cascade);
extern void pd_plan_ensure_no_tenant_needs(const char *module);

/* plan_rollback.c: one batch back, and whether several can go back. */
extern List *pd_plan_rollback(const PdTarget *target, int32 batch);
extern void pd_plan_ensure_undoable(const PdTarget *target, const List *batches);

/* plan_empty.c: rows that keep a module from going. */
extern void pd_plan_ensure_may_go(const PdChange *change, bool lock);

/* plan_steps.c: a change with its steps, up. */
extern PdChange *pd_change_up(const PdTarget *target,
							  const PdInstallation *installed, PdVersion *to);

/* plan_down.c: down, and for what is installed otherwise. */
extern PdChange *pd_change_down(const PdTarget *target,
								const PdInstallation *installed, PdVersion *to);
extern PdChange *pd_change_away(const PdTarget *target,
								const PdInstallation *installed, bool may_archive);
extern PdChange *pd_change_discard(const PdTarget *target,
								   const PdInstallation *installed);
extern PdChange *pd_change_seed(const PdTarget *target,
								const PdInstallation *installed);
pg_noreturn extern void pd_report_no_down_script(const char *module, const char *version,
												 const char *migration);
extern const PdVersion *pd_step_version(const PdChange *change, const PdStep *step);

#endif							/* PUBLICDIGIT_PLAN_H */
