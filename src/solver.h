/*-------------------------------------------------------------------------
 *
 * solver.h
 *	  The search for versions of modules that stand together.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SOLVER_H
#define PUBLICDIGIT_SOLVER_H

#include "postgres.h"

#include "candidate.h"

/* How many conflicts the search may run into before it gives up. */
#define PD_SOLVER_MAX_CONFLICTS		1000

/* Why some values cannot stand together. */
typedef enum PdClashKind
{
	PD_CLASH_ASKED,				/* the module was asked for, in these versions */
	PD_CLASH_KEPT,				/* it is installed, and never downgraded */
	PD_CLASH_LANDLORD,			/* the landlord has it so, or has it not */
	PD_CLASH_TENANTS,			/* a module of tenants requires it */
	PD_CLASH_REQUIRED,			/* versions of a module require another's */
	PD_CLASH_LEARNED			/* follows from others */
} PdClashKind;

/* A module having one of some values: 0 for absent, 1 + N for candidate N. */
typedef struct PdTerm
{
	int			module;
	Bitmapset  *values;
} PdTerm;

/* Terms that cannot all hold. */
typedef struct PdClash
{
	PdClashKind kind;
	List	   *terms;			/* of PdTerm, each for another module */
	const PdRequirement *requirement;	/* where one is the cause */
	const char *by;				/* whose it is, for PD_CLASH_TENANTS */
	List	   *causes;			/* of PdClash, for PD_CLASH_LEARNED */
	bool		is_seen;		/* for whoever walks over causes, */
	bool		is_told;		/* and tells of them */
} PdClash;

typedef struct PdSolver PdSolver;

/* All of it in the current memory context. */
extern PdSolver *pd_solver_create(PdModules *modules);
extern void pd_solver_restrict(PdSolver *solver, PdClashKind kind, int module,
							   Bitmapset *values,
							   const PdRequirement *requirement,
							   const char *by);
extern void pd_solver_prefer(PdSolver *solver, int module, List *values);
extern void pd_solver_take_as_given(PdSolver *solver, int module);
extern PdClash *pd_solver_run(PdSolver *solver);

/* After pd_solver_run. */
extern int	pd_solver_chosen(const PdSolver *solver, int module);
extern const Bitmapset *pd_solver_allowed(const PdSolver *solver, int module);

#endif							/* PUBLICDIGIT_SOLVER_H */
