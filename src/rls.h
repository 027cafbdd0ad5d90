/*-------------------------------------------------------------------------
 *
 * rls.h
 *	  SQL functions for row-level security of single tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_RLS_H
#define PUBLICDIGIT_RLS_H

#include "postgres.h"

#include "fmgr.h"
#include "storage/lockdefs.h"

extern Oid	pd_lock_own_table(FunctionCallInfo fcinfo, LOCKMODE lockmode, Oid *owner);

#endif							/* PUBLICDIGIT_RLS_H */
