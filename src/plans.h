/*-------------------------------------------------------------------------
 *
 * plans.h
 *	  Generic plans of prepared statements, kept for each tenant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_PLANS_H
#define PUBLICDIGIT_PLANS_H

#include "postgres.h"

#include "nodes/params.h"
#include "nodes/plannodes.h"

extern void pd_plans_init(void);
extern bool pd_plans_concern(Query *query, ParamListInfo params);
extern PlannedStmt *pd_plans_find(const Query *query, const char *text,
								  int cursor_options);
extern Query *pd_plans_copy_query(const Query *query);
extern void pd_plans_keep(Query *query, const char *text, int cursor_options,
						  const PlannedStmt *plan);

#endif							/* PUBLICDIGIT_PLANS_H */
