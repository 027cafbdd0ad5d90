/*-------------------------------------------------------------------------
 *
 * lint_table.c
 *	  Rules for CREATE TABLE and ALTER TABLE.
 *
 * How strong a lock ALTER TABLE takes, the server says itself, so that it is
 * right in every version: it takes the strongest that any of the statement's
 * commands needs, before the first of them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/tablecmds.h"
#include "nodes/nodeFuncs.h"

#include "catalog.h"
#include "compat.h"
#include "lint_rule.h"
#include "protect.h"

/*
 * note_checks
 *		Remember the columns that a constraint keeps from being null.
 */
static void
note_checks(PdLint *lint, const char *table, const Constraint *constraint,
			Node *condition)
{
	if (IsA(condition, BoolExpr) && ((BoolExpr *) condition)->boolop == AND_EXPR)
	{
		ListCell   *cell;

		foreach(cell, ((BoolExpr *) condition)->args)
			note_checks(lint, table, constraint, lfirst(cell));
	}
	else if (IsA(condition, NullTest) &&
			 ((NullTest *) condition)->nulltesttype == IS_NOT_NULL &&
			 IsA(((NullTest *) condition)->arg, ColumnRef))
	{
		Node	   *column = llast(((ColumnRef *) ((NullTest *) condition)->arg)->fields);

		if (IsA(column, String))
			pd_lint_note_check(lint, table, strVal(column), constraint);
	}
}

/*
 * look_at_constraint
 *		What holds for a constraint of a new and of an old table alike.
 */
static void
look_at_constraint(PdLint *lint, const RangeVar *relation, const char *column,
				   const Constraint *constraint)
{
	const char *table = pd_lint_name(lint, relation);

	if (constraint->contype == CONSTR_FOREIGN && lint->is_new &&
		pd_lint_is_tenant_table(lint, relation))
		pd_lint_foreign_key(lint, table, column, constraint);
	/* The owner role may not refer to them. */
	if (constraint->contype == CONSTR_FOREIGN && constraint->pktable->schemaname != NULL &&
		strcmp(constraint->pktable->schemaname, PD_SCHEMA) == 0)
		pd_lint_report(lint, PD_LINT_REFERENCE_REGISTRY, NoLock, psprintf("table \"%s\"", table),
					   "a foreign key of table \"%s\" refers to \"%s.%s\", which no module script may",
					   table, PD_SCHEMA, constraint->pktable->relname);
	if (constraint->contype == CONSTR_CHECK && pd_is_enforced(constraint))
		note_checks(lint, table, constraint, constraint->raw_expr);
}

/*
 * look_at_column
 *		The same for a column.
 */
static void
look_at_column(PdLint *lint, const RangeVar *relation, const ColumnDef *column)
{
	ListCell   *cell;

	if (strcmp(column->colname, PD_TENANT_COLUMN) == 0 &&
		pd_lint_is_tenant_table(lint, relation))
		pd_lint_tenant_column(lint, pd_lint_name(lint, relation), column);
	foreach(cell, column->constraints)
		look_at_constraint(lint, relation, column->colname, lfirst(cell));
}

/*
 * report_missing
 *		A table that holds rows of tenants has no column that says whose.
 */
static void
report_missing(PdLint *lint, const char *table)
{
	pd_lint_report(lint, PD_LINT_TENANT_ID_MISSING, NoLock,
				   psprintf("table \"%s\"", table),
				   "table \"%s\" has no column \"%s\"", table, PD_TENANT_COLUMN);
}

/*
 * note_table
 *		A table is new.  With IF NOT EXISTS it may be that of a version
 *		before.
 */
static void
note_table(PdLint *lint, const char *table, bool if_not_exists)
{
	if (!if_not_exists || !lint->is_upgrade)
		pd_lint_note(lint, OBJECT_TABLE, NULL, table);
}

/*
 * pd_lint_create_table
 *		CREATE TABLE.
 */
void
pd_lint_create_table(PdLint *lint, const CreateStmt *stmt)
{
	const char *table = pd_lint_name(lint, stmt->relation);
	bool		may_have_tenant = stmt->inhRelations != NIL || stmt->ofTypename != NULL;
	ListCell   *cell;

	note_table(lint, table, stmt->if_not_exists);
	if (stmt->partbound != NULL)
	{
		const char *parent = pd_lint_name(lint, linitial_node(RangeVar, stmt->inhRelations));

		if (!pd_lint_has_made(lint, OBJECT_TABLE, NULL, parent))
			pd_lint_report(lint, PD_LINT_CREATE_PARTITION, AccessExclusiveLock,
						   psprintf("table \"%s\"", parent),
						   "CREATE TABLE ... PARTITION OF keeps others from reading table \"%s\"",
						   parent);
	}
	foreach(cell, stmt->tableElts)
	{
		Node	   *element = lfirst(cell);

		if (IsA(element, ColumnDef))
		{
			const ColumnDef *column = (ColumnDef *) element;

			if (strcmp(column->colname, PD_TENANT_COLUMN) == 0)
				may_have_tenant = true;
			look_at_column(lint, stmt->relation, column);
		}
		else if (IsA(element, Constraint))
			look_at_constraint(lint, stmt->relation, NULL, (Constraint *) element);
		else
			may_have_tenant = true; /* LIKE */
	}
	if (!may_have_tenant && pd_lint_is_tenant_table(lint, stmt->relation))
		report_missing(lint, table);
}

/*
 * may_select
 *		May a query have a column of that name?  A star hides what it stands
 *		for, and of a set operation the first query names the columns.
 */
static bool
may_select(const SelectStmt *query, const char *name)
{
	ListCell   *cell;

	while (query->op != SETOP_NONE)
		query = query->larg;
	foreach(cell, query->targetList)
	{
		const ResTarget *target = lfirst_node(ResTarget, cell);

		if (target->name != NULL)
		{
			if (strcmp(target->name, name) == 0)
				return true;
		}
		else if (IsA(target->val, ColumnRef))
		{
			Node	   *field = llast(((ColumnRef *) target->val)->fields);

			if (!IsA(field, String) || strcmp(strVal(field), name) == 0)
				return true;
		}
		else if (IsA(target->val, A_Indirection))
			return true;		/* (row).* */
	}
	return false;
}

/*
 * pd_lint_create_table_as
 *		CREATE TABLE AS and SELECT INTO.  query is NULL for EXECUTE.
 */
void
pd_lint_create_table_as(PdLint *lint, const IntoClause *into, const SelectStmt *query)
{
	const char *table = pd_lint_name(lint, into->rel);
	bool		may_have_tenant = query == NULL || may_select(query, PD_TENANT_COLUMN);
	ListCell   *cell;

	foreach(cell, into->colNames)
	{
		if (strcmp(strVal(lfirst(cell)), PD_TENANT_COLUMN) == 0)
			may_have_tenant = true;
	}
	if (!may_have_tenant && pd_lint_is_tenant_table(lint, into->rel))
		report_missing(lint, table);
}

/*
 * is_default_of_installer
 *		Is this publicdigit.current_tenant_id()?
 */
static bool
is_default_of_installer(Node *expression)
{
	return expression != NULL && IsA(expression, FuncCall) &&
		list_length(((FuncCall *) expression)->funcname) == 2 &&
		strcmp(strVal(linitial(((FuncCall *) expression)->funcname)), "publicdigit") == 0 &&
		strcmp(strVal(lsecond(((FuncCall *) expression)->funcname)), "current_tenant_id") == 0;
}

/*
 * alter_tenant_column
 *		The golden rules for a command on column tenant_id.
 */
static void
alter_tenant_column(PdLint *lint, const char *table, const AlterTableCmd *cmd)
{
	const char *object = psprintf("table \"%s\"", table);

	switch (cmd->subtype)
	{
		case AT_DropColumn:
			report_missing(lint, table);
			break;
		case AT_AlterColumnType:
			{
				ColumnDef  *column = makeNode(ColumnDef);

				pd_lint_retract(lint, PD_LINT_TENANT_ID_TYPE, object);
				column->typeName = castNode(ColumnDef, cmd->def)->typeName;
				pd_lint_tenant_column(lint, table, column);
				break;
			}
		case AT_DropNotNull:
			pd_lint_report(lint, PD_LINT_TENANT_ID_NULL, NoLock, object,
						   "column \"%s\" of table \"%s\" may be null",
						   PD_TENANT_COLUMN, table);
			break;
		case AT_SetNotNull:
			pd_lint_retract(lint, PD_LINT_TENANT_ID_NULL, object);
			break;
		case AT_ColumnDefault:
			pd_lint_retract(lint, PD_LINT_TENANT_ID_DEFAULT, object);
			if (!is_default_of_installer(cmd->def))
				pd_lint_report(lint, PD_LINT_TENANT_ID_DEFAULT, NoLock, object,
							   "column \"%s\" of table \"%s\" would not default to the bound tenant",
							   PD_TENANT_COLUMN, table);
			break;
		default:
			break;
	}
}

/*
 * alter_in_use
 *		The rules for a command on a table, or index, that is in use.
 */
static void
alter_in_use(PdLint *lint, const AlterTableStmt *stmt, const AlterTableCmd *cmd,
			 LOCKMODE lock)
{
	const char *table = pd_lint_name(lint, stmt->relation);
	const char *object = psprintf(stmt->objtype == OBJECT_INDEX ? "index \"%s\"" :
								  "table \"%s\"", table);

	switch (cmd->subtype)
	{
		case AT_AddColumn:
			pd_lint_added_column(lint, table, castNode(ColumnDef, cmd->def), lock);
			break;
		case AT_AddConstraint:
			pd_lint_added_constraint(lint, table, NULL, castNode(Constraint, cmd->def), lock);
			break;
		case AT_DropColumn:
			pd_lint_report(lint, PD_LINT_DROP_COLUMN, lock, object,
						   "column \"%s\" of table \"%s\" is dropped with its values",
						   cmd->name, table);
			break;
		case AT_DropConstraint:
			pd_lint_report(lint, PD_LINT_DROP_CONSTRAINT, lock, object,
						   "constraint \"%s\" of table \"%s\" is dropped", cmd->name, table);
			break;
		case AT_AlterColumnType:
			pd_lint_report(lint, PD_LINT_CHANGE_TYPE, lock, object,
						   "a new type of column \"%s\" may rewrite table \"%s\" and its indexes: the present type, which the statement does not name, decides",
						   cmd->name, table);
			break;
		case AT_SetNotNull:
			if (!pd_lint_is_checked(lint, table, cmd->name))
				pd_lint_report(lint, PD_LINT_SET_NOT_NULL, lock, object,
							   "SET NOT NULL of column \"%s\" reads all rows of table \"%s\"",
							   cmd->name, table);
			break;
		case AT_SetTableSpace:
		case AT_SetAccessMethod:
		case AT_SetLogged:
		case AT_SetUnLogged:
			pd_lint_report(lint, PD_LINT_REWRITE_TABLE, lock, object,
						   "%s is written anew while nobody reads or writes it", object);
			break;
		case AT_DisableTrig:
		case AT_DisableTrigAll:
		case AT_DisableTrigUser:
			pd_lint_report(lint, PD_LINT_DISABLE_TRIGGER, lock, object,
						   "triggers of table \"%s\" do not fire for what is written from now on", table);
			break;
		case AT_ValidateConstraint:
			if (pd_lint_has_made(lint, OBJECT_TABCONSTRAINT, table, cmd->name))
				pd_lint_report(lint, PD_LINT_VALIDATE_AT_ONCE, lock, object,
							   "constraint \"%s\" is validated under the lock that adding it to table \"%s\" has taken",
							   cmd->name, table);
			break;
		case AT_DetachPartition:
			if (!castNode(PartitionCmd, cmd->def)->concurrent)
				pd_lint_report(lint, PD_LINT_DETACH_PARTITION, lock, object,
							   "DETACH PARTITION keeps others from reading table \"%s\"", table);
			break;
		default:
			if (pd_sets_expression(cmd->subtype))
				pd_lint_report(lint, PD_LINT_REWRITE_TABLE, lock, object,
							   "%s is written anew while nobody reads or writes it", object);
			break;
	}
}

/*
 * attach_partition
 *		ATTACH PARTITION: a table in use is read for its bounds, and the
 *		default partition of a parent in use for rows that belong elsewhere.
 */
static void
attach_partition(PdLint *lint, const char *parent, const RangeVar *relation, LOCKMODE lock)
{
	const char *child = pd_lint_name(lint, relation);

	if (pd_lint_has_made(lint, OBJECT_TABLE, NULL, parent) &&
		pd_lint_has_made(lint, OBJECT_TABLE, NULL, child))
		return;
	pd_lint_report(lint, PD_LINT_ATTACH_PARTITION, lock, psprintf("table \"%s\"", parent),
				   "ATTACH PARTITION keeps others from reading table \"%s\", and a default partition of table \"%s\", while it reads their rows",
				   child, parent);
}

/*
 * alter_always
 *		The rules for a command on any table, and what is to be remembered.
 */
static void
alter_always(PdLint *lint, const AlterTableStmt *stmt, const AlterTableCmd *cmd,
			 LOCKMODE lock)
{
	const char *table = pd_lint_name(lint, stmt->relation);
	const char *object = psprintf("table \"%s\"", table);

	if (cmd->behavior == DROP_CASCADE &&
		(cmd->subtype == AT_DropColumn || cmd->subtype == AT_DropConstraint))
		pd_lint_report(lint, PD_LINT_DROP_CASCADE, lock, object,
					   "whatever depends on \"%s\" of table \"%s\" is dropped too",
					   cmd->name, table);
	switch (cmd->subtype)
	{
		case AT_AddColumn:
			look_at_column(lint, stmt->relation, castNode(ColumnDef, cmd->def));
			break;
		case AT_AddConstraint:
			{
				const Constraint *constraint = castNode(Constraint, cmd->def);

				look_at_constraint(lint, stmt->relation, NULL, constraint);
				if (constraint->skip_validation && constraint->conname != NULL)
					pd_lint_note(lint, OBJECT_TABCONSTRAINT, table, constraint->conname);
				break;
			}
		case AT_ValidateConstraint:
			pd_lint_validate_check(lint, table, cmd->name);
			break;
		case AT_DropConstraint:
			pd_lint_forget_check(lint, table, cmd->name);
			pd_lint_forget(lint, OBJECT_TABCONSTRAINT, table, cmd->name);
			break;
		case AT_AttachPartition:
			attach_partition(lint, table, castNode(PartitionCmd, cmd->def)->name, lock);
			break;
		case AT_DetachPartition:
			if (castNode(PartitionCmd, cmd->def)->concurrent)
				pd_lint_report(lint, PD_LINT_CONCURRENTLY, NoLock, object,
							   "DETACH PARTITION CONCURRENTLY cannot run in a module script");
			break;
		case AT_DisableRowSecurity:
		case AT_NoForceRowSecurity:
			pd_lint_report(lint, PD_LINT_ROW_SECURITY_OFF, NoLock, object,
						   "a module script may not turn row-level security off");
			break;
		default:
			break;
	}
	if (cmd->name != NULL && strcmp(cmd->name, PD_TENANT_COLUMN) == 0 &&
		pd_lint_is_tenant_table(lint, stmt->relation))
		alter_tenant_column(lint, table, cmd);
}

/*
 * report_owner
 *		OWNER TO, of whatever kind of object.
 */
static void
report_owner(PdLint *lint, const AlterTableStmt *stmt)
{
	pd_lint_report(lint, PD_LINT_CHANGE_OWNER, NoLock, "",
				   "a module script may not change the owner of \"%s\"",
				   pd_lint_name(lint, stmt->relation));
}

/*
 * pd_lint_alter_table
 *		ALTER TABLE, and what else the grammar makes one.
 */
void
pd_lint_alter_table(PdLint *lint, const AlterTableStmt *stmt)
{
	bool		is_in_use = lint->is_new &&
		(stmt->objtype == OBJECT_TABLE || stmt->objtype == OBJECT_MATVIEW ||
		 stmt->objtype == OBJECT_INDEX) &&
		!pd_lint_has_made(lint, stmt->objtype, NULL, pd_lint_name(lint, stmt->relation));
	LOCKMODE	lock = AlterTableGetLockLevel(stmt->cmds);
	ListCell   *cell;

	foreach(cell, stmt->cmds)
	{
		const AlterTableCmd *cmd = lfirst_node(AlterTableCmd, cell);

		/* Before what is remembered of this very command. */
		if (is_in_use)
			alter_in_use(lint, stmt, cmd, lock);
		if (cmd->subtype == AT_ChangeOwner)
			report_owner(lint, stmt);
		else if (stmt->objtype == OBJECT_TABLE)
			alter_always(lint, stmt, cmd, lock);
	}
}
