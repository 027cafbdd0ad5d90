/*-------------------------------------------------------------------------
 *
 * lint_statement.c
 *	  Rules by kind of statement; tables, DROP and what is refused have files
 *	  of their own.
 *
 * What a DO block or a function does is a string to the parser, and not
 * looked at.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "commands/defrem.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"

#include "lint_rule.h"
#include "protect.h"

/*
 * is_made
 *		Has this version made the table?
 */
static bool
is_made(const PdLint *lint, const RangeVar *relation)
{
	return pd_lint_has_made(lint, OBJECT_TABLE, NULL, pd_lint_name(lint, relation));
}

/*
 * object_of
 *		What findings call a table.
 */
static const char *
object_of(const PdLint *lint, const RangeVar *relation)
{
	return psprintf("table \"%s\"", pd_lint_name(lint, relation));
}

/*
 * note_names
 *		Remember an object by the parts of its name.
 */
static void
note_names(PdLint *lint, ObjectType type, List *names)
{
	pd_lint_note(lint, type, NULL, pd_lint_name(lint, makeRangeVarFromNameList(names)));
}

/*
 * find_writes
 *		Tree walker: DELETE and UPDATE of all rows, in CTEs too.
 */
static bool
find_writes(Node *node, void *context)
{
	PdLint	   *lint = context;

	if (node == NULL)
		return false;
	if (IsA(node, DeleteStmt))
	{
		const DeleteStmt *stmt = (DeleteStmt *) node;

		if (stmt->whereClause == NULL && !is_made(lint, stmt->relation))
			pd_lint_report(lint, PD_LINT_DELETE_WITHOUT_WHERE, RowExclusiveLock,
						   object_of(lint, stmt->relation),
						   "all rows of %s are deleted", object_of(lint, stmt->relation));
	}
	else if (IsA(node, UpdateStmt))
	{
		const UpdateStmt *stmt = (UpdateStmt *) node;

		if (stmt->whereClause == NULL && !is_made(lint, stmt->relation))
			pd_lint_report(lint, PD_LINT_UPDATE_WITHOUT_WHERE, RowExclusiveLock,
						   object_of(lint, stmt->relation),
						   "all rows of %s are written anew, and locked until the upgrade ends",
						   object_of(lint, stmt->relation));
	}
	return raw_expression_tree_walker(node, find_writes, context);
}

/*
 * find_option
 *		An option by its name, or NULL.
 */
static DefElem *
find_option(const List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0)
			return option;
	}
	return NULL;
}

/*
 * options_of_view
 *		What the options of CREATE VIEW, or (is_set) of ALTER VIEW ... SET, make of a
 *		view that the manifest lets the app role read.  CREATE OR REPLACE takes away
 *		what it does not set.
 */
static void
options_of_view(PdLint *lint, const char *view, const List *options, bool is_set)
{
	const char *object = psprintf("view \"%s\"", view);
	DefElem    *option = find_option(options, "security_invoker");
	bool		is_invoker = false;

	if (!pd_manifest_has_view(lint->source->manifest, view))
		return;
	/* Where it is no boolean, running it is an error anyway. */
	if (option != NULL && option->arg == NULL)
		is_invoker = true;
	else if (option != NULL)
		(void) parse_bool(defGetString(option), &is_invoker);
	if (is_invoker)
		pd_lint_retract(lint, PD_LINT_SECURITY_INVOKER, object);
	else if (option != NULL || !is_set)
		pd_lint_report(lint, PD_LINT_SECURITY_INVOKER, NoLock, object,
					   "%s would be read with the privileges of its owner", object);
}

/*
 * alter_view
 *		ALTER VIEW: what it does to the options.
 */
static void
alter_view(PdLint *lint, const AlterTableStmt *stmt)
{
	ListCell   *cell;

	foreach(cell, stmt->cmds)
	{
		const AlterTableCmd *cmd = lfirst_node(AlterTableCmd, cell);
		const char *view = pd_lint_name(lint, stmt->relation);

		if (cmd->subtype == AT_SetRelOptions)
			options_of_view(lint, view, castNode(List, cmd->def), true);
		else if (cmd->subtype == AT_ResetRelOptions &&
				 find_option(castNode(List, cmd->def), "security_invoker") != NULL)
			options_of_view(lint, view, NIL, false);
	}
}

/*
 * create_table_as
 *		CREATE TABLE AS and CREATE MATERIALIZED VIEW.
 */
static void
create_table_as(PdLint *lint, const CreateTableAsStmt *stmt)
{
	const char *name = pd_lint_name(lint, stmt->into->rel);

	if (stmt->objtype == OBJECT_MATVIEW &&
		pd_manifest_has_view(lint->source->manifest, name))
		pd_lint_report(lint, PD_LINT_SECURITY_INVOKER, NoLock, psprintf("view \"%s\"", name),
					   "view \"%s\" is a materialized one, which the app role cannot be given", name);
	if (stmt->objtype == OBJECT_TABLE)
		pd_lint_create_table_as(lint, stmt->into,
								IsA(stmt->query, SelectStmt) ? (SelectStmt *) stmt->query : NULL);
	if (!stmt->if_not_exists || !lint->is_upgrade)
		pd_lint_note(lint, stmt->objtype, NULL, name);
}

/*
 * select_statement
 *		SELECT: what it writes in CTEs, and SELECT INTO, which stands with the
 *		first query of a set operation.
 */
static void
select_statement(PdLint *lint, SelectStmt *stmt)
{
	const SelectStmt *first = stmt;

	(void) find_writes((Node *) stmt, lint);
	while (first->op != SETOP_NONE)
		first = first->larg;
	if (first->intoClause == NULL)
		return;
	pd_lint_create_table_as(lint, first->intoClause, first);
	pd_lint_note(lint, OBJECT_TABLE, NULL, pd_lint_name(lint, first->intoClause->rel));
}

/*
 * create_index
 *		CREATE INDEX.
 */
static void
create_index(PdLint *lint, const IndexStmt *stmt)
{
	RangeVar	index = *stmt->relation;

	if (!is_made(lint, stmt->relation))
		pd_lint_report(lint, PD_LINT_CREATE_INDEX, ShareLock, object_of(lint, stmt->relation),
					   "CREATE INDEX keeps writers off %s until the upgrade ends",
					   object_of(lint, stmt->relation));
	else if (stmt->idxname != NULL)
	{
		index.relname = stmt->idxname;
		pd_lint_note(lint, OBJECT_INDEX, NULL, pd_lint_name(lint, &index));
	}
}

/*
 * create_trigger
 *		CREATE TRIGGER.
 */
static void
create_trigger(PdLint *lint, const CreateTrigStmt *stmt)
{
	const char *table = pd_lint_name(lint, stmt->relation);

	if (!is_made(lint, stmt->relation))
		pd_lint_report(lint, PD_LINT_CREATE_TRIGGER, ShareRowExclusiveLock,
					   object_of(lint, stmt->relation),
					   "CREATE TRIGGER keeps writers off table \"%s\" until the upgrade ends", table);
	if (!stmt->replace)
		pd_lint_note(lint, OBJECT_TRIGGER, table, stmt->trigname);
}

/*
 * lock_tables
 *		LOCK TABLE, in a mode that others notice.
 */
static void
lock_tables(PdLint *lint, const LockStmt *stmt)
{
	ListCell   *cell;

	if (stmt->mode <= RowExclusiveLock)
		return;
	foreach(cell, stmt->relations)
	{
		const RangeVar *relation = lfirst_node(RangeVar, cell);

		if (!is_made(lint, relation))
			pd_lint_report(lint, PD_LINT_LOCK_TABLE, stmt->mode, object_of(lint, relation),
						   "LOCK TABLE holds %s until the upgrade ends", object_of(lint, relation));
	}
}

/*
 * alter_enum
 *		ALTER TYPE of an enum.
 */
static void
alter_enum(PdLint *lint, const AlterEnumStmt *stmt)
{
	const char *type = pd_lint_name(lint, makeRangeVarFromNameList(stmt->typeName));
	const char *object = psprintf("type \"%s\"", type);

	if (pd_lint_has_made(lint, OBJECT_TYPE, NULL, type))
		return;
	if (stmt->oldVal != NULL)
		pd_lint_report(lint, PD_LINT_RENAME_ENUM_VALUE, NoLock, object,
					   "value \"%s\" of %s is renamed, which code that runs does not know",
					   stmt->oldVal, object);
	else
		pd_lint_report(lint, PD_LINT_ADD_ENUM_VALUE, NoLock, object,
					   "value \"%s\" is added to %s", stmt->newVal, object);
}

/*
 * alter_domain
 *		ALTER DOMAIN: what is checked in all tables with a column of it.
 */
static void
alter_domain(PdLint *lint, const AlterDomainStmt *stmt)
{
	const char *domain = pd_lint_name(lint, makeRangeVarFromNameList(stmt->typeName));
	bool		is_checked = stmt->subtype == 'O' || stmt->subtype == 'V' ||
		(stmt->subtype == 'C' && !castNode(Constraint, stmt->def)->skip_validation);

	if (is_checked && !pd_lint_has_made(lint, OBJECT_TYPE, NULL, domain))
		pd_lint_report(lint, PD_LINT_DOMAIN_CONSTRAINT, ShareLock,
					   psprintf("tables with a column of domain \"%s\"", domain),
					   "all rows of all tables with a column of domain \"%s\" are read", domain);
}

/*
 * has_safe_path
 *		Does SET search_path end with pg_temp, and name it nowhere else?  FROM
 *		CURRENT takes the path of scripts, which does.
 */
static bool
has_safe_path(const VariableSetStmt *set)
{
	ListCell   *cell;
	bool		is_safe = false;

	if (set->name == NULL || strcmp(set->name, "search_path") != 0)
		return false;
	if (set->kind == VAR_SET_CURRENT)
		return true;
	if (set->kind != VAR_SET_VALUE)
		return false;
	foreach(cell, set->args)
	{
		A_Const    *schema = lfirst_node(A_Const, cell);

		if (is_safe)
			return false;
		is_safe = !schema->isnull && IsA(&schema->val, String) &&
			strcmp(strVal(&schema->val), "pg_temp") == 0;
	}
	return is_safe;
}

/*
 * function_options
 *		SECURITY DEFINER needs a path of its own, here or by ALTER FUNCTION.
 */
static void
function_options(PdLint *lint, List *names, List *options)
{
	const char *object = psprintf("function \"%s\"",
								  pd_lint_name(lint, makeRangeVarFromNameList(names)));
	bool		is_definer = false;
	bool		has_path = false;
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, "security") == 0)
			is_definer = boolVal(option->arg);
		else if (strcmp(option->defname, "set") == 0 &&
				 has_safe_path((VariableSetStmt *) option->arg))
			has_path = true;
	}
	if (has_path)
		pd_lint_retract(lint, PD_LINT_SECURITY_DEFINER, object);
	else if (is_definer)
		pd_lint_report(lint, PD_LINT_SECURITY_DEFINER, NoLock, object,
					   "%s is SECURITY DEFINER and has no search_path that ends with pg_temp",
					   object);
}

/*
 * policy
 *		CREATE POLICY and ALTER POLICY: the installer's own stay as they are.
 */
static void
policy(PdLint *lint, const RangeVar *relation, const char *name)
{
	if (strcmp(name, PD_POLICY_TENANT) == 0 || strcmp(name, PD_POLICY_BOUND) == 0)
		pd_lint_report(lint, PD_LINT_TENANT_POLICY, NoLock, object_of(lint, relation),
					   "policy \"%s\" of %s is the installer's", name, object_of(lint, relation));
}

/*
 * refresh
 *		REFRESH MATERIALIZED VIEW.
 */
static void
refresh(PdLint *lint, const RefreshMatViewStmt *stmt)
{
	const char *view = pd_lint_name(lint, stmt->relation);

	if (!stmt->concurrent && !pd_lint_has_made(lint, OBJECT_MATVIEW, NULL, view))
		pd_lint_report(lint, PD_LINT_REFRESH_MATERIALIZED_VIEW, AccessExclusiveLock,
					   psprintf("materialized view \"%s\"", view),
					   "nobody reads materialized view \"%s\" while it is filled", view);
}

/*
 * pd_lint_statement
 *		All rules for one statement.
 */
void
pd_lint_statement(PdLint *lint, Node *stmt)
{
	if (pd_lint_refused(lint, stmt))
		return;

	switch (nodeTag(stmt))
	{
		case T_CreateStmt:
			pd_lint_create_table(lint, (CreateStmt *) stmt);
			break;
		case T_CreateTableAsStmt:
			create_table_as(lint, (CreateTableAsStmt *) stmt);
			break;
		case T_AlterTableStmt:
			pd_lint_alter_table(lint, (AlterTableStmt *) stmt);
			alter_view(lint, (AlterTableStmt *) stmt);
			break;
		case T_DropStmt:
			pd_lint_drop(lint, (DropStmt *) stmt);
			break;
		case T_RenameStmt:
			pd_lint_rename(lint, (RenameStmt *) stmt);
			break;
		case T_TruncateStmt:
			pd_lint_truncate(lint, (TruncateStmt *) stmt);
			break;
		case T_SelectStmt:
			select_statement(lint, (SelectStmt *) stmt);
			break;
		case T_DeleteStmt:
		case T_InsertStmt:
		case T_MergeStmt:
		case T_UpdateStmt:
			(void) find_writes(stmt, lint);
			break;
		case T_IndexStmt:
			create_index(lint, (IndexStmt *) stmt);
			break;
		case T_CreateTrigStmt:
			create_trigger(lint, (CreateTrigStmt *) stmt);
			break;
		case T_LockStmt:
			lock_tables(lint, (LockStmt *) stmt);
			break;
		case T_RefreshMatViewStmt:
			refresh(lint, (RefreshMatViewStmt *) stmt);
			break;
		case T_AlterEnumStmt:
			alter_enum(lint, (AlterEnumStmt *) stmt);
			break;
		case T_AlterDomainStmt:
			alter_domain(lint, (AlterDomainStmt *) stmt);
			break;
		case T_CreatePolicyStmt:
			policy(lint, ((CreatePolicyStmt *) stmt)->table, ((CreatePolicyStmt *) stmt)->policy_name);
			break;
		case T_AlterPolicyStmt:
			policy(lint, ((AlterPolicyStmt *) stmt)->table, ((AlterPolicyStmt *) stmt)->policy_name);
			break;
		case T_CreateFunctionStmt:
			function_options(lint, ((CreateFunctionStmt *) stmt)->funcname,
							 ((CreateFunctionStmt *) stmt)->options);
			if (!((CreateFunctionStmt *) stmt)->replace)
				note_names(lint, OBJECT_FUNCTION, ((CreateFunctionStmt *) stmt)->funcname);
			break;
		case T_AlterFunctionStmt:
			function_options(lint, ((AlterFunctionStmt *) stmt)->func->objname,
							 ((AlterFunctionStmt *) stmt)->actions);
			break;
		case T_ViewStmt:
			options_of_view(lint, pd_lint_name(lint, ((ViewStmt *) stmt)->view),
							((ViewStmt *) stmt)->options, false);
			if (!((ViewStmt *) stmt)->replace)
				pd_lint_note(lint, OBJECT_VIEW, NULL, pd_lint_name(lint, ((ViewStmt *) stmt)->view));
			break;
		case T_CreateSeqStmt:
			if (!((CreateSeqStmt *) stmt)->if_not_exists || !lint->is_upgrade)
				pd_lint_note(lint, OBJECT_SEQUENCE, NULL,
							 pd_lint_name(lint, ((CreateSeqStmt *) stmt)->sequence));
			break;
		case T_CompositeTypeStmt:
			pd_lint_note(lint, OBJECT_TYPE, NULL,
						 pd_lint_name(lint, ((CompositeTypeStmt *) stmt)->typevar));
			break;
		case T_CreateEnumStmt:
			note_names(lint, OBJECT_TYPE, ((CreateEnumStmt *) stmt)->typeName);
			break;
		case T_CreateRangeStmt:
			note_names(lint, OBJECT_TYPE, ((CreateRangeStmt *) stmt)->typeName);
			break;
		case T_CreateDomainStmt:
			note_names(lint, OBJECT_TYPE, ((CreateDomainStmt *) stmt)->domainname);
			break;
		default:
			break;
	}
}
