/*-------------------------------------------------------------------------
 *
 * tied.h
 *	  Queries that work for one tenant from their start to their end.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_TIED_H
#define PUBLICDIGIT_TIED_H

#include "postgres.h"

#include "executor/execdesc.h"

#include "binding.h"

/* What runs now, and for whom.  Lies in the stack frame that runs it. */
typedef struct PdTie
{
	pg_uuid_t	tenant;			/* zeroes for none */
	uint64		epoch;			/* under which that was found right; 0 for none */
	Oid			user;			/* and for which session user */
	struct PdTie *outer;
} PdTie;

extern void pd_tied_init(void);
extern bool pd_tied_concerns(const PlannedStmt *plan);
extern void pd_tied_ensure_may_start(const QueryDesc *queryDesc);
extern void pd_tied_enter(PdTie *tie);
extern void pd_tied_start(const QueryDesc *queryDesc);
extern bool pd_tied_begin(const QueryDesc *queryDesc, PdTie *tie);
extern void pd_tied_check_end(const PdTie *tie);
extern void pd_tied_leave(const PdTie *tie);
extern bool pd_tied_is_checked(void);
extern bool pd_tied_allows(const PdBinding *binding);
extern void pd_tied_check_binding(const PdBinding *binding);

#endif							/* PUBLICDIGIT_TIED_H */
