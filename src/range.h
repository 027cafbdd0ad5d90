/*-------------------------------------------------------------------------
 *
 * range.h
 *	  Ranges of versions, as npm writes them, over the type semver.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_RANGE_H
#define PUBLICDIGIT_RANGE_H

#include "postgres.h"

#include "semver.h"

typedef struct PdRange PdRange;

/* In the current memory context.  NULL, with *problem set, for no range. */
extern PdRange *pd_range_parse(const char *text, const char **problem);
extern bool pd_range_contains(PdRange *range, const char *version);

/* The same for many versions, after the range has been prepared for it. */
extern void pd_range_prepare(PdRange *range, PdSemverType *type);
extern bool pd_range_contains_value(const PdRange *range, PdSemverType *type,
									const char *version, Datum value);

extern const char *pd_range_show(const char *text);

#endif							/* PUBLICDIGIT_RANGE_H */
