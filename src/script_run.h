/*-------------------------------------------------------------------------
 *
 * script_run.h
 *	  The module script that is running, and the tenant that it is held to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SCRIPT_RUN_H
#define PUBLICDIGIT_SCRIPT_RUN_H

#include "postgres.h"

#include "nodes/nodes.h"
#include "nodes/pg_list.h"

#include "binding.h"
#include "catalog.h"
#include "module_source.h"
#include "registry.h"

/* A relation that scripts have renamed. */
typedef struct PdRenamed
{
	Oid			relid;
	char	   *former_name;	/* before the first of them */
} PdRenamed;

/* Where scripts run, and what they have made there so far. */
typedef struct PdScriptRun
{
	PdContextKind context;
	PdTenant	tenant;			/* where context is PD_TENANT */
	const PdManifest *manifest;
	const char *version;		/* whose scripts run, for error contexts */
	const char *own;			/* what of ours runs in a script's place; else NULL */
	bool		is_installed;	/* the target had the module before */
	MemoryContext memory;		/* of the lists below */
	Oid			schema;
	Oid			owner;			/* the role that scripts run as */
	char	   *search_path;
	List	   *created;		/* OIDs of relations, dropped ones too */
	List	   *relations;		/* OIDs, made or altered */
	List	   *functions;		/* OIDs, made or altered */
	List	   *guarded;		/* OIDs of tables that were protected, and of which policies went or changed */
	List	   *unprotected;	/* of these, those not looked at for RLS yet */
	List	   *touched;		/* of ObjectAddress *, in this statement */
	List	   *objects;		/* of ObjectAddress *, made or altered */
	List	   *renamed;		/* of PdRenamed *, relations */
	List	   *released;		/* OIDs of sequences that got another column, or none */
	int			cached;			/* of these, those that caches may have rows of */
	bool		names_changed;	/* objects have come, gone or been renamed */
	bool		is_firing;		/* its deferred triggers, at its end */
	Oid			referring;		/* a table that we read for references, or invalid */
} PdScriptRun;

/* For pd_script_running() alone. */
extern PdScriptRun *pd_script_current;

/*
 * pd_script_running
 *		The script whose statement is being executed, or NULL.
 */
static inline PdScriptRun *
pd_script_running(void)
{
	return pd_script_current;
}

extern void pd_script_run_init(void);
extern void pd_script_set_running(PdScriptRun *run);
extern bool pd_script_is_binding_of(const PdScriptRun *run, PdBindingKind kind,
									const pg_uuid_t *tenant);
extern void pd_script_report_left_tenant(const PdScriptRun *run);
extern void pd_script_check_binding(const PdBinding *binding);
extern void pd_script_ensure_may_bind(PdBindingKind kind, const pg_uuid_t *tenant);

#endif							/* PUBLICDIGIT_SCRIPT_RUN_H */
