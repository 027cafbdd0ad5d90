/*-------------------------------------------------------------------------
 *
 * semver.c
 *	  The extension semver's type, reached from C.
 *
 * The type orders versions; which texts are versions is decided here, by the
 * grammar of Semantic Versioning 2.0.  The type's input function reports
 * every bad text as an internal error, and its releases differ in what they
 * take.  Two things that the standard allows are refused, because the type
 * cannot order them: numbers that do not fit into 32 bits, and parts of a
 * prerelease that begin with a digit and are no number ("1.0.0-1a"), of which
 * it calls any two greater than each other.  What is left, every release of
 * the type accepts, prints back unchanged, and orders totally.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "catalog.h"
#include "semver.h"

/*
 * pd_semver_scan_number
 *		Read a whole number without leading zeros that fits into 32 bits.
 *
 * Returns the place after it; NULL where no such number stands.
 */
const char *
pd_semver_scan_number(const char *text, int32 *number)
{
	const char *p = text;
	int64		value = 0;

	while (*p >= '0' && *p <= '9')
	{
		value = value * 10 + (*p++ - '0');
		if (value > PG_INT32_MAX)
			return NULL;
	}
	if (p == text || (text[0] == '0' && p - text > 1))
		return NULL;

	*number = (int32) value;
	return p;
}

/*
 * scan_parts
 *		Read parts of letters, digits and hyphens with dots between them.
 *
 * Returns the place after the last one; NULL where a part is empty or, if
 * asked for, begins with a digit and is no number.
 */
static const char *
scan_parts(const char *text, bool check_numbers)
{
	const char *p = text;

	for (;;)
	{
		const char *start = p;
		int32		number;

		while ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
			   (*p >= 'A' && *p <= 'Z') || *p == '-')
			p++;
		if (p == start)
			return NULL;
		if (check_numbers && *start >= '0' && *start <= '9' &&
			pd_semver_scan_number(start, &number) != p)
			return NULL;
		if (*p != '.')
			return p;
		p++;
	}
}

/*
 * pd_semver_scan_prerelease
 *		Read what follows the hyphen after the patch number.
 *
 * Returns the place after it; NULL where it is malformed.
 */
const char *
pd_semver_scan_prerelease(const char *text)
{
	return scan_parts(text, true);
}

/*
 * pd_semver_scan_build
 *		Read what follows the plus sign.
 *
 * Returns the place after it; NULL where it is malformed.
 */
const char *
pd_semver_scan_build(const char *text)
{
	return scan_parts(text, false);
}

/*
 * pd_semver_is_valid
 *		Is this text a version, in full and with nothing around it?
 */
bool
pd_semver_is_valid(const char *text)
{
	const char *p = text;

	for (int i = 0; i < 3; i++)
	{
		int32		number;

		if (i > 0 && *p++ != '.')
			return false;
		p = pd_semver_scan_number(p, &number);
		if (p == NULL)
			return false;
	}
	if (*p == '-')
		p = pd_semver_scan_prerelease(p + 1);
	if (p != NULL && *p == '+')
		p = pd_semver_scan_build(p + 1);
	return p != NULL && *p == '\0';
}

/*
 * pd_semver_is_prerelease
 *		Is this valid version one?  A hyphen in the build does not count.
 */
bool
pd_semver_is_prerelease(const char *version)
{
	return version[strcspn(version, "-+")] == '-';
}

/*
 * pd_semver_type
 *		Look up the type's functions: it is that of the column in which the
 *		registry keeps versions, whatever schema it has been moved to.
 */
void
pd_semver_type(PdSemverType *type)
{
	Oid			relid = get_relname_relid("module_version",
										  pd_catalog()->schema);
	Oid			oid = get_atttype(relid, get_attnum(relid, "version"));
	TypeCacheEntry *entry;
	Oid			input;

	if (!OidIsValid(oid))
		elog(ERROR, "column %s.module_version.version is missing", PD_SCHEMA);
	entry = lookup_type_cache(oid, TYPECACHE_CMP_PROC_FINFO);
	if (!OidIsValid(entry->cmp_proc_finfo.fn_oid))
		elog(ERROR, "type %s has no btree operator class", format_type_be(oid));

	getTypeInputInfo(oid, &input, &type->ioparam);
	fmgr_info(input, &type->input);
	type->compare = &entry->cmp_proc_finfo;
	type->collation = entry->typcollation;
}

/*
 * pd_semver_value
 *		A valid version as the type has it, in the current memory context.
 */
Datum
pd_semver_value(PdSemverType *type, const char *version)
{
	return InputFunctionCall(&type->input, unconstify(char *, version),
							 type->ioparam, -1);
}

/*
 * pd_semver_compare_values
 *		Order two versions as the type's btree operator class does.
 *
 * Returns less than, equal to or greater than 0.  Versions that differ only
 * in their build are equal.
 */
int
pd_semver_compare_values(PdSemverType *type, Datum a, Datum b)
{
	return DatumGetInt32(FunctionCall2Coll(type->compare, type->collation, a, b));
}

/*
 * pd_semver_compare
 *		pd_semver_compare_values for two valid versions.
 */
int
pd_semver_compare(const char *a, const char *b)
{
	PdSemverType type;

	pd_semver_type(&type);
	return pd_semver_compare_values(&type, pd_semver_value(&type, a),
									pd_semver_value(&type, b));
}
