/*-------------------------------------------------------------------------
 *
 * script_run.c
 *	  The module script that is running, and the tenant that it is held to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "script_run.h"

/* The script whose statement is being executed; NULL between statements. */
PdScriptRun *pd_script_current = NULL;

/*
 * end_script
 *		Transaction callback: no script outlives its transaction.
 *
 * Who runs a statement puts back what was there, after an error too.  A session
 * that is terminated passes that by: it rolls back, and drops its temporary tables
 * then, which are none of a script's.
 */
static void
end_script(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT && pd_script_current != NULL)
		pd_script_set_running(NULL);
}

/*
 * pd_script_run_init
 *		Called once, by _PG_init.
 */
void
pd_script_run_init(void)
{
	RegisterXactCallback(end_script, NULL);
}

/*
 * pd_script_set_running
 *		Begin or end a statement: what may be bound changes with it.
 */
void
pd_script_set_running(PdScriptRun *run)
{
	pd_script_current = run;
	pd_epoch++;
}

/*
 * pd_script_is_binding_of
 *		Is this what the run has bound?
 */
bool
pd_script_is_binding_of(const PdScriptRun *run, PdBindingKind kind,
						const pg_uuid_t *tenant)
{
	if (run->context == PD_LANDLORD)
		return kind == PD_BOUND_LANDLORD;
	return pd_is_tenant(kind, tenant, &run->tenant.id);
}

/*
 * pd_script_report_left_tenant
 *		Raise 42501 for a script that tries to work as somebody else.
 */
void
pd_script_report_left_tenant(const PdScriptRun *run)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 run->context == PD_LANDLORD ?
			 errmsg("a module script of the landlord may not bind a tenant") :
			 errmsg("a module script may not leave the tenant \"%s\"", run->tenant.slug),
			 errdetail("A script stays bound to whom it is installed for until it ends.")));
}

/*
 * pd_script_check_binding
 *		An error if a running script has left its tenant.
 */
void
pd_script_check_binding(const PdBinding *binding)
{
	if (pd_script_current != NULL &&
		!pd_script_is_binding_of(pd_script_current, binding->kind, &binding->tenant))
		pd_script_report_left_tenant(pd_script_current);
}

/*
 * pd_script_ensure_may_bind
 *		An error if a running script may not bind this.
 */
void
pd_script_ensure_may_bind(PdBindingKind kind, const pg_uuid_t *tenant)
{
	if (pd_script_current != NULL && !pd_script_is_binding_of(pd_script_current, kind, tenant))
		pd_script_report_left_tenant(pd_script_current);
}
