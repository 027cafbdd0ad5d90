/*-------------------------------------------------------------------------
 *
 * range.c
 *	  Ranges of versions, as npm writes them, over the type semver.
 *
 *	range      = set *( "||" set )
 *	set        = partial " - " partial | *( simple )
 *	simple     = [ "<" | "<=" | ">" | ">=" | "=" | "~" | "~>" | "^" ] partial
 *	partial    = [ "v" ] part [ "." part [ "." part ["-" prerelease] ["+" build] ] ]
 *	part       = number | "x" | "X" | "*"
 *
 * A number may not follow an open part ("1.x.3"), nor a second operator the
 * first ("^=1.2"): npm takes some of these, with meanings nobody would guess.
 *
 * Each set becomes a list of comparators, "less than" or "greater than" with
 * or without "equal", all of which a version must meet; the range contains a
 * version that some set does.  An empty list, what "*" and an empty text
 * become, is met by every version that is no prerelease.
 *
 * The upper bound of a span is written with the prerelease "0", the least one
 * there is, so that ^1.2 does not reach prereleases of 2.0.0.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"

#include "range.h"
#include "semver.h"

typedef enum CompareOp
{
	OP_LT,
	OP_LE,
	OP_GT,
	OP_GE,
	OP_EQ
} CompareOp;

typedef struct Comparator
{
	CompareOp	op;
	char	   *version;
	int			core_length;	/* of "MAJOR.MINOR.PATCH" in it */
	Datum		value;			/* the version, by pd_range_prepare */
} Comparator;

struct PdRange
{
	List	   *sets;			/* of List of Comparator */
};

typedef enum SimpleOp
{
	SIMPLE_NONE,
	SIMPLE_LT,
	SIMPLE_LE,
	SIMPLE_GT,
	SIMPLE_GE,
	SIMPLE_EQ,
	SIMPLE_TILDE,
	SIMPLE_CARET
} SimpleOp;

/* A version of which the last numbers may be open: "1", "1.2.x", "1.2.3-rc.1" */
typedef struct Partial
{
	int			known;			/* leading numbers that are given, 0 to 3 */
	int32		number[3];		/* 0 where not given */
	char	   *prerelease;		/* NULL where there is none */
} Partial;

/* The three characters that npm's users type for an open number. */
#define IS_OPEN(c)	((c) == 'x' || (c) == 'X' || (c) == '*')

static const char *
skip_spaces(const char *p)
{
	while (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		p++;
	return p;
}

/*
 * scan_partial
 *		Read a partial version.
 *
 * Returns the place after it, which is the end, white space or "||"; NULL
 * where no partial version stands.
 */
static const char *
scan_partial(const char *p, Partial *partial)
{
	int			parts = 0;
	bool		open = false;

	memset(partial, 0, sizeof(Partial));
	if (*p == 'v')
		p++;
	do
	{
		if (parts > 0)
			p++;
		if (IS_OPEN(*p))
		{
			open = true;
			p++;
		}
		else
		{
			int32		number;

			p = pd_semver_scan_number(p, &number);
			/* One more than it may be needed as an upper bound. */
			if (p == NULL || number == PG_INT32_MAX || open)
				return NULL;
			partial->number[partial->known++] = number;
		}
		parts++;
	} while (parts < 3 && *p == '.');

	if (parts == 3 && *p == '-')
	{
		const char *start = p + 1;

		p = pd_semver_scan_prerelease(start);
		if (p == NULL)
			return NULL;
		if (partial->known == 3)
			partial->prerelease = pnstrdup(start, p - start);
	}
	if (parts == 3 && *p == '+')
	{
		p = pd_semver_scan_build(p + 1);
		if (p == NULL)
			return NULL;
	}
	if (*p != '\0' && skip_spaces(p) == p && strncmp(p, "||", 2) != 0)
		return NULL;
	return p;
}

/*
 * scan_operator
 *		Read what stands before a partial version.
 *
 * Returns the place after it and after the white space that follows it.
 */
static const char *
scan_operator(const char *p, SimpleOp *op)
{
	static const struct
	{
		const char *text;
		SimpleOp	op;
	}			operators[] = {
		{"<=", SIMPLE_LE},
		{"<", SIMPLE_LT},
		{">=", SIMPLE_GE},
		{">", SIMPLE_GT},
		{"=", SIMPLE_EQ},
		{"~>", SIMPLE_TILDE},
		{"~", SIMPLE_TILDE},
		{"^", SIMPLE_CARET}
	};

	for (int i = 0; i < (int) lengthof(operators); i++)
	{
		size_t		length = strlen(operators[i].text);

		if (strncmp(p, operators[i].text, length) == 0)
		{
			*op = operators[i].op;
			return skip_spaces(p + length);
		}
	}
	*op = SIMPLE_NONE;
	return p;
}

/*
 * add_comparator
 *		Append a comparator to a set.
 *
 * ">=0.0.0" is left out, since npm takes it for "*": a set of nothing else
 * counts as "*" beside other sets, too.
 */
static void
add_comparator(List **set, CompareOp op, const int32 number[3],
			   const char *prerelease)
{
	Comparator *comparator;
	char	   *core;

	if (op == OP_GE && prerelease == NULL &&
		number[0] == 0 && number[1] == 0 && number[2] == 0)
		return;

	core = psprintf("%d.%d.%d", number[0], number[1], number[2]);
	comparator = palloc(sizeof(Comparator));
	comparator->op = op;
	comparator->core_length = strlen(core);
	comparator->version = prerelease == NULL ? core :
		psprintf("%s-%s", core, prerelease);
	*set = lappend(*set, comparator);
}

/*
 * add_upper_bound
 *		Append "less than" the next version in which the number at this
 *		position is one higher.
 */
static void
add_upper_bound(List **set, const Partial *partial, int position)
{
	int32		number[3] = {0, 0, 0};

	for (int i = 0; i <= position; i++)
		number[i] = partial->number[i];
	number[position]++;
	add_comparator(set, OP_LT, number, "0");
}

/*
 * add_span
 *		Append "from this version, as long as the numbers up to this position
 *		are the same"; everything where nothing is given.
 */
static void
add_span(List **set, const Partial *partial, int position)
{
	if (partial->known == 0)
		return;
	add_comparator(set, OP_GE, partial->number, partial->prerelease);
	add_upper_bound(set, partial, Min(position, partial->known - 1));
}

/*
 * caret_position
 *		The number that ^ holds fast: the first that is not zero, or the last
 *		that is given.
 */
static int
caret_position(const Partial *partial)
{
	int			position = 0;

	while (position < partial->known - 1 && partial->number[position] == 0)
		position++;
	return position;
}

/*
 * add_nothing
 *		Append what no version meets: less than the least one.
 */
static void
add_nothing(List **set)
{
	static const int32 zero[3] = {0, 0, 0};

	add_comparator(set, OP_LT, zero, "0");
}

/*
 * add_simple
 *		Append an operator and its partial version.
 */
static void
add_simple(List **set, SimpleOp op, const Partial *partial)
{
	bool		full = partial->known == 3;
	bool		any = partial->known == 0;

	switch (op)
	{
		case SIMPLE_NONE:
		case SIMPLE_EQ:
			if (full)
				add_comparator(set, OP_EQ, partial->number, partial->prerelease);
			else
				add_span(set, partial, 2);
			break;
		case SIMPLE_TILDE:
			add_span(set, partial, 1);
			break;
		case SIMPLE_CARET:
			add_span(set, partial, caret_position(partial));
			break;
		case SIMPLE_LT:
			/* Below 1.2 means below its prereleases as well. */
			add_comparator(set, OP_LT, partial->number,
						   full ? partial->prerelease : "0");
			break;
		case SIMPLE_GE:
			add_comparator(set, OP_GE, partial->number, partial->prerelease);
			break;
		case SIMPLE_LE:
			if (full)
				add_comparator(set, OP_LE, partial->number, partial->prerelease);
			else if (!any)
				add_upper_bound(set, partial, partial->known - 1);
			break;
		case SIMPLE_GT:
			if (full)
				add_comparator(set, OP_GT, partial->number, partial->prerelease);
			else if (any)
				add_nothing(set);
			else
			{
				int32		number[3];

				memcpy(number, partial->number, sizeof(number));
				number[partial->known - 1]++;
				add_comparator(set, OP_GE, number, NULL);
			}
			break;
	}
}

/*
 * scan_hyphen_range
 *		Read "partial - partial" and append it to a set.
 *
 * Returns the place after it; NULL where no such range stands.
 */
static const char *
scan_hyphen_range(const char *p, List **set)
{
	Partial		from;
	Partial		to;

	p = scan_partial(p, &from);
	if (p == NULL || skip_spaces(p) == p)
		return NULL;
	p = skip_spaces(p);
	if (*p != '-' || skip_spaces(p + 1) == p + 1)
		return NULL;
	p = scan_partial(skip_spaces(p + 1), &to);
	if (p == NULL)
		return NULL;

	add_simple(set, SIMPLE_GE, &from);
	add_simple(set, SIMPLE_LE, &to);
	return p;
}

/*
 * scan_set
 *		Read one alternative up to "||" or the end.
 *
 * Returns the place after it; NULL, with *bad set to the place that cannot be
 * read, where it is malformed.
 */
static const char *
scan_set(const char *p, List **set, const char **bad)
{
	const char *end;

	p = skip_spaces(p);
	end = scan_hyphen_range(p, set);
	if (end != NULL)
	{
		end = skip_spaces(end);
		if (*end == '\0' || strncmp(end, "||", 2) == 0)
			return end;
		*bad = end;
		return NULL;
	}

	while (*p != '\0' && strncmp(p, "||", 2) != 0)
	{
		SimpleOp	op;
		Partial		partial;

		CHECK_FOR_INTERRUPTS();
		end = scan_partial(scan_operator(p, &op), &partial);
		if (end == NULL)
		{
			*bad = p;
			return NULL;
		}
		add_simple(set, op, &partial);
		p = skip_spaces(end);
	}
	return p;
}

/*
 * pd_range_parse
 *		Read a range.
 *
 * Returns it in the current memory context; NULL, with *problem set to what
 * an error may say of it, where it is malformed.
 */
PdRange *
pd_range_parse(const char *text, const char **problem)
{
	PdRange    *range = palloc0(sizeof(PdRange));
	const char *p = text;

	for (;;)
	{
		List	   *set = NIL;
		const char *bad;

		p = scan_set(p, &set, &bad);
		if (p == NULL)
		{
			*problem = psprintf("cannot be read from character %d on",
								pg_mbstrlen_with_len(text, bad - text) + 1);
			return NULL;
		}
		/* NIL, "*", stands in a list as well as any other. */
		range->sets = lappend(range->sets, set);
		if (*p == '\0')
			return range;
		p += strlen("||");
	}
}

/*
 * comparator_is_met
 *		Does a version stand to the comparator's as its operator says?
 */
static bool
comparator_is_met(const Comparator *comparator, PdSemverType *type, Datum value)
{
	int			order = pd_semver_compare_values(type, value, comparator->value);

	switch (comparator->op)
	{
		case OP_LT:
			return order < 0;
		case OP_LE:
			return order <= 0;
		case OP_GT:
			return order > 0;
		case OP_GE:
			return order >= 0;
		case OP_EQ:
			return order == 0;
	}
	pg_unreachable();
}

/*
 * admits_prerelease
 *		Does a comparator name a prerelease of the same MAJOR.MINOR.PATCH?
 *
 * Only then does somebody want prereleases of that version.
 */
static bool
admits_prerelease(const List *set, const char *version)
{
	int			core_length = strcspn(version, "-+");
	ListCell   *lc;

	foreach(lc, set)
	{
		const Comparator *comparator = lfirst(lc);

		if (comparator->version[comparator->core_length] == '-' &&
			comparator->core_length == core_length &&
			strncmp(comparator->version, version, core_length) == 0)
			return true;
	}
	return false;
}

/*
 * set_contains
 *		Does a version meet every comparator of a set?
 */
static bool
set_contains(const List *set, PdSemverType *type, const char *version, Datum value)
{
	ListCell   *lc;

	foreach(lc, set)
	{
		if (!comparator_is_met(lfirst(lc), type, value))
			return false;
	}
	return !pd_semver_is_prerelease(version) || admits_prerelease(set, version);
}

/*
 * pd_range_prepare
 *		Read the versions that a range names, in the current memory context.
 */
void
pd_range_prepare(PdRange *range, PdSemverType *type)
{
	ListCell   *set;
	ListCell   *lc;

	foreach(set, range->sets)
	{
		foreach(lc, (List *) lfirst(set))
		{
			Comparator *comparator = lfirst(lc);

			comparator->value = pd_semver_value(type, comparator->version);
		}
	}
}

/*
 * pd_range_contains_value
 *		Does a valid version lie in a prepared range?
 *
 * As with npm, a set that is "*" outweighs the others, so that "* || 2.0.0-rc.1"
 * contains no prerelease either.
 */
bool
pd_range_contains_value(const PdRange *range, PdSemverType *type,
						const char *version, Datum value)
{
	ListCell   *lc;

	foreach(lc, range->sets)
	{
		if (lfirst(lc) == NIL)
			return set_contains(NIL, type, version, value);
	}
	foreach(lc, range->sets)
	{
		if (set_contains(lfirst(lc), type, version, value))
			return true;
	}
	return false;
}

/*
 * pd_range_contains
 *		Does a valid version lie in a range?
 */
bool
pd_range_contains(PdRange *range, const char *version)
{
	PdSemverType type;

	pd_semver_type(&type);
	pd_range_prepare(range, &type);
	return pd_range_contains_value(range, &type, version,
								   pd_semver_value(&type, version));
}

/*
 * pd_range_show
 *		A range for messages, where an empty one could not be seen.
 */
const char *
pd_range_show(const char *text)
{
	return *skip_spaces(text) == '\0' ? "*" : text;
}
