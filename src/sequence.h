/*-------------------------------------------------------------------------
 *
 * sequence.h
 *	  Whose sequences may be drawn from.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SEQUENCE_H
#define PUBLICDIGIT_SEQUENCE_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/* Called by hooks.c. */
extern void pd_sequence_guard(Query *query);
extern void pd_sequence_guard_lookup(Oid function);

#endif							/* PUBLICDIGIT_SEQUENCE_H */
