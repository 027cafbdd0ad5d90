/*-------------------------------------------------------------------------
 *
 * lint_column.c
 *	  Rules for columns and constraints, in CREATE TABLE and ALTER TABLE.
 *
 * What a column's present type is, how many rows there are and whether a
 * module's own function is volatile, no statement says.  Where that decides,
 * the finding says that it may be so.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "nodes/nodeFuncs.h"

#include "catalog.h"
#include "compat.h"
#include "lint_rule.h"
#include "protect.h"
#include "spi.h"

/* What is known of an expression's functions. */
typedef struct Volatility
{
	bool		is_volatile;
	const char *function;		/* the volatile or unknown one, or NULL */
} Volatility;

/*
 * is_type
 *		Is this the server's type of that name, and no array of it?
 */
static bool
is_type(const TypeName *type, const char *name)
{
	return type != NULL && type->names != NIL && type->arrayBounds == NIL &&
		strcmp(strVal(llast(type->names)), name) == 0 &&
		(list_length(type->names) == 1 ||
		 strcmp(strVal(linitial(type->names)), "pg_catalog") == 0);
}

/*
 * is_serial
 *		Is this one of the types that stand for a sequence?
 */
static bool
is_serial(const TypeName *type)
{
	static const char *const names[] = {
		"serial", "serial4", "bigserial", "serial8", "smallserial", "serial2"
	};

	for (int i = 0; i < lengthof(names); i++)
	{
		if (is_type(type, names[i]))
			return true;
	}
	return false;
}

/*
 * has_name
 *		Is the name in a list of String?
 */
static bool
has_name(const List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(strVal(lfirst(cell)), name) == 0)
			return true;
	}
	return false;
}

/*
 * pd_lint_is_tenant_table
 *		Does the table hold rows of tenants?  In a landlord's module those do
 *		that the manifest says so of.
 */
bool
pd_lint_is_tenant_table(const PdLint *lint, const RangeVar *relation)
{
	const PdManifest *manifest = lint->source->manifest;
	const PdTableSpec *table;

	if (relation->relpersistence == RELPERSISTENCE_TEMP)
		return false;
	if (manifest->context == PD_TENANT)
		return true;
	table = pd_manifest_table(manifest, relation->relname);
	return table != NULL && table->is_tenant;
}

/*
 * pd_lint_tenant_column
 *		The rules for a new column tenant_id.  A default does no harm, since
 *		the installer replaces it.
 */
void
pd_lint_tenant_column(PdLint *lint, const char *table, const ColumnDef *column)
{
	const char *object = psprintf("table \"%s\"", table);
	ListCell   *cell;

	pd_lint_retract(lint, PD_LINT_TENANT_ID_MISSING, object);
	/* Of a typed table and of a partition it stands elsewhere. */
	if (column->typeName != NULL && !is_type(column->typeName, "uuid"))
		pd_lint_report(lint, PD_LINT_TENANT_ID_TYPE, NoLock, object,
					   "column \"%s\" of table \"%s\" is not of type uuid",
					   PD_TENANT_COLUMN, table);
	foreach(cell, column->constraints)
	{
		if (lfirst_node(Constraint, cell)->contype == CONSTR_NULL)
			pd_lint_report(lint, PD_LINT_TENANT_ID_NULL, NoLock, object,
						   "column \"%s\" of table \"%s\" may be null",
						   PD_TENANT_COLUMN, table);
	}
}

/*
 * find_volatile
 *		Tree walker: stop at a function that is, or may be, volatile.
 */
static bool
find_volatile(Node *node, void *context)
{
	Volatility *volatility = context;

	if (node == NULL)
		return false;
	if (IsA(node, FuncCall))
	{
		List	   *names = ((FuncCall *) node)->funcname;
		const char *schema = list_length(names) > 1 ?
			strVal(list_nth(names, list_length(names) - 2)) : "pg_catalog";
		uint64		n;

		/* Those of other schemas may be others in a tenant's path. */
		n = pd_spi_query("SELECT p.provolatile = 'v' AS is_volatile"
						 " FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
						 " WHERE n.nspname = $1 AND p.proname = $2"
						 " AND n.nspname IN ('pg_catalog', 'publicdigit')"
						 " ORDER BY 1 DESC LIMIT 1",
						 PD_ARGS(pd_text(schema), pd_text(strVal(llast(names)))));
		volatility->function = NameListToString(names);
		if (n == 0)
			return true;
		if (strcmp(pd_spi_text(0, "is_volatile"), "t") == 0)
			return volatility->is_volatile = true;
		volatility->function = NULL;
	}
	return raw_expression_tree_walker(node, find_volatile, context);
}

/*
 * check_default
 *		The rule for the default of a column that is added.
 */
static void
check_default(PdLint *lint, const char *table, const ColumnDef *column,
			  Node *expression, LOCKMODE lock)
{
	Volatility	volatility = {0};

	if (!find_volatile(expression, &volatility))
		return;
	pd_lint_report(lint, PD_LINT_VOLATILE_DEFAULT, lock,
				   psprintf("table \"%s\"", table),
				   volatility.is_volatile ?
				   "ADD COLUMN \"%s\" rewrites table \"%s\", since function %s is volatile" :
				   "ADD COLUMN \"%s\" rewrites table \"%s\" unless function %s is STABLE or IMMUTABLE",
				   column->colname, table, volatility.function);
}

/*
 * pd_lint_added_column
 *		The rules for a column that a table in use gets.
 */
void
pd_lint_added_column(PdLint *lint, const char *table, const ColumnDef *column,
					 LOCKMODE lock)
{
	const char *object = psprintf("table \"%s\"", table);
	const char *filled = is_serial(column->typeName) ? "a serial column" : NULL;
	Node	   *expression = NULL;
	bool		is_not_null = false;
	ListCell   *cell;

	foreach(cell, column->constraints)
	{
		const Constraint *constraint = lfirst_node(Constraint, cell);

		switch (constraint->contype)
		{
			case CONSTR_NOTNULL:
			case CONSTR_PRIMARY:
				is_not_null = true;
				break;
			case CONSTR_DEFAULT:
				if (!IsA(constraint->raw_expr, A_Const) ||
					!((A_Const *) constraint->raw_expr)->isnull)
					expression = constraint->raw_expr;
				break;
			case CONSTR_IDENTITY:
				filled = "an identity column";
				break;
			case CONSTR_GENERATED:
				/* A virtual one has no place in the rows. */
				filled = pd_is_stored(constraint) ? "a stored generated column" : "";
				break;
			default:
				break;
		}
	}

	if (filled != NULL && filled[0] != '\0')
		pd_lint_report(lint, PD_LINT_FILLED_COLUMN, lock, object,
					   "ADD COLUMN \"%s\" rewrites table \"%s\" to fill %s",
					   column->colname, table, filled);
	else if (expression != NULL)
		check_default(lint, table, column, expression, lock);
	else if (is_not_null && filled == NULL)
		pd_lint_report(lint, PD_LINT_NOT_NULL_WITHOUT_DEFAULT, lock, object,
					   "ADD COLUMN \"%s\" NOT NULL without a default fails where table \"%s\" has rows",
					   column->colname, table);

	foreach(cell, column->constraints)
	{
		const Constraint *constraint = lfirst_node(Constraint, cell);

		/* A column of nulls refers to nothing, so that no row is read. */
		if (constraint->contype != CONSTR_FOREIGN || expression != NULL)
			pd_lint_added_constraint(lint, table, column->colname, constraint, lock);
	}
}

/*
 * pd_lint_added_constraint
 *		The rules for a constraint that a table in use gets.  column is that
 *		which it stands with, or NULL.
 */
void
pd_lint_added_constraint(PdLint *lint, const char *table, const char *column,
						 const Constraint *constraint, LOCKMODE lock)
{
	const char *object = psprintf("table \"%s\"", table);
	const char *key = constraint->contype == CONSTR_PRIMARY ? "primary key" : "unique constraint";

	switch (constraint->contype)
	{
		case CONSTR_CHECK:
			if (!constraint->skip_validation && pd_is_enforced(constraint))
				pd_lint_report(lint, PD_LINT_CHECK_CONSTRAINT, lock, object,
							   "a new CHECK constraint reads all rows of table \"%s\"", table);
			break;
		case CONSTR_FOREIGN:
			if (!constraint->skip_validation && pd_is_enforced(constraint))
				pd_lint_report(lint, PD_LINT_FOREIGN_KEY, lock, object,
							   "a new foreign key reads all rows of table \"%s\", and keeps writers off table \"%s\" meanwhile",
							   table, pd_lint_name(lint, constraint->pktable));
			break;
		case CONSTR_PRIMARY:
		case CONSTR_UNIQUE:
			if (constraint->indexname == NULL)
				pd_lint_report(lint, PD_LINT_UNIQUE_CONSTRAINT, lock, object,
							   "a new %s builds an index while nobody reads or writes table \"%s\"",
							   key, table);
			break;
		case CONSTR_EXCLUSION:
			pd_lint_report(lint, PD_LINT_EXCLUSION_CONSTRAINT, lock, object,
						   "a new exclusion constraint builds an index while nobody reads or writes table \"%s\"",
						   table);
			break;
		case CONSTR_NOTNULL:
			/* Of a table from PostgreSQL 18 on; a new column's reads no row. */
			if (column == NULL && !constraint->skip_validation)
				pd_lint_report(lint, PD_LINT_SET_NOT_NULL, lock, object,
							   "a new NOT NULL constraint reads all rows of table \"%s\"", table);
			break;
		default:
			break;
	}
}

/*
 * is_landlord_table
 *		Does a landlord's module have a table of that name?
 */
static bool
is_landlord_table(const PdLint *lint, const RangeVar *relation)
{
	if (relation->schemaname != NULL)
		return strcmp(relation->schemaname, PD_LANDLORD_SCHEMA) == 0;
	if (pd_lint_has_made(lint, OBJECT_TABLE, NULL, relation->relname) ||
		pd_manifest_table(lint->source->manifest, relation->relname) != NULL)
		return false;
	return pd_spi_query("SELECT FROM publicdigit.module AS m"
						" JOIN publicdigit.module_version AS v ON v.module = m.name"
						" WHERE m.context = 'landlord' AND v.manifest -> 'tables' ? $1 LIMIT 1",
						PD_ARGS(pd_text(relation->relname))) > 0;
}

/*
 * pd_lint_foreign_key
 *		The golden rules for a foreign key of a table that holds rows of
 *		tenants.  column is that which it stands with, or NULL.
 */
void
pd_lint_foreign_key(PdLint *lint, const char *table, const char *column,
					const Constraint *key)
{
	const char *object = psprintf("table \"%s\"", table);
	bool		has_tenant = column != NULL ?
		strcmp(column, PD_TENANT_COLUMN) == 0 : has_name(key->fk_attrs, PD_TENANT_COLUMN);

	if (has_tenant &&
		(key->fk_upd_action == FKCONSTR_ACTION_SETNULL ||
		 (key->fk_del_action == FKCONSTR_ACTION_SETNULL &&
		  (key->fk_del_set_cols == NIL || has_name(key->fk_del_set_cols, PD_TENANT_COLUMN)))))
		pd_lint_report(lint, PD_LINT_FOREIGN_KEY_NULLS_TENANT, NoLock, object,
					   "a foreign key of table \"%s\" would set column \"%s\" to null",
					   table, PD_TENANT_COLUMN);
	if (lint->source->manifest->context == PD_TENANT &&
		is_landlord_table(lint, key->pktable))
		pd_lint_report(lint, PD_LINT_REFERENCE_LANDLORD, ShareRowExclusiveLock,
					   psprintf("table \"%s\"", pd_lint_name(lint, key->pktable)),
					   "a foreign key of table \"%s\" refers to the landlord's table \"%s\"",
					   table, key->pktable->relname);
}
