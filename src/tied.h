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

typedef struct PdTiedQuery PdTiedQuery;

extern void pd_tied_init(void);
extern bool pd_tied_concerns(const PlannedStmt *plan);
extern void pd_tied_ensure_may_start(const QueryDesc *queryDesc);
extern PdTiedQuery *pd_tied_enter(void);
extern void pd_tied_start(const QueryDesc *queryDesc);
extern PdTiedQuery *pd_tied_begin(const QueryDesc *queryDesc);
extern void pd_tied_check_end(const PdTiedQuery *query);
extern void pd_tied_leave(const PdTiedQuery *query);
extern bool pd_tied_allows(const PdBinding *binding);
extern void pd_tied_check_binding(const PdBinding *binding);

#endif							/* PUBLICDIGIT_TIED_H */
