/*-------------------------------------------------------------------------
 *
 * script_utility.c
 *	  Which utility statements a module's script may run.
 *
 * A list of what is allowed, so that what a later server adds is refused
 * until somebody has thought about it.  The hook sees statements inside DO
 * blocks and functions as well.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/cmdtag.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"

#include "script_guard.h"

/*
 * refuse
 *		Raise 42501 for a statement that no module script may run.
 */
static void
refuse(Node *stmt, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("a module script may not run %s",
					GetCommandTagName(CreateCommandTag(stmt))),
			 errdetail("A script makes, alters and fills the tables of its own schema."),
			 hint ? errhint("%s", hint) : 0));
}

/*
 * ensure_inside
 *		An error unless a table, if it exists, is the script's own.
 */
static void
ensure_inside(PdScriptRun *run, const RangeVar *relation)
{
	Oid			relid = RangeVarGetRelid(relation, NoLock, true);

	if (OidIsValid(relid))
		pd_script_guard_write(run, relid);
}

/*
 * check_alter_table
 *		ALTER TABLE: not of other schemas' tables, and nothing that takes a
 *		table's row security or owner away.
 */
static void
check_alter_table(PdScriptRun *run, AlterTableStmt *stmt)
{
	ListCell   *cell;

	ensure_inside(run, stmt->relation);
	foreach(cell, stmt->cmds)
	{
		AlterTableCmd *cmd = lfirst_node(AlterTableCmd, cell);

		switch (cmd->subtype)
		{
			case AT_DisableRowSecurity:
			case AT_NoForceRowSecurity:
				ereport(ERROR,
						(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						 errmsg("a module script may not turn row-level security off"),
						 errhint("Remove the statement; the tables of a module are always protected.")));
				break;
			case AT_ChangeOwner:
				ereport(ERROR,
						(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
						 errmsg("a module script may not change an owner"),
						 errhint("Leave the owner as it is; a module's objects belong to the owner role.")));
				break;
			case AT_AddInherit:
				ensure_inside(run, castNode(RangeVar, cmd->def));
				break;
			case AT_AttachPartition:
				ensure_inside(run, castNode(PartitionCmd, cmd->def)->name);
				break;
			default:
				break;
		}
	}
}

/*
 * check_drop
 *		DROP: only of kinds of objects that live in a schema.
 */
static void
check_drop(DropStmt *stmt)
{
	switch (stmt->removeType)
	{
		case OBJECT_AGGREGATE:
		case OBJECT_COLLATION:
		case OBJECT_DOMAIN:
		case OBJECT_FUNCTION:
		case OBJECT_INDEX:
		case OBJECT_MATVIEW:
		case OBJECT_OPERATOR:
		case OBJECT_POLICY:
		case OBJECT_PROCEDURE:
		case OBJECT_ROUTINE:
		case OBJECT_RULE:
		case OBJECT_SEQUENCE:
		case OBJECT_STATISTIC_EXT:
		case OBJECT_TABLE:
		case OBJECT_TRIGGER:
		case OBJECT_TSCONFIGURATION:
		case OBJECT_TSDICTIONARY:
		case OBJECT_TYPE:
		case OBJECT_VIEW:
			if (stmt->concurrent)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("DROP INDEX CONCURRENTLY cannot run in a module script"),
						 errhint("Use DROP INDEX.")));
			break;
		default:
			refuse((Node *) stmt, NULL);
	}
}

/*
 * check_named_object
 *		COMMENT: the object must be the script's own.
 */
static void
check_named_object(PdScriptRun *run, ObjectType type, Node *object)
{
	Relation	rel = NULL;
	ObjectAddress address;

	address = get_object_address(type, object, &rel, AccessShareLock, false);
	pd_script_guard_inside(run, &address);
	if (rel != NULL)
		relation_close(rel, AccessShareLock);
}

/*
 * check_grant
 *		GRANT and REVOKE: what the app role gets stands in the manifest, so a
 *		script may only take away, and only from objects of its own.
 */
static void
check_grant(PdScriptRun *run, GrantStmt *stmt)
{
	ListCell   *cell;

	if (stmt->is_grant)
		refuse((Node *) stmt, "List what the app role may do under \"grants\" in module.json, and the views that it may read under \"views\".");
	if (stmt->targtype != ACL_TARGET_OBJECT)
		refuse((Node *) stmt, "Name the objects one by one.");

	foreach(cell, stmt->objects)
	{
		Node	   *object = lfirst(cell);

		switch (stmt->objtype)
		{
			case OBJECT_TABLE:
			case OBJECT_SEQUENCE:
				ensure_inside(run, castNode(RangeVar, object));
				break;
			case OBJECT_FUNCTION:
			case OBJECT_PROCEDURE:
			case OBJECT_ROUTINE:
				check_named_object(run, stmt->objtype, object);
				break;
			default:
				refuse((Node *) stmt, NULL);
		}
	}
}

/*
 * check_set_constraints
 *		SET CONSTRAINTS: of the script's own schema, since it holds until the
 *		transaction ends and fires what its caller has deferred.
 */
static void
check_set_constraints(PdScriptRun *run, ConstraintsSetStmt *stmt)
{
	ListCell   *cell;

	if (stmt->constraints == NIL)
		refuse((Node *) stmt, "Name the constraints.");
	/* Nothing would fire what is deferred while these fire. */
	if (run->is_firing && stmt->deferred)
		refuse((Node *) stmt, "A deferred trigger of a module may not defer another.");

	foreach(cell, stmt->constraints)
	{
		RangeVar   *constraint = lfirst_node(RangeVar, cell);

		/* Without a schema the first in the path that has one counts. */
		if (constraint->schemaname != NULL ?
			get_namespace_oid(constraint->schemaname, true) != run->schema :
			!ConstraintNameExists(constraint->relname, run->schema))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("a module script may not set constraint \"%s\"",
							constraint->relname),
					 errdetail("Schema \"%s\" has no constraint of this name.",
							   get_namespace_name(run->schema))));
	}
}

/*
 * note_released
 *		ALTER SEQUENCE ... OWNED BY: remember the sequence, on which the app role
 *		may hold what it was granted with the table that it belonged to.
 */
static void
note_released(PdScriptRun *run, const AlterSeqStmt *stmt)
{
	Oid			relid = RangeVarGetRelid(stmt->sequence, NoLock, true);
	MemoryContext old;
	ListCell   *cell;

	foreach(cell, stmt->options)
	{
		if (!OidIsValid(relid) ||
			strcmp(lfirst_node(DefElem, cell)->defname, "owned_by") != 0)
			continue;
		old = MemoryContextSwitchTo(run->memory);
		run->released = list_append_unique_oid(run->released, relid);
		MemoryContextSwitchTo(old);
	}
}

/*
 * check_analyze
 *		ANALYZE: of the script's own tables.
 */
static void
check_analyze(PdScriptRun *run, VacuumStmt *stmt)
{
	ListCell   *cell;

	if (stmt->is_vacuumcmd || stmt->rels == NIL)
		refuse((Node *) stmt, "Use ANALYZE with the names of the module's tables.");
	foreach(cell, stmt->rels)
		ensure_inside(run, lfirst_node(VacuumRelation, cell)->relation);
}

/*
 * forbid_workers
 *		Keep parallel workers out of what builds an index: they know nothing
 *		of the script.  Set again each time, since a script may change it.
 */
static void
forbid_workers(void)
{
	if (max_parallel_maintenance_workers != 0)
		(void) set_config_option("max_parallel_maintenance_workers", "0",
								 PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * pd_script_guard_utility
 *		Utility hook while a script runs: an error for what it may not run.
 */
void
pd_script_guard_utility(PdScriptRun *run, Node *stmt)
{
	ListCell   *cell;

	forbid_workers();
	switch (nodeTag(stmt))
	{
			/* The object access hook sees what these make and alter. */
		case T_AlterDomainStmt:
		case T_AlterEnumStmt:
		case T_AlterFunctionStmt:
		case T_AlterOperatorStmt:
		case T_AlterPolicyStmt:
		case T_AlterStatsStmt:
		case T_AlterTSConfigurationStmt:
		case T_AlterTSDictionaryStmt:
		case T_AlterTypeStmt:
		case T_CompositeTypeStmt:
		case T_CreateDomainStmt:
		case T_CreateEnumStmt:
		case T_CreateFunctionStmt:
		case T_CreatePolicyStmt:
		case T_CreateRangeStmt:
		case T_CreateSeqStmt:
		case T_CreateTableAsStmt:
		case T_CreateTrigStmt:
		case T_RefreshMatViewStmt:
		case T_RenameStmt:
		case T_TruncateStmt:
		case T_ViewStmt:
			/* These change nothing that outlives the script unseen. */
		case T_CallStmt:
		case T_DoStmt:
		case T_ExplainStmt:
		case T_VariableSetStmt:
		case T_VariableShowStmt:
			break;
		case T_CreateStmt:
			foreach(cell, ((CreateStmt *) stmt)->inhRelations)
				ensure_inside(run, lfirst_node(RangeVar, cell));
			break;
		case T_AlterSeqStmt:
			note_released(run, (AlterSeqStmt *) stmt);
			break;
		case T_AlterTableStmt:
			check_alter_table(run, (AlterTableStmt *) stmt);
			break;
		case T_IndexStmt:
			if (((IndexStmt *) stmt)->concurrent)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("CREATE INDEX CONCURRENTLY cannot run in a module script"),
						 errdetail("All scripts of a module run in one transaction."),
						 errhint("Use CREATE INDEX.")));
			ensure_inside(run, ((IndexStmt *) stmt)->relation);
			break;
		case T_CopyStmt:
			if (((CopyStmt *) stmt)->is_program || ((CopyStmt *) stmt)->filename)
				refuse(stmt, "Use INSERT with a list of VALUES; a script does not reach the server's files and programs.");
			break;
		case T_CommentStmt:
			check_named_object(run, ((CommentStmt *) stmt)->objtype,
							   ((CommentStmt *) stmt)->object);
			break;
		case T_ConstraintsSetStmt:
			check_set_constraints(run, (ConstraintsSetStmt *) stmt);
			break;
		case T_CreateStatsStmt:
			foreach(cell, ((CreateStatsStmt *) stmt)->relations)
			{
				/* The grammar takes any FROM; the server refuses the rest. */
				if (IsA(lfirst(cell), RangeVar))
					ensure_inside(run, lfirst_node(RangeVar, cell));
			}
			break;
		case T_RuleStmt:
			/*
			 * The hook sees what its actions name.  One for SELECT makes a view of
			 * a table, which the actions of other rules may name already.
			 */
			if (((RuleStmt *) stmt)->event == CMD_SELECT)
				refuse(stmt, "Use CREATE VIEW.");
			break;
		case T_DefineStmt:
			/* Its commutator or negator would change another's operator. */
			if (((DefineStmt *) stmt)->kind == OBJECT_OPERATOR)
				refuse(stmt, "Use functions.");
			break;
		case T_DropStmt:
			check_drop((DropStmt *) stmt);
			break;
		case T_LockStmt:
			/* As for reading, and SELECT ... FOR UPDATE; no more. */
			if (((LockStmt *) stmt)->mode > RowShareLock)
			{
				foreach(cell, ((LockStmt *) stmt)->relations)
				{
					RangeVar   *relation = lfirst_node(RangeVar, cell);
					Oid			relid = RangeVarGetRelid(relation, NoLock, true);

					ensure_inside(run, relation);
					if (OidIsValid(relid) && get_rel_relkind(relid) == RELKIND_VIEW)
						refuse(stmt, "Lock tables; a view would lock what it reads.");
				}
			}
			break;
		case T_AlterObjectDependsStmt:
		case T_AlterObjectSchemaStmt:
			refuse(stmt, "Objects stay in the schema that they were made in.");
			break;
		case T_VacuumStmt:
			check_analyze(run, (VacuumStmt *) stmt);
			break;
			/* Those of the session are the caller's, who could run the rest. */
		case T_ClosePortalStmt:
		case T_DeclareCursorStmt:
		case T_FetchStmt:
			refuse(stmt, "Loop over the query in a DO block.");
			break;
		case T_DeallocateStmt:
		case T_ExecuteStmt:
		case T_PrepareStmt:
			refuse(stmt, "Write the statement out, or use EXECUTE in a DO block.");
			break;
		case T_GrantStmt:
			check_grant(run, (GrantStmt *) stmt);
			break;
		default:
			refuse(stmt, NULL);
	}
}
