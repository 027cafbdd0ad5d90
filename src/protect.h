/*-------------------------------------------------------------------------
 *
 * protect.h
 *	  Tenant row-level security on tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_PROTECT_H
#define PUBLICDIGIT_PROTECT_H

#include "postgres.h"

#include "script_run.h"

#define PD_TENANT_COLUMN	"tenant_id"

/* The two policies that we make. */
#define PD_POLICY_TENANT	"publicdigit_tenant"	/* restrictive */
#define PD_POLICY_BOUND		"publicdigit_bound" /* permissive */

extern void pd_protect(Oid relid, const char *tenant_column);
extern void pd_protect_child(Oid relid, const char *tenant_column);
extern List *pd_parents_of(Oid relid);
extern bool pd_is_protected(Oid relid, NameData *tenant_column);
extern void pd_settle_bound_policy(Oid relid);
extern void pd_protect_created(PdScriptRun *run);

#endif							/* PUBLICDIGIT_PROTECT_H */
