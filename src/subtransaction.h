/*-------------------------------------------------------------------------
 *
 * subtransaction.h
 *	  Work whose effects can be undone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SUBTRANSACTION_H
#define PUBLICDIGIT_SUBTRANSACTION_H

#include "postgres.h"

typedef void (*PdWork) (void *arg);

extern void pd_do_and_undo(PdWork work, void *arg);
extern ErrorData *pd_try(PdWork work, void *arg);

#endif							/* PUBLICDIGIT_SUBTRANSACTION_H */
