/*-------------------------------------------------------------------------
 *
 * solver.c
 *	  The search for versions of modules that stand together.
 *
 * Each module has a value: absent, or one of its candidates.  What is known are
 * clashes: terms ("members is at 1.0 or 1.1") that cannot all hold.  The solver takes decisions, the preferred
 * value of one module after the other, and after each draws the conclusions:
 * where all terms of a clash hold but one, that one is false, which narrows the
 * values left for its module.  Where all hold, a decision was wrong.  Then the
 * conclusions that led there are followed back to a new clash that says what
 * cannot stand together whatever else is chosen; the decisions that it does not
 * need are taken back, and the search goes on with one more thing known.
 * This is how SAT solvers learn, and how Dart's and Rust's package managers
 * choose versions.
 *
 * That keeps it fast where plain backtracking is not: a bad choice is not tried
 * again under every combination of choices that have nothing to do with it.
 * Without conflicts each of N modules is decided once, and each requirement of
 * a version that is looked at once narrows one module.  A conflict costs one
 * more round of conclusions.  Two hundred modules of twenty versions take some
 * 30 ms where the highest fit, and a few tenths of a second where every version
 * requires others in ranges drawn at random.  There are inputs on which any such
 * search takes exponential time, so it gives up after PD_SOLVER_MAX_CONFLICTS.
 *
 * Modules are decided in the order in which it became known that they cannot be
 * absent: what was restricted at the start first, in that order, then what is
 * required, the nearest first.  So the outcome depends on the input alone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"

#include "solver.h"

/* One narrowing of a module's values. */
typedef struct Step
{
	int			module;
	int			level;			/* number of decisions taken until then */
	Bitmapset  *values;			/* left from here on */
	int			before;			/* the module's step before; -1 for none */
	PdClash    *cause;			/* NULL for a decision */
} Step;

/* What the solver knows of a module. */
typedef struct Variable
{
	Bitmapset  *all;			/* its values before the first step */
	Bitmapset  *allowed;		/* those that pd_solver_restrict has left */
	List	   *preferred;		/* values; NIL: the highest first */
	bool		is_given;		/* its own requirements are no concern */
	int			last_step;		/* -1 for none */
	List	   *clashes;		/* of PdClash: those with a term for it */
	Bitmapset  *expanded;		/* candidates whose requirements are among them */
} Variable;

struct PdSolver
{
	PdModules  *modules;
	Variable   *variables;		/* one for each module */
	Step	   *steps;
	int			nsteps;
	int			maxsteps;
	int			done;			/* steps whose conclusions have been drawn */
	int			level;
	int			nconflicts;
};

/*
 * pd_solver_create
 *		A solver in which each module may have any value.
 */
PdSolver *
pd_solver_create(PdModules *modules)
{
	PdSolver   *solver = palloc0(sizeof(PdSolver));

	solver->modules = modules;
	solver->variables = palloc_extended(modules->nmodules * sizeof(Variable),
										MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);
	for (int i = 0; i < modules->nmodules; i++)
	{
		Variable   *variable = &solver->variables[i];

		variable->all = bms_add_range(NULL, 0, modules->modules[i].ncandidates);
		variable->allowed = variable->all;
		variable->last_step = -1;
	}
	solver->maxsteps = 64;
	solver->steps = palloc(solver->maxsteps * sizeof(Step));
	return solver;
}

/*
 * values_at
 *		The values that a module has left after a step, or before the first (-1).
 */
static Bitmapset *
values_at(const PdSolver *solver, int module, int step)
{
	return step < 0 ? solver->variables[module].all : solver->steps[step].values;
}

/*
 * values_now
 *		The values that a module has left.
 */
static Bitmapset *
values_now(const PdSolver *solver, int module)
{
	return values_at(solver, module, solver->variables[module].last_step);
}

/*
 * push_step
 *		Narrow a module's values, by decision or because of a clash.
 */
static void
push_step(PdSolver *solver, int module, Bitmapset *values, PdClash *cause)
{
	Step	   *step;

	if (solver->nsteps == solver->maxsteps)
	{
		solver->maxsteps *= 2;
		solver->steps = repalloc(solver->steps, solver->maxsteps * sizeof(Step));
	}
	step = &solver->steps[solver->nsteps];
	step->module = module;
	step->level = solver->level;
	step->values = values;
	step->before = solver->variables[module].last_step;
	step->cause = cause;
	solver->variables[module].last_step = solver->nsteps++;
}

/*
 * go_back
 *		Take back all decisions above a level, and what followed from them.
 *
 * Conclusions that were drawn late, from clashes found above that level, may
 * hold below it, so all are looked at again.
 */
static void
go_back(PdSolver *solver, int level)
{
	for (; solver->nsteps > 0; solver->nsteps--)
	{
		const Step *step = &solver->steps[solver->nsteps - 1];

		if (step->level <= level)
			break;
		solver->variables[step->module].last_step = step->before;
	}
	solver->level = level;
	solver->done = 0;
}

/*
 * term_for
 *		A clash's term for a module; NULL where it has none.
 */
static const PdTerm *
term_for(const PdClash *clash, int module)
{
	ListCell   *lc;

	foreach(lc, clash->terms)
	{
		if (((PdTerm *) lfirst(lc))->module == module)
			return lfirst(lc);
	}
	return NULL;
}

/*
 * add_term
 *		Append a term, which is always met and says nothing where it names all
 *		of a module's values.
 */
static void
add_term(const PdSolver *solver, PdClash *clash, int module, Bitmapset *values)
{
	PdTerm	   *term;

	if (bms_equal(values, solver->variables[module].all))
		return;
	term = palloc(sizeof(PdTerm));
	term->module = module;
	term->values = values;
	clash->terms = lappend(clash->terms, term);
}

/*
 * draw_conclusion
 *		See what follows from a clash now; false where all its terms hold.
 */
static bool
draw_conclusion(PdSolver *solver, PdClash *clash)
{
	const PdTerm *open = NULL;
	ListCell   *lc;

	foreach(lc, clash->terms)
	{
		const PdTerm *term = lfirst(lc);
		const Bitmapset *values = values_now(solver, term->module);

		if (bms_is_subset(values, term->values))
			continue;
		if (open != NULL || !bms_overlap(values, term->values))
			return true;
		open = term;
	}
	if (open == NULL)
		return false;

	push_step(solver, open->module,
			  bms_difference(values_now(solver, open->module), open->values), clash);
	return true;
}

/*
 * learn
 *		Add a clash and see what follows from it; false where all its terms
 *		hold.
 */
static bool
learn(PdSolver *solver, PdClash *clash)
{
	ListCell   *lc;

	foreach(lc, clash->terms)
	{
		const PdTerm *term = lfirst(lc);
		Variable   *variable = &solver->variables[term->module];

		variable->clashes = lappend(variable->clashes, clash);
	}
	return draw_conclusion(solver, clash);
}

/*
 * propagate
 *		Draw all conclusions; the clash whose terms all hold, or NULL.
 */
static PdClash *
propagate(PdSolver *solver)
{
	while (solver->done < solver->nsteps)
	{
		int			module = solver->steps[solver->done++].module;
		ListCell   *lc;

		foreach(lc, solver->variables[module].clashes)
		{
			if (!draw_conclusion(solver, lfirst(lc)))
				return lfirst(lc);
		}
	}
	return NULL;
}

/*
 * last_needed_step
 *		The step from which on all terms of a clash hold, and the level of the
 *		last one that any other term needs; -1 for a clash without terms.
 */
static int
last_needed_step(const PdSolver *solver, const PdClash *clash, int *other_level)
{
	int			last = -1;
	ListCell   *lc;

	*other_level = 0;
	foreach(lc, clash->terms)
	{
		const PdTerm *term = lfirst(lc);
		int			step = solver->variables[term->module].last_step;
		int			other;

		/* Back to the module's first step that leaves the term's values alone. */
		while (bms_is_subset(values_at(solver, term->module,
									   solver->steps[step].before), term->values))
			step = solver->steps[step].before;
		other = Min(last, step);
		last = Max(last, step);
		if (other >= 0)
			*other_level = Max(*other_level, solver->steps[other].level);
	}
	return last;
}

/*
 * combine
 *		What follows from two clashes that leave a module different values:
 *		the other terms of both cannot hold together, unless the module has a
 *		value that neither names.
 */
static PdClash *
combine(const PdSolver *solver, PdClash *one, PdClash *other, int module)
{
	PdClash    *result = palloc0(sizeof(PdClash));
	ListCell   *lc;

	result->kind = PD_CLASH_LEARNED;
	result->causes = list_make2(one, other);
	foreach(lc, one->terms)
	{
		const PdTerm *term = lfirst(lc);
		const PdTerm *twin = term_for(other, term->module);

		if (twin == NULL)
			add_term(solver, result, term->module, term->values);
		else if (term->module == module)
			add_term(solver, result, module, bms_union(term->values, twin->values));
		else
			add_term(solver, result, term->module,
					 bms_intersect(term->values, twin->values));
	}
	foreach(lc, other->terms)
	{
		const PdTerm *term = lfirst(lc);

		if (term_for(one, term->module) == NULL)
			add_term(solver, result, term->module, term->values);
	}
	return result;
}

/*
 * resolve_conflict
 *		Learn from a clash whose terms all hold, and take back what it takes.
 *
 * Returns NULL, or the clash without terms that says that nothing stands
 * together.
 */
static PdClash *
resolve_conflict(PdSolver *solver, PdClash *clash)
{
	int			other_level;
	int			last;

	if (++solver->nconflicts > PD_SOLVER_MAX_CONFLICTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the search for versions that fit together takes too long"),
				 errdetail("It was given up after %d conflicts.",
						   PD_SOLVER_MAX_CONFLICTS),
				 errhint("Name the version to install, or unregister versions that nobody needs.")));

	while ((last = last_needed_step(solver, clash, &other_level)) >= 0)
	{
		const Step *step = &solver->steps[last];

		CHECK_FOR_INTERRUPTS();
		if (other_level < step->level)
		{
			go_back(solver, other_level);
			(void) (clash->kind == PD_CLASH_LEARNED ?
					learn(solver, clash) : draw_conclusion(solver, clash));
			return NULL;
		}
		clash = combine(solver, clash, step->cause, step->module);
	}
	return clash;
}

/*
 * is_required_the_same
 *		Do two versions of a module require another one in the same range?
 */
static bool
is_required_the_same(PdCandidate *candidate, const PdRequirement *requirement)
{
	ListCell   *lc;

	foreach(lc, pd_candidate_requires(candidate))
	{
		const PdRequirement *other = lfirst(lc);

		if (strcmp(other->module, requirement->module) == 0)
			return strcmp(other->range, requirement->range) == 0;
	}
	return false;
}

/*
 * values_outside
 *		The values of a module that a range does not hold: absence, and the
 *		other candidates.
 */
static Bitmapset *
values_outside(const PdSolver *solver, int number, const char *range)
{
	PdModule   *module = &solver->modules->modules[number];
	const Bitmapset *holds = pd_module_in_range(solver->modules, number, range);
	Bitmapset  *values = bms_make_singleton(0);

	for (int i = 0; i < module->ncandidates; i++)
	{
		if (!bms_is_member(i, holds))
			values = bms_add_member(values, i + 1);
	}
	return values;
}

/*
 * expand
 *		Learn what a version requires; a clash whose terms all hold, or NULL.
 *
 * One clash stands for all versions that require the same, so that a conflict
 * over one of them is not run into again with the next.
 */
static PdClash *
expand(PdSolver *solver, int number, int place)
{
	PdModule   *module = &solver->modules->modules[number];
	Variable   *variable = &solver->variables[number];
	PdClash    *conflict = NULL;
	ListCell   *lc;

	foreach(lc, pd_candidate_requires(&module->candidates[place]))
	{
		const PdRequirement *requirement = lfirst(lc);
		PdClash    *clash = palloc0(sizeof(PdClash));
		Bitmapset  *values = NULL;
		bool		is_known = false;
		int			required = pd_module_number(solver->modules, requirement->module);

		for (int i = 0; i < module->ncandidates && !is_known; i++)
		{
			if (!bms_is_member(i + 1, variable->allowed) ||
				!is_required_the_same(&module->candidates[i], requirement))
				continue;
			values = bms_add_member(values, i + 1);
			is_known = bms_is_member(i, variable->expanded);
		}
		if (is_known)
			continue;

		clash->kind = PD_CLASH_REQUIRED;
		clash->requirement = requirement;
		add_term(solver, clash, number, values);
		add_term(solver, clash, required,
				 values_outside(solver, required, requirement->range));
		if (!learn(solver, clash) && conflict == NULL)
			conflict = clash;
	}
	variable->expanded = bms_add_member(variable->expanded, place);
	return conflict;
}

/*
 * preferred_value
 *		The first of the values that a module has left.
 */
static int
preferred_value(const PdSolver *solver, int module)
{
	const Bitmapset *values = values_now(solver, module);
	ListCell   *lc;

	foreach(lc, solver->variables[module].preferred)
	{
		if (bms_is_member(lfirst_int(lc), values))
			return lfirst_int(lc);
	}
	return bms_next_member(values, -1);
}

/*
 * decide
 *		Give the next module its value.
 *
 * Returns false where none is left that must be present and is undecided.
 * *conflict is set to a clash whose terms all hold then, or to NULL.
 */
static bool
decide(PdSolver *solver, PdClash **conflict)
{
	for (int i = 0; i < solver->nsteps; i++)
	{
		int			module = solver->steps[i].module;
		Variable   *variable = &solver->variables[module];
		Bitmapset  *values = values_now(solver, module);
		bool		is_open = bms_membership(values) == BMS_MULTIPLE;
		int			value;

		if (bms_is_member(0, values))
			continue;
		value = preferred_value(solver, module);
		if (!is_open &&
			(variable->is_given || bms_is_member(value - 1, variable->expanded)))
			continue;

		if (is_open)
		{
			solver->level++;
			push_step(solver, module, bms_make_singleton(value), NULL);
		}
		*conflict = expand(solver, module, value - 1);
		return true;
	}
	return false;
}

/*
 * pd_solver_restrict
 *		Let a module have only some of its values, for a reason that clashes
 *		tell of afterwards.
 */
void
pd_solver_restrict(PdSolver *solver, PdClashKind kind, int module,
				   Bitmapset *values, const PdRequirement *requirement,
				   const char *by)
{
	Variable   *variable = &solver->variables[module];
	PdClash    *clash = palloc0(sizeof(PdClash));

	clash->kind = kind;
	clash->requirement = requirement;
	clash->by = by;
	add_term(solver, clash, module, bms_difference(variable->all, values));
	variable->allowed = bms_intersect(variable->allowed, values);
	/* Where it clashes, pd_solver_run finds that by the step before it. */
	(void) learn(solver, clash);
}

/*
 * pd_solver_prefer
 *		The order in which a module's values are tried, an integer list.
 */
void
pd_solver_prefer(PdSolver *solver, int module, List *values)
{
	solver->variables[module].preferred = values;
}

/*
 * pd_solver_take_as_given
 *		What a module itself requires is no concern.
 */
void
pd_solver_take_as_given(PdSolver *solver, int module)
{
	solver->variables[module].is_given = true;
}

/*
 * pd_solver_run
 *		Choose a value for every module.
 *
 * Returns NULL, or a clash without terms, whose causes tell why there is no
 * choice.  Errors: 54000 where the search takes too long.
 */
PdClash *
pd_solver_run(PdSolver *solver)
{
	for (;;)
	{
		PdClash    *clash = propagate(solver);

		CHECK_FOR_INTERRUPTS();
		if (clash == NULL && !decide(solver, &clash))
			return NULL;
		if (clash != NULL)
		{
			clash = resolve_conflict(solver, clash);
			if (clash != NULL)
				return clash;
		}
	}
}

/*
 * pd_solver_chosen
 *		The candidate chosen of a module; -1 where it is to be absent.
 */
int
pd_solver_chosen(const PdSolver *solver, int module)
{
	const Bitmapset *values = values_now(solver, module);

	return bms_is_member(0, values) ? -1 : bms_singleton_member(values) - 1;
}

/*
 * pd_solver_allowed
 *		The values that pd_solver_restrict has left a module.
 */
const Bitmapset *
pd_solver_allowed(const PdSolver *solver, int module)
{
	return solver->variables[module].allowed;
}
