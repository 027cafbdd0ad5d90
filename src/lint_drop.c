/*-------------------------------------------------------------------------
 *
 * lint_drop.c
 *	  Rules for DROP, RENAME and TRUNCATE.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"

#include "lint_rule.h"
#include "protect.h"

/* What DROP means for one kind of object. */
typedef struct DropRule
{
	ObjectType	type;			/* of the statement */
	ObjectType	noted_as;
	PdLintRuleId rule;
	LOCKMODE	lock;
	const char *kind;			/* what findings call it */
	const char *loss;
} DropRule;

static const DropRule drop_rules[] = {
	{OBJECT_TABLE, OBJECT_TABLE, PD_LINT_DROP_TABLE, AccessExclusiveLock, "table", " with its rows"},
	{OBJECT_SEQUENCE, OBJECT_SEQUENCE, PD_LINT_DROP_SEQUENCE, AccessExclusiveLock, "sequence", " with its position"},
	{OBJECT_VIEW, OBJECT_VIEW, PD_LINT_DROP_VIEW, AccessExclusiveLock, "view", ""},
	{OBJECT_MATVIEW, OBJECT_MATVIEW, PD_LINT_DROP_VIEW, AccessExclusiveLock, "materialized view", ""},
	{OBJECT_INDEX, OBJECT_INDEX, PD_LINT_DROP_INDEX, AccessExclusiveLock, "index", ", and nobody reads or writes its table meanwhile"},
	{OBJECT_FUNCTION, OBJECT_FUNCTION, PD_LINT_DROP_FUNCTION, NoLock, "function", ""},
	{OBJECT_PROCEDURE, OBJECT_FUNCTION, PD_LINT_DROP_FUNCTION, NoLock, "procedure", ""},
	{OBJECT_ROUTINE, OBJECT_FUNCTION, PD_LINT_DROP_FUNCTION, NoLock, "routine", ""},
	{OBJECT_AGGREGATE, OBJECT_FUNCTION, PD_LINT_DROP_FUNCTION, NoLock, "aggregate", ""},
	{OBJECT_TYPE, OBJECT_TYPE, PD_LINT_DROP_TYPE, NoLock, "type", ""},
	{OBJECT_DOMAIN, OBJECT_TYPE, PD_LINT_DROP_TYPE, NoLock, "domain", ""},
};

/*
 * name_of
 *		What an object is called, whose name the grammar writes in the way of
 *		its kind.
 */
static const char *
name_of(const PdLint *lint, Node *object)
{
	List	   *names = IsA(object, ObjectWithArgs) ? ((ObjectWithArgs *) object)->objname :
		IsA(object, TypeName) ? ((TypeName *) object)->names : castNode(List, object);

	return pd_lint_name(lint, makeRangeVarFromNameList(names));
}

/*
 * drop_of_table
 *		DROP TRIGGER, RULE and POLICY: the table's name comes first.
 */
static void
drop_of_table(PdLint *lint, const DropStmt *stmt, List *names)
{
	const char *kind = stmt->removeType == OBJECT_TRIGGER ? "trigger" : "rule";
	const char *name = strVal(llast(names));
	const char *table = name_of(lint, (Node *) list_truncate(list_copy(names),
															 list_length(names) - 1));
	const char *object = psprintf("table \"%s\"", table);

	if (stmt->removeType == OBJECT_POLICY)
	{
		/* The other may give way to permissive ones of the module's own. */
		if (strcmp(name, PD_POLICY_TENANT) == 0)
			pd_lint_report(lint, PD_LINT_TENANT_POLICY, NoLock, object,
						   "policy \"%s\" of table \"%s\" is dropped", name, table);
	}
	else if (!pd_lint_has_made(lint, OBJECT_TABLE, NULL, table) &&
			 !pd_lint_has_made(lint, stmt->removeType, table, name))
		pd_lint_report(lint, PD_LINT_DROP_TRIGGER, AccessExclusiveLock, object,
					   "%s \"%s\" of table \"%s\" is dropped", kind, name, table);
}

/*
 * drop_object
 *		DROP of what has a name of its own.
 */
static void
drop_object(PdLint *lint, const DropStmt *stmt, const DropRule *rule, const char *name)
{
	const char *object = psprintf("%s \"%s\"", rule->kind, name);

	if (!pd_lint_has_made(lint, rule->noted_as, NULL, name))
	{
		pd_lint_report(lint, rule->rule, rule->lock, object,
					   "%s is dropped%s", object, rule->loss);
		if (stmt->behavior == DROP_CASCADE)
			pd_lint_report(lint, PD_LINT_DROP_CASCADE, rule->lock, object,
						   "whatever depends on %s is dropped too", object);
	}
	pd_lint_forget(lint, rule->noted_as, NULL, name);
	if (rule->type == OBJECT_TABLE)
	{
		pd_lint_forget_check(lint, name, NULL);
		pd_lint_retract(lint, PD_LINT_TENANT_ID_MISSING, object);
		pd_lint_retract(lint, PD_LINT_TENANT_ID_TYPE, object);
		pd_lint_retract(lint, PD_LINT_TENANT_ID_NULL, object);
	}
}

/*
 * pd_lint_drop
 *		DROP.
 */
void
pd_lint_drop(PdLint *lint, const DropStmt *stmt)
{
	ListCell   *cell;

	foreach(cell, stmt->objects)
	{
		if (stmt->removeType == OBJECT_TRIGGER || stmt->removeType == OBJECT_RULE ||
			stmt->removeType == OBJECT_POLICY)
		{
			drop_of_table(lint, stmt, lfirst_node(List, cell));
			continue;
		}
		for (int i = 0; i < lengthof(drop_rules); i++)
		{
			if (drop_rules[i].type == stmt->removeType)
				drop_object(lint, stmt, &drop_rules[i], name_of(lint, lfirst(cell)));
		}
	}
}

/*
 * rename_table
 *		A table gets another name.
 */
static void
rename_table(PdLint *lint, const RenameStmt *stmt, const char *table)
{
	RangeVar	renamed = *stmt->relation;

	if (!pd_lint_has_made(lint, OBJECT_TABLE, NULL, table))
	{
		pd_lint_report(lint, PD_LINT_RENAME_TABLE, AccessExclusiveLock,
					   psprintf("table \"%s\"", table),
					   "table \"%s\" is renamed, which code that runs does not know", table);
		return;
	}
	renamed.relname = stmt->newname;
	pd_lint_forget(lint, OBJECT_TABLE, NULL, table);
	pd_lint_note(lint, OBJECT_TABLE, NULL, pd_lint_name(lint, &renamed));
}

/*
 * rename_column
 *		A column gets another name.
 */
static void
rename_column(PdLint *lint, const RenameStmt *stmt, const char *table)
{
	const char *object = psprintf("table \"%s\"", table);

	if (!pd_lint_has_made(lint, stmt->relationType, NULL, table))
		pd_lint_report(lint, PD_LINT_RENAME_COLUMN, AccessExclusiveLock, object,
					   "column \"%s\" of table \"%s\" is renamed, which code that runs does not know",
					   stmt->subname, table);
	if (stmt->relationType != OBJECT_TABLE || !pd_lint_is_tenant_table(lint, stmt->relation))
		return;
	if (strcmp(stmt->newname, PD_TENANT_COLUMN) == 0)
		pd_lint_retract(lint, PD_LINT_TENANT_ID_MISSING, object);
	if (strcmp(stmt->subname, PD_TENANT_COLUMN) == 0)
		pd_lint_report(lint, PD_LINT_TENANT_ID_MISSING, NoLock, object,
					   "table \"%s\" has no column \"%s\"", table, PD_TENANT_COLUMN);
}

/*
 * rename_object
 *		Something that is no table gets another name.
 */
static void
rename_object(PdLint *lint, ObjectType type, LOCKMODE lock, const char *kind,
			  const char *name)
{
	const char *object = psprintf("%s \"%s\"", kind, name);

	if (!pd_lint_has_made(lint, type, NULL, name))
		pd_lint_report(lint, PD_LINT_RENAME_OBJECT, lock, object,
					   "%s is renamed, which code that runs does not know", object);
}

/*
 * pd_lint_rename
 *		RENAME.  Constraints, indexes and triggers are not named by code.
 */
void
pd_lint_rename(PdLint *lint, const RenameStmt *stmt)
{
	const char *name = stmt->relation != NULL ? pd_lint_name(lint, stmt->relation) : NULL;

	switch (stmt->renameType)
	{
		case OBJECT_TABLE:
			rename_table(lint, stmt, name);
			break;
		case OBJECT_COLUMN:
			rename_column(lint, stmt, name);
			break;
		case OBJECT_VIEW:
			rename_object(lint, OBJECT_VIEW, AccessExclusiveLock, "view", name);
			break;
		case OBJECT_MATVIEW:
			rename_object(lint, OBJECT_MATVIEW, AccessExclusiveLock, "materialized view", name);
			break;
		case OBJECT_SEQUENCE:
			rename_object(lint, OBJECT_SEQUENCE, AccessExclusiveLock, "sequence", name);
			break;
		case OBJECT_ATTRIBUTE:
			rename_object(lint, OBJECT_TYPE, NoLock, "an attribute of type", name);
			break;
		case OBJECT_FUNCTION:
		case OBJECT_PROCEDURE:
		case OBJECT_ROUTINE:
		case OBJECT_AGGREGATE:
			rename_object(lint, OBJECT_FUNCTION, NoLock, "function", name_of(lint, stmt->object));
			break;
		case OBJECT_TYPE:
		case OBJECT_DOMAIN:
			rename_object(lint, OBJECT_TYPE, NoLock, "type", name_of(lint, stmt->object));
			break;
		case OBJECT_POLICY:
			if (strcmp(stmt->subname, PD_POLICY_TENANT) == 0)
				pd_lint_report(lint, PD_LINT_TENANT_POLICY, NoLock, psprintf("table \"%s\"", name),
							   "policy \"%s\" of table \"%s\" is renamed", stmt->subname, name);
			break;
		default:
			break;
	}
}

/*
 * pd_lint_truncate
 *		TRUNCATE.
 */
void
pd_lint_truncate(PdLint *lint, const TruncateStmt *stmt)
{
	ListCell   *cell;

	foreach(cell, stmt->relations)
	{
		const char *table = pd_lint_name(lint, lfirst_node(RangeVar, cell));
		const char *object = psprintf("table \"%s\"", table);

		if (pd_lint_has_made(lint, OBJECT_TABLE, NULL, table))
			continue;
		pd_lint_report(lint, PD_LINT_TRUNCATE, AccessExclusiveLock, object,
					   "all rows of table \"%s\" are removed", table);
		if (stmt->behavior == DROP_CASCADE)
			pd_lint_report(lint, PD_LINT_DROP_CASCADE, AccessExclusiveLock, object,
						   "the rows of all tables that refer to table \"%s\" are removed too", table);
	}
}
