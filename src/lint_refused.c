/*-------------------------------------------------------------------------
 *
 * lint_refused.c
 *	  Rules for what no module script may run: the installer would refuse it,
 *	  and says so here before any tenant is touched.
 *
 * script_utility.c decides, by a list of what is allowed.  This knows the
 * statements that people write, so that a finding is always right and may
 * be missing.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "commands/defrem.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"

#include "lint_rule.h"

/*
 * refuse
 *		Report a statement that cannot run.
 */
static bool
refuse(PdLint *lint, PdLintRuleId rule, Node *stmt)
{
	pd_lint_report(lint, rule, NoLock, "",
				   "a module script may not run %s",
				   GetCommandTagName(CreateCommandTag(stmt)));
	return true;
}

/*
 * refuse_temporary
 *		Report a temporary table.
 */
static bool
refuse_temporary(PdLint *lint, const RangeVar *relation)
{
	if (relation->relpersistence != RELPERSISTENCE_TEMP)
		return false;
	pd_lint_report(lint, PD_LINT_REFUSED_STATEMENT, NoLock, "",
				   "a module script may not make \"%s\" temporary", relation->relname);
	return true;
}

/*
 * has_option
 *		Is a boolean option in a list of DefElem, and not off?
 */
static bool
has_option(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);

		if (strcmp(option->defname, name) == 0)
			return option->arg == NULL || defGetBoolean(option);
	}
	return false;
}

/*
 * refuse_vacuum
 *		VACUUM; ANALYZE may run.
 */
static bool
refuse_vacuum(PdLint *lint, VacuumStmt *stmt)
{
	bool		is_full = has_option(stmt->options, "full");
	ListCell   *cell;

	if (!stmt->is_vacuumcmd)
		return false;
	if (stmt->rels == NIL)
		return refuse(lint, PD_LINT_MAINTENANCE, (Node *) stmt);
	foreach(cell, stmt->rels)
	{
		const char *table = pd_lint_name(lint, lfirst_node(VacuumRelation, cell)->relation);

		pd_lint_report(lint, PD_LINT_MAINTENANCE,
					   is_full ? AccessExclusiveLock : ShareUpdateExclusiveLock,
					   psprintf("table \"%s\"", table), "a module script may not run %s",
					   is_full ? "VACUUM FULL" : "VACUUM");
	}
	return true;
}

/*
 * refuse_reindex
 *		REINDEX.
 */
static bool
refuse_reindex(PdLint *lint, ReindexStmt *stmt)
{
	const char *kind = stmt->kind == REINDEX_OBJECT_INDEX ? "index" : "table";

	if (stmt->relation == NULL)
		return refuse(lint, PD_LINT_MAINTENANCE, (Node *) stmt);
	/* Of an index the table is locked less strongly than the index. */
	pd_lint_report(lint, PD_LINT_MAINTENANCE,
				   has_option(stmt->params, "concurrently") ? ShareUpdateExclusiveLock :
				   stmt->kind == REINDEX_OBJECT_INDEX ? AccessExclusiveLock : ShareLock,
				   psprintf("%s \"%s\"", kind, pd_lint_name(lint, stmt->relation)),
				   "a module script may not run REINDEX");
	return true;
}

/*
 * refuse_setting
 *		SET and RESET of what the installer has set for scripts.
 */
static bool
refuse_setting(PdLint *lint, VariableSetStmt *stmt)
{
	static const char *const names[] = {
		"role", "session_authorization", "search_path", "row_security", "publicdigit.context"
	};

	if (stmt->kind == VAR_RESET_ALL)
		return refuse(lint, PD_LINT_SESSION_SETTING, (Node *) stmt);
	for (int i = 0; i < lengthof(names); i++)
	{
		if (stmt->name != NULL && pg_strcasecmp(stmt->name, names[i]) == 0)
		{
			pd_lint_report(lint, PD_LINT_SESSION_SETTING, NoLock, "",
						   "a module script may not change \"%s\"", names[i]);
			return true;
		}
	}
	return false;
}

/*
 * refuse_concurrently
 *		What must run outside a transaction.
 */
static bool
refuse_concurrently(PdLint *lint, const char *command)
{
	pd_lint_report(lint, PD_LINT_CONCURRENTLY, NoLock, "",
				   "%s CONCURRENTLY cannot run in a module script", command);
	return true;
}

/*
 * is_droppable
 *		Does this kind of object live in a schema, so that a script has some?
 */
static bool
is_droppable(ObjectType type)
{
	switch (type)
	{
		case OBJECT_SCHEMA:
		case OBJECT_EXTENSION:
		case OBJECT_FOREIGN_TABLE:
		case OBJECT_FOREIGN_SERVER:
		case OBJECT_FDW:
		case OBJECT_EVENT_TRIGGER:
		case OBJECT_LANGUAGE:
		case OBJECT_PUBLICATION:
		case OBJECT_ACCESS_METHOD:
		case OBJECT_CAST:
		case OBJECT_CONVERSION:
		case OBJECT_OPCLASS:
		case OBJECT_OPFAMILY:
		case OBJECT_TRANSFORM:
			return false;
		default:
			return true;
	}
}

/*
 * pd_lint_refused
 *		Report a statement that no module script may run; false for others.
 */
bool
pd_lint_refused(PdLint *lint, Node *stmt)
{
	switch (nodeTag(stmt))
	{
		case T_TransactionStmt:
			return refuse(lint, PD_LINT_TRANSACTION_CONTROL, stmt);
		case T_CopyStmt:
			return refuse(lint, PD_LINT_COPY, stmt);
		case T_VacuumStmt:
			return refuse_vacuum(lint, (VacuumStmt *) stmt);
		case T_ReindexStmt:
			return refuse_reindex(lint, (ReindexStmt *) stmt);
		case T_ClusterStmt:
			if (((ClusterStmt *) stmt)->relation == NULL)
				return refuse(lint, PD_LINT_MAINTENANCE, stmt);
			pd_lint_report(lint, PD_LINT_MAINTENANCE, AccessExclusiveLock,
						   psprintf("table \"%s\"", pd_lint_name(lint, ((ClusterStmt *) stmt)->relation)),
						   "a module script may not run CLUSTER");
			return true;
		case T_VariableSetStmt:
			return refuse_setting(lint, (VariableSetStmt *) stmt);
		case T_GrantStmt:
			return ((GrantStmt *) stmt)->is_grant && refuse(lint, PD_LINT_GRANT, stmt);
		case T_AlterOwnerStmt:
			return refuse(lint, PD_LINT_CHANGE_OWNER, stmt);
		case T_AlterObjectSchemaStmt:
		case T_AlterObjectDependsStmt:
			return refuse(lint, PD_LINT_SET_SCHEMA, stmt);
		case T_IndexStmt:
			return ((IndexStmt *) stmt)->concurrent && refuse_concurrently(lint, "CREATE INDEX");
		case T_DropStmt:
			if (((DropStmt *) stmt)->concurrent)
				return refuse_concurrently(lint, "DROP INDEX");
			return !is_droppable(((DropStmt *) stmt)->removeType) &&
				refuse(lint, PD_LINT_REFUSED_STATEMENT, stmt);
		case T_CreateStmt:
			return refuse_temporary(lint, ((CreateStmt *) stmt)->relation);
		case T_ConstraintsSetStmt:
			return ((ConstraintsSetStmt *) stmt)->constraints == NIL &&
				refuse(lint, PD_LINT_REFUSED_STATEMENT, stmt);
		case T_AlterDatabaseSetStmt:
		case T_AlterDatabaseStmt:
		case T_AlterDefaultPrivilegesStmt:
		case T_AlterExtensionContentsStmt:
		case T_AlterExtensionStmt:
		case T_AlterRoleSetStmt:
		case T_AlterRoleStmt:
		case T_AlterSystemStmt:
		case T_AlterTableMoveAllStmt:
		case T_CheckPointStmt:
		case T_ClosePortalStmt:
		case T_CreateCastStmt:
		case T_CreateConversionStmt:
		case T_CreateEventTrigStmt:
		case T_CreateExtensionStmt:
		case T_CreateFdwStmt:
		case T_CreateForeignServerStmt:
		case T_CreateForeignTableStmt:
		case T_CreateOpClassStmt:
		case T_CreateOpFamilyStmt:
		case T_CreatePLangStmt:
		case T_CreatePublicationStmt:
		case T_CreateRoleStmt:
		case T_CreateSchemaStmt:
		case T_CreateSubscriptionStmt:
		case T_CreateTableSpaceStmt:
		case T_CreateUserMappingStmt:
		case T_CreatedbStmt:
		case T_DeallocateStmt:
		case T_DeclareCursorStmt:
		case T_DiscardStmt:
		case T_DropOwnedStmt:
		case T_DropRoleStmt:
		case T_DropdbStmt:
		case T_ExecuteStmt:
		case T_FetchStmt:
		case T_GrantRoleStmt:
		case T_ImportForeignSchemaStmt:
		case T_ListenStmt:
		case T_LoadStmt:
		case T_NotifyStmt:
		case T_PrepareStmt:
		case T_ReassignOwnedStmt:
		case T_SecLabelStmt:
		case T_UnlistenStmt:
			return refuse(lint, PD_LINT_REFUSED_STATEMENT, stmt);
		default:
			return false;
	}
}
