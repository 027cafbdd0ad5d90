/*-------------------------------------------------------------------------
 *
 * subtransaction.c
 *	  Work whose effects can be undone.
 *
 * Whoever begins a subtransaction has to end it, after an error too: a caller
 * that catches the error, such as an exception block of PL/pgSQL, ends the
 * one that it finds, and takes it for its own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "subtransaction.h"

/*
 * run
 *		Do work in a subtransaction and commit that or roll it back; after an
 *		error it is rolled back.  Returns the error, or NULL.
 */
static ErrorData *
run(PdWork work, void *arg, bool commit)
{
	MemoryContext memory = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(memory);
	PG_TRY();
	{
		work(arg);
		if (commit)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(memory);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(memory);
	CurrentResourceOwner = owner;
	return error;
}

/*
 * pd_do_and_undo
 *		Do work and take back what it did to the database.  An error is raised
 *		again.
 */
void
pd_do_and_undo(PdWork work, void *arg)
{
	ErrorData  *error = run(work, arg, false);

	if (error != NULL)
		ReThrowError(error);
}

/*
 * pd_try
 *		Do work, or, after an error, nothing of it.  Returns the error, in the
 *		current memory context, or NULL.
 */
ErrorData *
pd_try(PdWork work, void *arg)
{
	return run(work, arg, true);
}
