/*-------------------------------------------------------------------------
 *
 * lint_made.c
 *	  What the migrations so far have made: objects of the version that is
 *	  linted, which nobody uses yet, and checks that a column is not null.
 *
 * Migrations are looked at in the order in which they run, so that DROP TABLE
 * followed by CREATE TABLE of the same name drops a table that was there, and
 * the other way round one that nobody knows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "catalog.h"
#include "lint_rule.h"

/*
 * pd_lint_name
 *		What a relation is called in findings, and known by here: without a
 *		schema where it is that of the module.
 */
char *
pd_lint_name(const PdLint *lint, const RangeVar *relation)
{
	if (relation->schemaname == NULL ||
		(lint->source->manifest->context == PD_LANDLORD &&
		 strcmp(relation->schemaname, PD_LANDLORD_SCHEMA) == 0))
		return relation->relname;
	return psprintf("%s.%s", relation->schemaname, relation->relname);
}

/*
 * is_object
 *		Is this the object of that kind and name?
 */
static bool
is_object(const PdLintObject *object, ObjectType type, const char *table,
		  const char *name)
{
	return object->type == type && strcmp(object->name, name) == 0 &&
		(table == NULL || strcmp(object->table, table) == 0);
}

/*
 * pd_lint_note
 *		Remember what the version that is linted has made.  table is that of
 *		a trigger or a constraint, or NULL.
 */
void
pd_lint_note(PdLint *lint, ObjectType type, const char *table, const char *name)
{
	MemoryContext old;
	PdLintObject *object;

	if (!lint->is_new || pd_lint_has_made(lint, type, table, name))
		return;
	old = MemoryContextSwitchTo(lint->memory);
	object = palloc0(sizeof(PdLintObject));
	object->type = type;
	object->table = table == NULL ? NULL : pstrdup(table);
	object->name = pstrdup(name);
	lint->objects = lappend(lint->objects, object);
	MemoryContextSwitchTo(old);
}

/*
 * pd_lint_forget
 *		The object is gone, or has another name now.
 */
void
pd_lint_forget(PdLint *lint, ObjectType type, const char *table, const char *name)
{
	ListCell   *cell;

	foreach(cell, lint->objects)
	{
		if (is_object(lfirst(cell), type, table, name))
			lint->objects = foreach_delete_current(lint->objects, cell);
	}
}

/*
 * pd_lint_has_made
 *		Has the version that is linted made this object?
 */
bool
pd_lint_has_made(const PdLint *lint, ObjectType type, const char *table,
				 const char *name)
{
	ListCell   *cell;

	foreach(cell, lint->objects)
	{
		if (is_object(lfirst(cell), type, table, name))
			return true;
	}
	return false;
}

/*
 * pd_lint_note_check
 *		Remember that a constraint keeps a column from being null.
 */
void
pd_lint_note_check(PdLint *lint, const char *table, const char *column,
				   const Constraint *constraint)
{
	MemoryContext old = MemoryContextSwitchTo(lint->memory);
	PdLintCheck *check = palloc(sizeof(PdLintCheck));

	check->table = pstrdup(table);
	check->column = pstrdup(column);
	/* The name that the server chooses, unless it is taken. */
	check->constraint = constraint->conname != NULL ? pstrdup(constraint->conname) :
		psprintf("%s_%s_check", table, column);
	check->is_valid = !constraint->skip_validation;
	lint->checks = lappend(lint->checks, check);
	MemoryContextSwitchTo(old);
}

/*
 * pd_lint_validate_check
 *		A constraint has been validated.
 */
void
pd_lint_validate_check(PdLint *lint, const char *table, const char *constraint)
{
	ListCell   *cell;

	foreach(cell, lint->checks)
	{
		PdLintCheck *check = lfirst(cell);

		if (strcmp(check->table, table) == 0 &&
			strcmp(check->constraint, constraint) == 0)
			check->is_valid = true;
	}
}

/*
 * pd_lint_forget_check
 *		A constraint is gone, or with constraint NULL all of the table's.
 */
void
pd_lint_forget_check(PdLint *lint, const char *table, const char *constraint)
{
	ListCell   *cell;

	foreach(cell, lint->checks)
	{
		PdLintCheck *check = lfirst(cell);

		if (strcmp(check->table, table) == 0 &&
			(constraint == NULL || strcmp(check->constraint, constraint) == 0))
			lint->checks = foreach_delete_current(lint->checks, cell);
	}
}

/*
 * pd_lint_is_checked
 *		Is a column known not to be null by a valid constraint?
 */
bool
pd_lint_is_checked(const PdLint *lint, const char *table, const char *column)
{
	ListCell   *cell;

	foreach(cell, lint->checks)
	{
		PdLintCheck *check = lfirst(cell);

		if (check->is_valid && strcmp(check->table, table) == 0 &&
			strcmp(check->column, column) == 0)
			return true;
	}
	return false;
}
