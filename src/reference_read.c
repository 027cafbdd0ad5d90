/*-------------------------------------------------------------------------
 *
 * reference_read.c
 *	  What a trigger says of the reference that it is.
 *
 * Nothing but the trigger itself says which column refers to which table.  Who
 * may execute the function, as the owner role must for the partitions that its
 * scripts make, can make triggers of it by hand.  So a trigger counts only if it
 * is just what reference_landlord() or share_table() would have made: then it is
 * a reference like any other.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/primnodes.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "reference.h"

/*
 * pd_reference_key_family
 *		A type that stands for all those whose values can be keys of each other;
 *		InvalidOid for a type whose values cannot be.
 *
 * Built-in types only, of which a value reads the same whatever the session's
 * settings are, and whose comparison runs nobody's code.
 */
Oid
pd_reference_key_family(Oid type)
{
	switch (getBaseType(type))
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return INT8OID;
		case TEXTOID:
		case VARCHAROID:
			return TEXTOID;
		case BPCHAROID:
		case NAMEOID:
		case NUMERICOID:
		case UUIDOID:
			return getBaseType(type);
		default:
			return InvalidOid;
	}
}

/*
 * tested_for_null
 *		What a node that reads "x IS NOT NULL" has as its x; NULL for another.
 */
static Node *
tested_for_null(Node *node)
{
	return node != NULL && IsA(node, NullTest) &&
		((NullTest *) node)->nulltesttype == IS_NOT_NULL ?
		(Node *) ((NullTest *) node)->arg : NULL;
}

/*
 * read_condition
 *		Read a condition as we make it: "column IS NOT NULL", on a tenant's table
 *		with "AND 'landlord.table'::regclass IS NOT NULL".
 */
static void
read_condition(Node *condition, bool has_landlord, PdReference *reference)
{
	Node	   *column = condition;

	if (has_landlord)
	{
		BoolExpr   *both = (BoolExpr *) condition;
		Node	   *landlord;

		if (condition == NULL || !IsA(condition, BoolExpr) ||
			both->boolop != AND_EXPR || list_length(both->args) != 2)
			return;
		column = linitial(both->args);
		landlord = tested_for_null(lsecond(both->args));
		if (landlord != NULL && IsA(landlord, Const) &&
			((Const *) landlord)->consttype == REGCLASSOID &&
			!((Const *) landlord)->constisnull)
			reference->landlord = DatumGetObjectId(((Const *) landlord)->constvalue);
	}
	column = tested_for_null(column);
	if (column != NULL && IsA(column, Var))
		reference->column = ((Var *) column)->varattno;
}

/*
 * is_as_made
 *		Is a trigger of the kind that we make: with all of the named events, for
 *		whatever column is updated, at once, and without arguments?
 */
static bool
is_as_made(const Trigger *trigger)
{
	return (trigger->tgtype == PD_TRIGGER_TYPE_CHECK ||
			(trigger->tgtype == PD_TRIGGER_TYPE_KEY &&
			 strcmp(trigger->tgname, PD_TRIGGER_KEY) == 0)) &&
		trigger->tgnargs == 0 && trigger->tgnattr == 0 && !trigger->tgdeferrable;
}

/*
 * pd_reference_read
 *		What a trigger of ours is about, as its condition says.  The server
 *		keeps that up to date when columns and tables are renamed.
 *
 * Anybody with EXECUTE on the function makes a trigger like it: an error (55000)
 * for one that is not just as we make it, and could lead us to take a key for
 * another.
 */
void
pd_reference_read(Relation rel, const Trigger *trigger, PdReference *reference)
{
	bool		is_tenants = trigger->tgtype == PD_TRIGGER_TYPE_CHECK;

	reference->column = InvalidAttrNumber;
	reference->landlord = InvalidOid;
	if (trigger->tgqual != NULL && is_as_made(trigger))
		read_condition(stringToNode(trigger->tgqual), is_tenants, reference);

	if (reference->column <= 0 ||
		reference->column > RelationGetNumberOfAttributes(rel) ||
		!OidIsValid(pd_reference_key_family(TupleDescAttr(RelationGetDescr(rel),
														  reference->column - 1)->atttypid)) ||
		(is_tenants && !OidIsValid(reference->landlord)))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("trigger \"%s\" of table \"%s\" was not made by publicdigit",
						trigger->tgname, RelationGetRelationName(rel)),
				 errhint("Drop it, and call publicdigit.reference_landlord() for a tenant's table, publicdigit.share_table() for the landlord's.")));
}
