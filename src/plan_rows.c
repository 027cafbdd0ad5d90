/*-------------------------------------------------------------------------
 *
 * plan_rows.c
 *	  plan_module: what a change of modules would do, as rows.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "install.h"
#include "script_text.h"
#include "spi.h"

/*
 * planned_changes
 *		What the action would do.  Errors: those of the function of that name;
 *		22023 for an action that there is not.
 */
static List *
planned_changes(const char *action, const char *module, const PdTenantRef *ref,
				const char *version, PdTarget *target)
{
	bool		adds = strcmp(action, "install") == 0 || strcmp(action, "seed") == 0;

	/* A read-only transaction can take no lock, and carries out no plan. */
	pd_module_target(ref, module, XactReadOnly ? PD_TARGET_READ :
					 adds ? PD_TARGET_ADD : PD_TARGET_CHANGE, target);
	if (strcmp(action, "install") == 0)
		return pd_plan_install(target, module, version);
	if (strcmp(action, "upgrade") == 0)
		return pd_plan_upgrade(target, module, version);
	if (strcmp(action, "downgrade") == 0 && version != NULL)
		return pd_plan_downgrade(target, module, version);
	if (strcmp(action, "downgrade") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("version must not be null"),
				 errhint("Name the version to go down to.")));
	if (strcmp(action, "uninstall") == 0)
		return pd_plan_uninstall(target, module, false);
	if (strcmp(action, "seed") == 0)
		return pd_plan_seed(target, module);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no action \"%s\"", action),
			 errhint("An action is install, upgrade, downgrade, uninstall or seed.")));
}

/*
 * step_name
 *		A kind of step as plan_module spells it.
 */
static const char *
step_name(PdStepKind kind)
{
	switch (kind)
	{
		case PD_STEP_APPLY:
			return "apply";
		case PD_STEP_UNDO:
			return "undo";
		case PD_STEP_VERIFY:
			return "verify";
		case PD_STEP_CALL:
			return "call";
		case PD_STEP_DROP:
		case PD_STEP_DISCARD:
			return "drop";
		case PD_STEP_ARCHIVE:
		case PD_STEP_MOVE:
			return "move";
		case PD_STEP_SEED:
			return "seed";
		case PD_STEP_REVOKE:
			return "revoke";
		case PD_STEP_GRANT:
			return "grant";
	}
	return NULL;
}

/*
 * put_row
 *		One statement of one step.
 */
static void
put_row(ReturnSetInfo *rsinfo, int number, const PdChange *change,
		const PdStep *step, const char *statement)
{
	const PdManifest *manifest = pd_step_version(change, step)->source->manifest;
	const char *migration = step->script == NULL ? NULL :
		step->script->migration != NULL ? step->script->migration : step->script->path;
	Datum		values[6];
	bool		nulls[6] = {false};

	values[0] = Int32GetDatum(number);
	values[1] = CStringGetTextDatum(step_name(step->kind));
	values[2] = CStringGetTextDatum(manifest->name);
	values[3] = CStringGetTextDatum(manifest->version);
	if (migration == NULL)
		nulls[4] = true;
	else
		values[4] = CStringGetTextDatum(migration);
	values[5] = CStringGetTextDatum(statement);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* What the error context tells of. */
typedef struct Position
{
	const PdChange *change;
	const PdStep *step;
} Position;

/*
 * error_context
 *		Error context callback: module, script and line, as when it runs.
 */
static void
error_context(void *arg)
{
	const Position *position = arg;
	const PdManifest *manifest = pd_step_version(position->change, position->step)->source->manifest;
	const PdScript *script = position->step->script;

	if (script != NULL)
		errcontext("module \"%s\" version %s, script \"%s\", line %d",
				   manifest->name, manifest->version, script->path,
				   pd_script_line(script->content,
								  pd_script_take_error_position(script->content, 0)));
}

/*
 * parse_step
 *		The statements of a step, split as when it runs.
 */
static List *
parse_step(const PdChange *change, const PdStep *step, const char *content)
{
	Position	position = {change, step};
	ErrorContextCallback callback;
	List	   *statements;
	int			nestlevel = NewGUCNestLevel();

	(void) set_config_option("standard_conforming_strings", "on",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	callback.callback = error_context;
	callback.arg = &position;
	callback.previous = error_context_stack;
	error_context_stack = &callback;
	statements = pg_parse_query(content);
	error_context_stack = callback.previous;
	AtEOXact_GUC(true, nestlevel);
	return statements;
}

/*
 * put_step
 *		The statements of a step.  False where it has none.
 */
static bool
put_step(ReturnSetInfo *rsinfo, int number, const PdChange *change,
		 const PdStep *step)
{
	const char *content = step->sql != NULL ? step->sql : step->script->content;
	List	   *statements = parse_step(change, step, content);
	ListCell   *cell;

	foreach(cell, statements)
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);
		int			start = pd_script_skip_blanks(content, raw->stmt_location);
		int			end = raw->stmt_len > 0 ?
			raw->stmt_location + raw->stmt_len : (int) strlen(content);

		CHECK_FOR_INTERRUPTS();
		put_row(rsinfo, number, change, step, pnstrdup(content + start, end - start));
	}
	return statements != NIL;
}

/*
 * plan_module(action, module, tenant DEFAULT '@current', version DEFAULT NULL) → setof record
 *		The statements that a change of modules would run, and runs none.
 *		Errors: 22004, 22023, and those that the change itself would have
 *		before its first statement.
 */
PD_TENANT_FUNCTION(pd_plan_module, 2, PD_ALLOW_LANDLORD | PD_ALLOW_UNBOUND)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	char	   *module = pd_module_argument(fcinfo, 1);
	char	   *version = pd_version_argument(fcinfo, 3);
	PdTarget	target;
	int			number = 1;
	ListCell   *cell;
	PdSpi		spi;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("action must not be null")));
	pd_catalog_set_up();
	InitMaterializedSRF(fcinfo, 0);
	pd_spi_begin(&spi);
	foreach(cell, planned_changes(text_to_cstring(PG_GETARG_TEXT_PP(0)), module, ref,
								  version, &target))
	{
		const PdChange *change = lfirst(cell);
		ListCell   *step;

		foreach(step, change->steps)
		{
			if (put_step(rsinfo, number, change, lfirst(step)))
				number++;
		}
	}
	pd_spi_end(&spi);
	return (Datum) 0;
}
