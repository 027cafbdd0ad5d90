/*-------------------------------------------------------------------------
 *
 * script_verify.c
 *	  What the queries of a verify script say.
 *
 * A query of one boolean column is a question: whoever writes SELECT count(*) = 3
 * FROM t wants it answered with yes, and would not notice that nobody reads the
 * answer.  Other queries are for what they raise, as where they name columns that
 * must be there, and what they give is thrown away.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "utils/lsyscache.h"

#include "errors.h"
#include "script_verify.h"

/* What looks at the rows of one query. */
typedef struct VerifyReceiver
{
	DestReceiver pub;
	bool		is_question;	/* the query has one column, a boolean */
	uint64		rows;
} VerifyReceiver;

/*
 * start
 *		DestReceiver: a query begins.  What INSERT ... RETURNING and the like give
 *		is no question.
 */
static void
start(DestReceiver *self, int operation, TupleDesc typeinfo)
{
	VerifyReceiver *receiver = (VerifyReceiver *) self;

	receiver->is_question = operation == CMD_SELECT && typeinfo->natts == 1 &&
		getBaseType(TupleDescAttr(typeinfo, 0)->atttypid) == BOOLOID;
	receiver->rows = 0;
}

/*
 * look_at_row
 *		DestReceiver: a row.  Raises PD003 for one that does not say yes.
 */
static bool
look_at_row(TupleTableSlot *slot, DestReceiver *self)
{
	VerifyReceiver *receiver = (VerifyReceiver *) self;
	bool		isnull;
	Datum		value;

	if (!receiver->is_question)
		return true;
	receiver->rows++;
	value = slot_getattr(slot, 1, &isnull);
	if (isnull || !DatumGetBool(value))
		ereport(ERROR,
				(errcode(ERRCODE_PD_VERIFY),
				 errmsg("row " UINT64_FORMAT " of the query is %s", receiver->rows,
						isnull ? "null" : "false"),
				 errdetail("In a verify script a query of one boolean column must be true in every row.")));
	return true;
}

/*
 * finish
 *		DestReceiver: a query has ended.
 */
static void
finish(DestReceiver *self)
{
}

/*
 * destroy
 *		DestReceiver: it is not needed any more.
 */
static void
destroy(DestReceiver *self)
{
	pfree(self);
}

/*
 * pd_verify_receiver
 *		A receiver for the rows of a verify script's statement, in the current
 *		memory context.
 */
DestReceiver *
pd_verify_receiver(void)
{
	VerifyReceiver *receiver = palloc0(sizeof(VerifyReceiver));

	receiver->pub.rStartup = start;
	receiver->pub.receiveSlot = look_at_row;
	receiver->pub.rShutdown = finish;
	receiver->pub.rDestroy = destroy;
	receiver->pub.mydest = DestNone;
	return &receiver->pub;
}
