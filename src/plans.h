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

/* A query on its way through the planner; freed with the caller's memory. */
typedef struct PdPlanToKeep
{
	MemoryContext memory;		/* of the copy */
	List	   *path;
	Query	   *query;
	List	   *relations;
	List	   *objects;
	uint64		invalidations;	/* how many there had been */
} PdPlanToKeep;

extern void pd_plans_init(void);
extern void pd_plans_discard(void);
extern bool pd_plans_concern(Query *query, ParamListInfo params);
extern PlannedStmt *pd_plans_find(const Query *query, const char *text,
								  int cursor_options);
extern void pd_plans_begin(PdPlanToKeep *begun, Query *query);
extern void pd_plans_keep(PdPlanToKeep *begun, const char *text,
						  int cursor_options, PlannedStmt *plan);

#endif							/* PUBLICDIGIT_PLANS_H */
