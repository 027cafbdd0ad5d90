/*-------------------------------------------------------------------------
 *
 * lint_use.c
 *	  Tables of other modules that a script uses without requiring the module.
 *
 * Such a script fails where the other module is not installed, and nothing
 * keeps that from being uninstalled later.  Whose a table is, the manifests of
 * registered versions say.  Nothing is found of a table that none of them names,
 * or more than one module, nor of one of which the module's own scripts make
 * another of the same name, whatever the order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "nodes/nodeFuncs.h"
#include "utils/memutils.h"

#include "catalog.h"
#include "lint_rule.h"
#include "spi.h"
#include "text_list.h"

/* A table that a statement names. */
typedef struct Use
{
	char	   *table;
	bool		is_landlord;	/* by its schema, or by what it is named for */
	const PdScript *script;
	int			location;		/* of the statement */
} Use;

/* What a walk over a statement is for. */
typedef struct Walk
{
	PdLint	   *lint;
	List	   *ctes;			/* names of WITH queries, of char * */
} Walk;

/*
 * note_use
 *		Remember a table that the present statement names, the first time in its
 *		script; nothing for a script that the version does not add.
 */
static void
note_use(PdLint *lint, const char *table, bool is_landlord)
{
	MemoryContext old;
	Use		   *use;
	ListCell   *cell;

	if (!lint->is_new)
		return;
	foreach(cell, lint->uses)
	{
		use = lfirst(cell);
		if (use->script == lint->script && use->is_landlord == is_landlord &&
			strcmp(use->table, table) == 0)
			return;
	}
	old = MemoryContextSwitchTo(lint->memory);
	use = palloc(sizeof(Use));
	use->table = pstrdup(table);
	use->is_landlord = is_landlord;
	use->script = lint->script;
	use->location = lint->location;
	lint->uses = lappend(lint->uses, use);
	MemoryContextSwitchTo(old);
}

/*
 * note_relation
 *		The same for a name in a statement.  Other schemas than the module's and
 *		the landlord's hold no tables of modules.
 */
static void
note_relation(Walk *walk, const RangeVar *relation)
{
	bool		is_landlord = walk->lint->source->manifest->context == PD_LANDLORD;

	if (relation->schemaname != NULL)
	{
		if (strcmp(relation->schemaname, PD_LANDLORD_SCHEMA) == 0)
			note_use(walk->lint, relation->relname, true);
	}
	else if (!pd_has_text(walk->ctes, relation->relname))
		note_use(walk->lint, relation->relname, is_landlord);
}

/*
 * note_made
 *		Remember a relation that a script of the version makes.
 */
static void
note_made(PdLint *lint, const RangeVar *relation, const char *name)
{
	MemoryContext old = MemoryContextSwitchTo(lint->memory);

	if (relation->schemaname == NULL || strcmp(relation->schemaname, PD_LANDLORD_SCHEMA) == 0)
		lint->own = lappend(lint->own, pstrdup(name));
	MemoryContextSwitchTo(old);
}

/*
 * note_referenced
 *		The landlord's table in a call of reference_landlord(), where it is
 *		written as it is named.
 */
static void
note_referenced(PdLint *lint, const FuncCall *call)
{
	Node	   *argument = list_length(call->args) == 3 ? lthird(call->args) : NULL;
	const char *table;
	ListCell   *cell;

	if (list_length(call->funcname) != 2 ||
		strcmp(strVal(linitial(call->funcname)), "publicdigit") != 0 ||
		strcmp(strVal(lsecond(call->funcname)), "reference_landlord") != 0)
		return;
	foreach(cell, call->args)
	{
		if (IsA(lfirst(cell), NamedArgExpr) &&
			strcmp(((NamedArgExpr *) lfirst(cell))->name, "landlord_table") == 0)
			argument = (Node *) ((NamedArgExpr *) lfirst(cell))->arg;
	}
	if (argument != NULL && IsA(argument, TypeCast))
		argument = ((TypeCast *) argument)->arg;
	if (argument == NULL || !IsA(argument, A_Const) || ((A_Const *) argument)->isnull ||
		!IsA(&((A_Const *) argument)->val, String))
		return;
	table = strVal(&((A_Const *) argument)->val);
	if (strncmp(table, PD_LANDLORD_SCHEMA ".", strlen(PD_LANDLORD_SCHEMA ".")) == 0)
		table += strlen(PD_LANDLORD_SCHEMA ".");
	note_use(lint, table, true);
}

/*
 * find_ctes
 *		Tree walker: the names of WITH queries, wherever they hold.
 */
static bool
find_ctes(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, CommonTableExpr))
		((Walk *) context)->ctes = lappend(((Walk *) context)->ctes,
										   ((CommonTableExpr *) node)->ctename);
	return raw_expression_tree_walker(node, find_ctes, context);
}

/*
 * find_uses
 *		Tree walker: the tables that a query names.
 */
static bool
find_uses(Node *node, void *context)
{
	Walk	   *walk = context;

	/* FOR UPDATE OF has names of the query's own FROM, aliases among them. */
	if (node == NULL || IsA(node, LockingClause))
		return false;
	if (IsA(node, RangeVar))
		note_relation(walk, (RangeVar *) node);
	else if (IsA(node, FuncCall))
		note_referenced(walk->lint, (FuncCall *) node);
	else if (IsA(node, SelectStmt) && ((SelectStmt *) node)->intoClause != NULL)
		note_made(walk->lint, ((SelectStmt *) node)->intoClause->rel,
				  ((SelectStmt *) node)->intoClause->rel->relname);
	return raw_expression_tree_walker(node, find_uses, context);
}

/*
 * look_at_query
 *		A query, or what a view or table is made of.
 */
static void
look_at_query(PdLint *lint, Node *query)
{
	Walk		walk = {lint, NIL};

	(void) find_ctes(query, &walk);
	(void) find_uses(query, &walk);
}

/*
 * look_at_elements
 *		The tables that columns and constraints refer to, those of LIKE and
 *		INHERITS, and those that a list names.
 */
static void
look_at_elements(PdLint *lint, List *elements)
{
	Walk		walk = {lint, NIL};
	ListCell   *cell;

	foreach(cell, elements)
	{
		Node	   *element = lfirst(cell);

		if (element == NULL)
			continue;
		if (IsA(element, RangeVar))
			note_relation(&walk, (RangeVar *) element);
		else if (IsA(element, ColumnDef))
			look_at_elements(lint, ((ColumnDef *) element)->constraints);
		else if (IsA(element, TableLikeClause))
			note_relation(&walk, ((TableLikeClause *) element)->relation);
		else if (IsA(element, Constraint) &&
				 ((Constraint *) element)->contype == CONSTR_FOREIGN &&
				 /* ALTER CONSTRAINT has one without a table. */
				 ((Constraint *) element)->pktable != NULL)
			note_relation(&walk, ((Constraint *) element)->pktable);
	}
}

/*
 * look_at_drop
 *		The tables that are dropped, or of which something is.
 */
static void
look_at_drop(PdLint *lint, const DropStmt *stmt)
{
	Walk		walk = {lint, NIL};
	ListCell   *cell;

	foreach(cell, stmt->objects)
	{
		switch (stmt->removeType)
		{
			case OBJECT_TABLE:
				note_relation(&walk, makeRangeVarFromNameList(lfirst_node(List, cell)));
				break;
			case OBJECT_POLICY:
			case OBJECT_RULE:
			case OBJECT_TRIGGER:
				{
					/* The table's name comes first. */
					List	   *names = lfirst_node(List, cell);

					note_relation(&walk, makeRangeVarFromNameList(list_truncate(list_copy(names),
																				list_length(names) - 1)));
				}
				break;
			default:
				break;
		}
	}
}

/*
 * look_at_rename
 *		The table that gets another name, or has something that does.
 */
static void
look_at_rename(PdLint *lint, const RenameStmt *stmt)
{
	Walk		walk = {lint, NIL};

	switch (stmt->renameType)
	{
		case OBJECT_COLUMN:
			if (stmt->relationType != OBJECT_TABLE)
				return;
			/* FALLTHROUGH */
		case OBJECT_POLICY:
		case OBJECT_RULE:
		case OBJECT_TABCONSTRAINT:
		case OBJECT_TABLE:
		case OBJECT_TRIGGER:
			note_relation(&walk, stmt->relation);
			break;
		default:
			break;
	}
}

/*
 * pd_lint_note_uses
 *		Remember what a statement makes, and what it uses.
 */
void
pd_lint_note_uses(PdLint *lint, Node *stmt)
{
	Walk		walk = {lint, NIL};
	ListCell   *cell;

	switch (nodeTag(stmt))
	{
		case T_DeleteStmt:
		case T_InsertStmt:
		case T_MergeStmt:
		case T_SelectStmt:
		case T_UpdateStmt:
			look_at_query(lint, stmt);
			break;
		case T_CreateStmt:
			note_made(lint, ((CreateStmt *) stmt)->relation, ((CreateStmt *) stmt)->relation->relname);
			look_at_elements(lint, ((CreateStmt *) stmt)->tableElts);
			look_at_elements(lint, ((CreateStmt *) stmt)->inhRelations);
			break;
		case T_CreateTableAsStmt:
			note_made(lint, ((CreateTableAsStmt *) stmt)->into->rel,
					  ((CreateTableAsStmt *) stmt)->into->rel->relname);
			if (IsA(((CreateTableAsStmt *) stmt)->query, SelectStmt))
				look_at_query(lint, ((CreateTableAsStmt *) stmt)->query);
			break;
		case T_ViewStmt:
			note_made(lint, ((ViewStmt *) stmt)->view, ((ViewStmt *) stmt)->view->relname);
			look_at_query(lint, ((ViewStmt *) stmt)->query);
			break;
		case T_RenameStmt:
			look_at_rename(lint, (RenameStmt *) stmt);
			if (((RenameStmt *) stmt)->relation != NULL && ((RenameStmt *) stmt)->newname != NULL)
				note_made(lint, ((RenameStmt *) stmt)->relation, ((RenameStmt *) stmt)->newname);
			break;
		case T_AlterTableStmt:
			if (((AlterTableStmt *) stmt)->objtype == OBJECT_TABLE)
				note_relation(&walk, ((AlterTableStmt *) stmt)->relation);
			foreach(cell, ((AlterTableStmt *) stmt)->cmds)
				look_at_elements(lint, list_make1(lfirst_node(AlterTableCmd, cell)->def));
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
		case T_CreateStatsStmt:
			look_at_elements(lint, ((CreateStatsStmt *) stmt)->relations);
			break;
		case T_IndexStmt:
			note_relation(&walk, ((IndexStmt *) stmt)->relation);
			break;
		case T_CreateTrigStmt:
			note_relation(&walk, ((CreateTrigStmt *) stmt)->relation);
			break;
		case T_RuleStmt:
			note_relation(&walk, ((RuleStmt *) stmt)->relation);
			break;
		case T_CreatePolicyStmt:
			note_relation(&walk, ((CreatePolicyStmt *) stmt)->table);
			break;
		case T_AlterPolicyStmt:
			note_relation(&walk, ((AlterPolicyStmt *) stmt)->table);
			break;
		default:
			break;
	}
}

/*
 * owner_of
 *		The one module, other than this, of which a registered version has the
 *		table; NULL where there is none, or more than one.
 */
static char *
owner_of(const PdLint *lint, const Use *use)
{
	if (pd_spi_query("SELECT DISTINCT v.module::text AS module"
					 " FROM publicdigit.module_version AS v"
					 " JOIN publicdigit.module AS m ON m.name = v.module"
					 " WHERE v.module <> $1 AND v.manifest->'tables' ? $2"
					 " AND (m.context = 'landlord' OR NOT $3) LIMIT 2",
					 PD_ARGS(pd_text(lint->source->manifest->name), pd_text(use->table),
							 pd_datum(BOOLOID, BoolGetDatum(use->is_landlord)))) != 1)
		return NULL;
	return pd_spi_text(0, "module");
}

/*
 * is_required
 *		Does the manifest require a module?
 */
static bool
is_required(const PdManifest *manifest, const char *module)
{
	ListCell   *cell;

	foreach(cell, manifest->requires)
	{
		if (strcmp(((PdRequirement *) lfirst(cell))->module, module) == 0)
			return true;
	}
	return false;
}

/*
 * is_own
 *		Is it a table of the module's?  A tenant's module makes none of the
 *		landlord's.
 */
static bool
is_own(const PdLint *lint, const Use *use)
{
	const PdManifest *manifest = lint->source->manifest;

	if (use->is_landlord && manifest->context == PD_TENANT)
		return false;
	return pd_has_text(lint->own, use->table) ||
		pd_manifest_table(manifest, use->table) != NULL;
}

/*
 * pd_lint_report_uses
 *		When all scripts have been looked at: report the tables of modules that
 *		are not required, of each module one in each script.  Must be called
 *		inside pd_spi_begin.
 */
void
pd_lint_report_uses(PdLint *lint)
{
	const PdScript *script = NULL;
	List	   *reported = NIL;
	ListCell   *cell;

	lint->is_new = true;
	foreach(cell, lint->uses)
	{
		const Use  *use = lfirst(cell);
		char	   *module = is_own(lint, use) ? NULL : owner_of(lint, use);

		if (use->script != script)
			reported = NIL;
		script = use->script;
		if (module == NULL || is_required(lint->source->manifest, module) ||
			pd_has_text(reported, module))
			continue;
		reported = lappend(reported, module);
		lint->script = use->script;
		lint->location = use->location;
		pd_lint_report(lint, PD_LINT_MISSING_REQUIREMENT, NoLock, module,
					   "table \"%s\" is one of module \"%s\", which \"requires\" does not name",
					   use->table, module);
	}
	lint->script = NULL;
}
