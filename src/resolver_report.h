/*-------------------------------------------------------------------------
 *
 * resolver_report.h
 *	  Why no versions stand together, in words.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_RESOLVER_REPORT_H
#define PUBLICDIGIT_RESOLVER_REPORT_H

#include "postgres.h"

#include "compat.h"
#include "solver.h"
#include "target.h"

/* What is asked for, and what there is to choose from. */
typedef struct PdResolution
{
	const PdTarget *target;
	const char *version;		/* NULL for the highest */
	PdModules  *modules;
	int			asked;			/* the module's number among them */
	PdSolver   *solver;
} PdResolution;

extern void pd_resolver_ensure_registered(const PdResolution *resolution,
										  int number, const char *chain);
pg_noreturn extern void pd_resolver_report(const PdResolution *resolution,
										   PdClash *clash);

#endif							/* PUBLICDIGIT_RESOLVER_REPORT_H */
