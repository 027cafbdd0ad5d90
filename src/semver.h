/*-------------------------------------------------------------------------
 *
 * semver.h
 *	  The extension semver's type, reached from C.
 *
 * Its schema is whatever the database's owner chose, so nothing here goes
 * through a search_path.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SEMVER_H
#define PUBLICDIGIT_SEMVER_H

#include "postgres.h"

#include "fmgr.h"

/* The type's functions, looked up once for many versions. */
typedef struct PdSemverType
{
	FmgrInfo	input;
	Oid			ioparam;
	FmgrInfo   *compare;
	Oid			collation;
} PdSemverType;

/* For the detail of errors about a version that is none. */
#define PD_SEMVER_RULE \
	"a version is MAJOR.MINOR.PATCH, whole numbers without leading zeros up to 2147483647, with an optional -PRERELEASE and +BUILD; a part of the prerelease that begins with a digit is a whole number too"

extern bool pd_semver_is_valid(const char *text);
extern bool pd_semver_is_prerelease(const char *version);
extern int	pd_semver_compare(const char *a, const char *b);

/* The same for many versions, each of which is read once. */
extern void pd_semver_type(PdSemverType *type);
extern Datum pd_semver_value(PdSemverType *type, const char *version);
extern int	pd_semver_compare_values(PdSemverType *type, Datum a, Datum b);

/* Pieces of a version; they return the place after it, NULL where none is. */
extern const char *pd_semver_scan_number(const char *text, int32 *number);
extern const char *pd_semver_scan_prerelease(const char *text);
extern const char *pd_semver_scan_build(const char *text);

#endif							/* PUBLICDIGIT_SEMVER_H */
