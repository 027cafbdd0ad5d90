/*-------------------------------------------------------------------------
 *
 * inval.h
 *	  Whom the server's news of changed tables reaches.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_INVAL_H
#define PUBLICDIGIT_INVAL_H

#include "postgres.h"

/* Called by _PG_init. */
extern void pd_inval_init(void);

/* Each in the file of its cache; InvalidOid stands for any table. */
extern void pd_registry_table_changed(Oid relid);
extern void pd_plans_table_changed(Oid relid);
extern void pd_guard_table_changed(Oid relid);
extern void pd_reference_table_changed(Oid relid);

#endif							/* PUBLICDIGIT_INVAL_H */
