/*-------------------------------------------------------------------------
 *
 * resolver_report.c
 *	  Why no versions stand together, in words.
 *
 * The solver ends with a clash that follows from others.  Those among them
 * that come from the registry are the requirements to blame: they are told
 * from the asked-for module on, each module before what it requires.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "range.h"
#include "resolver_report.h"
#include "semver.h"

/* The most requirements that a detail names. */
#define MAX_SENTENCES	8

/* The most versions, and the most ranges, that are named one by one. */
#define MAX_VERSIONS	3

/* The clashes to blame, as they are told of. */
typedef struct Report
{
	const PdResolution *resolution;
	List	   *clashes;		/* of PdClash, in the order of telling */
	StringInfoData chain;
	int			nsentences;
	int			nomitted;
	Bitmapset  *subjects;		/* modules told of with their versions */
} Report;

/*
 * add_causes
 *		Append the clashes of the registry from which a clash follows.
 */
static List *
add_causes(List *clashes, PdClash *clash)
{
	ListCell   *lc;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (clash->is_seen)
		return clashes;
	clash->is_seen = true;
	if (clash->kind != PD_CLASH_LEARNED)
		return lappend(clashes, clash);
	foreach(lc, clash->causes)
		clashes = add_causes(clashes, lfirst(lc));
	return clashes;
}

/*
 * subject_of
 *		The module that a requirement is of, or that a restriction is about.
 */
static int
subject_of(const PdClash *clash)
{
	return ((const PdTerm *) linitial(clash->terms))->module;
}

/*
 * by_version
 *		list_sort comparator: requirements first, those of higher versions
 *		before others, then by the name of what is required.
 */
static int
by_version(const ListCell *a, const ListCell *b)
{
	const PdClash *one = lfirst(a);
	const PdClash *other = lfirst(b);
	const PdTerm *of_one = linitial(one->terms);
	const PdTerm *of_other = linitial(other->terms);
	int			order;

	if (one->kind != PD_CLASH_REQUIRED || other->kind != PD_CLASH_REQUIRED)
		return one->kind != other->kind ? (int) other->kind - (int) one->kind :
			subject_of(one) - subject_of(other);
	order = bms_next_member(of_one->values, -1) - bms_next_member(of_other->values, -1);
	if (order == 0)
		order = strcmp(one->requirement->module, other->requirement->module);
	return order != 0 ? order : subject_of(one) - subject_of(other);
}

/*
 * in_order
 *		The requirements to blame, each module's before those of what it
 *		requires, then what else is to blame.
 */
static List *
in_order(const PdResolution *resolution, List *clashes)
{
	List	   *modules = list_make1_int(resolution->asked);
	List	   *ordered = NIL;
	ListCell   *m;
	ListCell   *lc;

	list_sort(clashes, by_version);
	/* The list of modules grows while it is walked. */
	foreach(m, modules)
	{
		foreach(lc, clashes)
		{
			PdClash    *clash = lfirst(lc);

			if (clash->kind != PD_CLASH_REQUIRED || subject_of(clash) != lfirst_int(m))
				continue;
			ordered = list_append_unique_ptr(ordered, clash);
			modules = list_append_unique_int(modules,
											 pd_module_number(resolution->modules,
															  clash->requirement->module));
		}
	}
	return list_concat_unique_ptr(ordered, clashes);
}

/*
 * show_versions
 *		Some versions of a module, the lowest first.
 */
static char *
show_versions(const PdModule *module, const Bitmapset *values)
{
	StringInfoData text;
	int			total = 0;
	int			n = 0;
	int			lowest = -1;
	int			highest = -1;

	for (int i = module->ncandidates - 1; i >= 0; i--)
	{
		if (!bms_is_member(i + 1, values))
			continue;
		if (lowest < 0)
			lowest = i;
		highest = i;
		total++;
	}
	if (total > MAX_VERSIONS)
		return psprintf("%s to %s (%d versions)", module->candidates[lowest].version,
						module->candidates[highest].version, total);

	initStringInfo(&text);
	for (int i = lowest; i >= highest && i >= 0; i--)
	{
		if (!bms_is_member(i + 1, values))
			continue;
		if (n++ > 0)
			appendStringInfoString(&text, n == total ? " and " : ", ");
		appendStringInfo(&text, "%s%s", module->candidates[i].version,
						 i == module->installed ? " (installed)" : "");
	}
	return text.data;
}

/*
 * add_requirement
 *		Write that versions of a module require another one.  Many of them
 *		that do so in ever other ranges become one sentence.
 */
static void
add_requirement(Report *report, PdClash *clash)
{
	const PdResolution *resolution = report->resolution;
	int			number = subject_of(clash);
	const PdModule *module = &resolution->modules->modules[number];
	const PdTerm *term = linitial(clash->terms);
	Bitmapset  *values = bms_copy(term->values);
	List	   *others = NIL;
	bool		is_plural;
	ListCell   *lc;

	foreach(lc, report->clashes)
	{
		PdClash    *other = lfirst(lc);

		if (other == clash || other->kind != PD_CLASH_REQUIRED ||
			subject_of(other) != number ||
			strcmp(other->requirement->module, clash->requirement->module) != 0)
			continue;
		others = lappend(others, other);
	}
	if (list_length(others) < MAX_VERSIONS)
		others = NIL;
	foreach(lc, others)
	{
		PdClash    *other = lfirst(lc);

		other->is_told = true;
		term = linitial(other->terms);
		values = bms_add_members(values, term->values);
	}

	values = bms_int_members(values, pd_solver_allowed(resolution->solver, number));
	is_plural = bms_membership(values) == BMS_MULTIPLE;
	appendStringInfo(&report->chain, "%s %s", module->name,
					 show_versions(module, values));
	if (number == resolution->asked && !bms_is_member(number, report->subjects))
		appendStringInfo(&report->chain, ", which %s asked for,",
						 is_plural ? "were" : "was");
	appendStringInfo(&report->chain, " %s %s ", is_plural ? "require" : "requires",
					 clash->requirement->module);
	if (others != NIL)
		appendStringInfo(&report->chain, "in %d ranges, one of them ",
						 list_length(others) + 1);
	appendStringInfoString(&report->chain,
						   pd_range_show(clash->requirement->range));
	report->subjects = bms_add_member(report->subjects, number);
}

/*
 * add_restriction
 *		Write what a module is restricted to, unless that was said already;
 *		false where it was.
 */
static bool
add_restriction(Report *report, const PdClash *clash)
{
	int			number = subject_of(clash);
	const PdModule *module = &report->resolution->modules->modules[number];

	switch (clash->kind)
	{
		case PD_CLASH_ASKED:
			return false;
		case PD_CLASH_KEPT:
			if (bms_is_member(number, report->subjects))
				return false;
			appendStringInfo(&report->chain, "%s %s is installed", module->name,
							 module->candidates[module->installed].version);
			break;
		case PD_CLASH_LANDLORD:
			if (module->installed < 0)
				appendStringInfo(&report->chain, "%s is not installed for the landlord",
								 module->name);
			else
				appendStringInfo(&report->chain, "%s %s is installed for the landlord",
								 module->name,
								 module->candidates[module->installed].version);
			break;
		case PD_CLASH_TENANTS:
			appendStringInfo(&report->chain, "%s, which tenants have, requires %s %s",
							 clash->by, clash->requirement->module,
							 pd_range_show(clash->requirement->range));
			break;
		case PD_CLASH_REQUIRED:
		case PD_CLASH_LEARNED:
			pg_unreachable();
	}
	return true;
}

/*
 * make_report
 *		Put together which clashes are to blame, and tell of them.
 */
static void
make_report(Report *report, const PdResolution *resolution, PdClash *clash)
{
	ListCell   *lc;

	memset(report, 0, sizeof(Report));
	report->resolution = resolution;
	report->clashes = in_order(resolution, add_causes(NIL, clash));
	initStringInfo(&report->chain);
	foreach(lc, report->clashes)
	{
		PdClash    *cause = lfirst(lc);
		int			length = report->chain.len;

		if (cause->is_told)
			continue;
		if (report->nsentences == MAX_SENTENCES)
		{
			report->nomitted++;
			continue;
		}
		if (length > 0)
			appendStringInfoString(&report->chain, "; ");
		if (cause->kind == PD_CLASH_REQUIRED)
			add_requirement(report, cause);
		else if (!add_restriction(report, cause))
		{
			report->chain.len = length;
			report->chain.data[length] = '\0';
			continue;
		}
		report->nsentences++;
	}
	if (report->nomitted > 0)
		appendStringInfo(&report->chain, "; and %d more", report->nomitted);
	appendStringInfoChar(&report->chain, '.');
}

/*
 * registered_versions
 *		All versions of a module, the highest first.
 */
static char *
registered_versions(const PdModule *module)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < module->ncandidates; i++)
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "",
						 module->candidates[i].version);
	return text.data;
}

/*
 * pd_resolver_ensure_registered
 *		An error (42704) for a module of which no version is registered; chain
 *		tells who requires it, or is NULL.
 */
void
pd_resolver_ensure_registered(const PdResolution *resolution, int number,
							  const char *chain)
{
	const PdModule *module = &resolution->modules->modules[number];

	if (!module->is_registered)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("module \"%s\" is not registered", module->name),
				 chain == NULL ? 0 : errdetail("%s", chain),
				 errhint("Register it with publicdigit.register_module(); publicdigit.available_modules() lists what the server has.")));
}

/*
 * ensure_in_range
 *		An error (42704) for a requirement that no registered version meets.
 */
static void
ensure_in_range(const Report *report, const PdClash *clash)
{
	PdModules  *modules = report->resolution->modules;
	const PdRequirement *requirement = clash->requirement;
	int			number = pd_module_number(modules, requirement->module);
	PdModule   *module = &modules->modules[number];

	pd_resolver_ensure_registered(report->resolution, number, report->chain.data);
	if (bms_is_empty(pd_module_in_range(modules, number, requirement->range)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no registered version of module \"%s\" is in the range \"%s\"",
						requirement->module, pd_range_show(requirement->range)),
				 errdetail("%s Registered versions of %s: %s.", report->chain.data,
						   module->name, registered_versions(module)),
				 errhint("Register a version in that range, or one of the module that requires it with another range.")));
}

/*
 * call_that_mends
 *		The call by which the landlord gets a version that a range holds; it
 *		names one where the call would choose another by itself.
 */
static char *
call_that_mends(const char *function, const PdModule *module, const Bitmapset *holds)
{
	int			by_itself = 0;

	while (by_itself < module->ncandidates &&
		   pd_semver_is_prerelease(module->candidates[by_itself].version))
		by_itself++;
	if (bms_is_member(by_itself, holds))
		return psprintf("publicdigit.%s('%s')", function, module->name);
	return psprintf("publicdigit.%s('%s', version => '%s')", function, module->name,
					module->candidates[bms_next_member(holds, -1)].version);
}

/*
 * ensure_landlord_has
 *		An error (55000) for a requirement that the landlord's installed
 *		version of a module does not meet.
 */
static void
ensure_landlord_has(const Report *report, const PdClash *clash)
{
	const PdResolution *resolution = report->resolution;
	PdModules  *modules = resolution->modules;
	const PdRequirement *requirement = clash->requirement;
	int			number = pd_module_number(modules, requirement->module);
	const PdModule *module = &modules->modules[number];
	const char *by = modules->modules[subject_of(clash)].name;
	const Bitmapset *holds = pd_module_in_range(modules, number, requirement->range);

	if (module->context == resolution->target->context)
		return;
	if (module->installed < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" requires the landlord's module \"%s\", which is not installed",
						by, module->name),
				 errdetail("%s Installing for a tenant never changes the landlord.",
						   report->chain.data),
				 errhint("Run SELECT %s first.",
						 call_that_mends("install_module", module, holds))));
	if (!bms_is_member(module->installed, holds))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" requires the landlord's module \"%s\" in the range \"%s\", but version %s is installed",
						by, module->name, pd_range_show(requirement->range),
						module->candidates[module->installed].version),
				 errdetail("%s Installing for a tenant never changes the landlord.",
						   report->chain.data),
				 bms_next_member(holds, -1) < module->installed ?
				 errhint("Run SELECT %s first.",
						 call_that_mends("upgrade_module", module, holds)) :
				 errhint("Register a version of module \"%s\" that goes with the landlord's.", by)));
}

/*
 * pd_resolver_report
 *		Raise what the clash means with which the search has ended: 42704 for
 *		what is not registered, 55000 for a landlord's module or for
 *		requirements that contradict each other.
 */
void
pd_resolver_report(const PdResolution *resolution, PdClash *clash)
{
	const PdModule *module = &resolution->modules->modules[resolution->asked];
	Report		report;
	ListCell   *lc;

	make_report(&report, resolution, clash);
	foreach(lc, report.clashes)
	{
		if (((PdClash *) lfirst(lc))->kind == PD_CLASH_REQUIRED)
			ensure_in_range(&report, lfirst(lc));
	}
	foreach(lc, report.clashes)
	{
		if (((PdClash *) lfirst(lc))->kind == PD_CLASH_REQUIRED)
			ensure_landlord_has(&report, lfirst(lc));
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 resolution->version == NULL ?
			 errmsg("module \"%s\" cannot be installed for %s because requirements clash",
					module->name, pd_target_name(resolution->target)) :
			 errmsg("version %s of module \"%s\" cannot be installed for %s because requirements clash",
					resolution->version, module->name,
					pd_target_name(resolution->target)),
			 errdetail("%s", report.chain.data),
			 errhint("Upgrade or uninstall what stands in the way, or register versions that go together.")));
}
