/*-------------------------------------------------------------------------
 *
 * drift.h
 *	  What is otherwise than the installed versions would make it.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_DRIFT_H
#define PUBLICDIGIT_DRIFT_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "target.h"
#include "version.h"

/* One difference: a row of check_drift(). */
typedef struct PdDifference
{
	const char *module;			/* NULL for what was made by hand */
	const char *difference;		/* "missing", "extra", "changed", "unchecked" */
	const char *object;
	const char *expected;		/* or NULL */
	const char *actual;			/* or NULL */
} PdDifference;

/*
 * Must be called inside pd_spi_begin, with the target locked; the result is in
 * the current memory context.
 */
extern List *pd_drift_compare(const PdTarget *target, PdVersion *version,
							  List **objects);

#endif							/* PUBLICDIGIT_DRIFT_H */
