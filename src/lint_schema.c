/*-------------------------------------------------------------------------
 *
 * lint_schema.c
 *	  Rule for names that are qualified by a tenant's schema.
 *
 * A script that names the schema of the tenant that it was written for installs
 * there and nowhere else.  A tenant's schema is known by the form of its name:
 * where the module is registered, the tenant that it was written for may be
 * unknown.  Names in strings, DO blocks and functions are not looked at.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"

#include "lint_rule.h"

/*
 * look_at_schema
 *		Report a tenant's schema, the first time in a script.
 */
static void
look_at_schema(PdLint *lint, const char *schema)
{
	ListCell   *cell;

	/* As the registry has it. */
	if (schema == NULL || strncmp(schema, "tenant_", strlen("tenant_")) != 0 ||
		schema[strspn(schema, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
		return;
	foreach(cell, lint->findings)
	{
		const PdLintFinding *finding = lfirst(cell);

		if (finding->rule == PD_LINT_TENANT_SCHEMA && finding->script == lint->script &&
			strcmp(finding->object, schema) == 0)
			return;
	}
	pd_lint_report(lint, PD_LINT_TENANT_SCHEMA, NoLock, schema,
				   "schema \"%s\" is that of one tenant", schema);
}

/*
 * look_at_relation
 *		A relation; nothing where there is none.
 */
static void
look_at_relation(PdLint *lint, const RangeVar *relation)
{
	if (relation != NULL)
		look_at_schema(lint, relation->schemaname);
}

/*
 * look_at_names
 *		A name in parts, with the last ones less that name no schema: 1 for an
 *		object, 2 for what belongs to a table.
 */
static void
look_at_names(PdLint *lint, const List *names, int less)
{
	int			place = list_length(names) - less - 1;

	if (place >= 0 && IsA(list_nth(names, place), String))
		look_at_schema(lint, strVal(list_nth(names, place)));
}

/*
 * find_schemas
 *		Tree walker: the names of a query or an expression.
 */
static bool
find_schemas(Node *node, void *context)
{
	PdLint	   *lint = context;

	/* FOR UPDATE OF has names of the query's own FROM. */
	if (node == NULL || IsA(node, LockingClause))
		return false;
	if (IsA(node, RangeVar))
		look_at_relation(lint, (RangeVar *) node);
	else if (IsA(node, FuncCall))
		look_at_names(lint, ((FuncCall *) node)->funcname, 1);
	else if (IsA(node, TypeName))
		look_at_names(lint, ((TypeName *) node)->names, 1);
	return raw_expression_tree_walker(node, find_schemas, context);
}

/*
 * look_at_elements
 *		Columns, constraints, relations, and what LIKE names.
 */
static void
look_at_elements(PdLint *lint, const List *elements)
{
	ListCell   *cell;

	foreach(cell, elements)
	{
		Node	   *element = lfirst(cell);

		if (element == NULL)
			continue;
		switch (nodeTag(element))
		{
			case T_RangeVar:
				look_at_relation(lint, (RangeVar *) element);
				break;
			case T_TableLikeClause:
				look_at_relation(lint, ((TableLikeClause *) element)->relation);
				break;
			case T_ColumnDef:
				(void) find_schemas((Node *) ((ColumnDef *) element)->typeName, lint);
				look_at_elements(lint, ((ColumnDef *) element)->constraints);
				break;
			case T_Constraint:
				look_at_relation(lint, ((Constraint *) element)->pktable);
				(void) find_schemas(((Constraint *) element)->raw_expr, lint);
				break;
			default:
				break;
		}
	}
}

/*
 * look_at_drop
 *		What DROP names, in the way of each kind.
 */
static void
look_at_drop(PdLint *lint, const DropStmt *stmt)
{
	bool		is_of_table = stmt->removeType == OBJECT_POLICY ||
		stmt->removeType == OBJECT_RULE || stmt->removeType == OBJECT_TRIGGER;
	ListCell   *cell;

	foreach(cell, stmt->objects)
	{
		Node	   *object = lfirst(cell);

		if (IsA(object, List))
			look_at_names(lint, (List *) object, is_of_table ? 2 : 1);
		else if (IsA(object, TypeName))
			look_at_names(lint, ((TypeName *) object)->names, 1);
		else if (IsA(object, ObjectWithArgs))
			look_at_names(lint, ((ObjectWithArgs *) object)->objname, 1);
	}
}

/*
 * pd_lint_tenant_schema
 *		The rule for one statement.
 */
void
pd_lint_tenant_schema(PdLint *lint, Node *stmt)
{
	ListCell   *cell;

	switch (nodeTag(stmt))
	{
		case T_DeleteStmt:
		case T_InsertStmt:
		case T_MergeStmt:
		case T_SelectStmt:
		case T_UpdateStmt:
			(void) find_schemas(stmt, lint);
			break;
		case T_CreateStmt:
			look_at_relation(lint, ((CreateStmt *) stmt)->relation);
			look_at_elements(lint, ((CreateStmt *) stmt)->tableElts);
			look_at_elements(lint, ((CreateStmt *) stmt)->inhRelations);
			break;
		case T_CreateTableAsStmt:
			look_at_relation(lint, ((CreateTableAsStmt *) stmt)->into->rel);
			if (IsA(((CreateTableAsStmt *) stmt)->query, SelectStmt))
				(void) find_schemas(((CreateTableAsStmt *) stmt)->query, lint);
			break;
		case T_ViewStmt:
			look_at_relation(lint, ((ViewStmt *) stmt)->view);
			(void) find_schemas(((ViewStmt *) stmt)->query, lint);
			break;
		case T_AlterTableStmt:
			look_at_relation(lint, ((AlterTableStmt *) stmt)->relation);
			foreach(cell, ((AlterTableStmt *) stmt)->cmds)
				look_at_elements(lint, list_make1(lfirst_node(AlterTableCmd, cell)->def));
			break;
		case T_RenameStmt:
			look_at_relation(lint, ((RenameStmt *) stmt)->relation);
			break;
		case T_DropStmt:
			look_at_drop(lint, (DropStmt *) stmt);
			break;
		case T_TruncateStmt:
			look_at_elements(lint, ((TruncateStmt *) stmt)->relations);
			break;
		case T_LockStmt:
			look_at_elements(lint, ((LockStmt *) stmt)->relations);
			break;
		case T_IndexStmt:
			look_at_relation(lint, ((IndexStmt *) stmt)->relation);
			break;
		case T_CreateTrigStmt:
			look_at_relation(lint, ((CreateTrigStmt *) stmt)->relation);
			look_at_names(lint, ((CreateTrigStmt *) stmt)->funcname, 1);
			break;
		case T_CreatePolicyStmt:
			look_at_relation(lint, ((CreatePolicyStmt *) stmt)->table);
			break;
		case T_CreateSeqStmt:
			look_at_relation(lint, ((CreateSeqStmt *) stmt)->sequence);
			break;
		case T_AlterSeqStmt:
			look_at_relation(lint, ((AlterSeqStmt *) stmt)->sequence);
			break;
		case T_RefreshMatViewStmt:
			look_at_relation(lint, ((RefreshMatViewStmt *) stmt)->relation);
			break;
		case T_CreateFunctionStmt:
			look_at_names(lint, ((CreateFunctionStmt *) stmt)->funcname, 1);
			break;
		case T_CompositeTypeStmt:
			look_at_relation(lint, ((CompositeTypeStmt *) stmt)->typevar);
			break;
		case T_CreateEnumStmt:
			look_at_names(lint, ((CreateEnumStmt *) stmt)->typeName, 1);
			break;
		case T_CreateDomainStmt:
			look_at_names(lint, ((CreateDomainStmt *) stmt)->domainname, 1);
			break;
		default:
			break;
	}
}
