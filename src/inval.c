/*-------------------------------------------------------------------------
 *
 * inval.c
 *	  Whom the server's news of changed tables reaches.
 *
 * The server has room for few callbacks of this kind, which all libraries of a
 * session share, so there is one of ours.  It is called when caches must not be
 * read: what it calls may only forget.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/inval.h"

#include "inval.h"

/*
 * table_changed
 *		A table, or (InvalidOid) any, has changed.
 */
static void
table_changed(Datum arg, Oid relid)
{
	pd_registry_table_changed(relid);
	pd_guard_table_changed(relid);
	pd_plans_table_changed(relid);
	pd_reference_table_changed(relid);
}

/*
 * pd_inval_init
 *		Ask to be told of changes.  Called once, by _PG_init.
 */
void
pd_inval_init(void)
{
	CacheRegisterRelcacheCallback(table_changed, (Datum) 0);
}
