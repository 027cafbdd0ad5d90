/*-------------------------------------------------------------------------
 *
 * golden.h
 *	  The golden rules, checked on tables that are there.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_GOLDEN_H
#define PUBLICDIGIT_GOLDEN_H

#include "postgres.h"

#include "nodes/pg_list.h"

/* Lists are of OIDs.  All must be called inside pd_spi_begin. */
extern void pd_check_tables(List *tables, List *created, Oid owner);
extern void pd_check_functions(List *functions);
extern void pd_check_materialized_views(List *relations);
extern void pd_check_views(List *views, Oid owner);
extern void pd_check_keys(List *tables, const char *tenant_column);
extern char *pd_keys_without_tenant(List *tables, const char *tenant_column);

/* golden_table.c */
extern bool pd_table_keeps_rule(Oid relid, Oid owner);
extern bool pd_has_nulling_key(Oid relid);

#endif							/* PUBLICDIGIT_GOLDEN_H */
