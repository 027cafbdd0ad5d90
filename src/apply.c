/*-------------------------------------------------------------------------
 *
 * apply.c
 *	  Carrying out what has been planned: the one way by which modules change.
 *
 * Scripts, ledger and registry change in the caller's transaction, so that an
 * error leaves nothing half done.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "apply.h"
#include "chain.h"
#include "compat.h"
#include "grants.h"
#include "module_object.h"
#include "run_check.h"
#include "script.h"
#include "spi.h"

/* A change while it is made. */
typedef struct Work
{
	const PdTarget *target;
	const PdChange *change;
	const PdManifest *manifest; /* of the version whose scripts run */
	int32		batch;
	PdScriptRun run;
	int			count;			/* of migrations applied or undone */
	List	   *kept;			/* of PdModuleObject, that no step should touch */
} Work;

/*
 * ensure_tables_made
 *		An error (22023) for a table that the manifest names and that the module
 *		has not made: there is none, or it is another module's.  55000 for one
 *		that somebody has dropped in the archive.
 */
static void
ensure_tables_made(const Work *work)
{
	const PdVersion *from = work->change->from;
	ListCell   *cell;

	foreach(cell, work->manifest->tables)
	{
		const PdTableSpec *spec = lfirst(cell);
		Oid			relid = get_relname_relid(spec->name, work->run.schema);
		char		relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';
		bool		was_there = from != NULL &&
			pd_manifest_table(from->source->manifest, spec->name) != NULL;

		if (work->change->verb == PD_VERB_RESTORE && was_there && !OidIsValid(relid))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table \"%s\" of module \"%s\" is not in the archive any more",
							spec->name, work->manifest->name),
					 errhint("Put it back there, or throw the rest away by calling uninstall_module with cascade => true, and install the module anew.")));
		if ((relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE) ||
			(!was_there && !list_member_oid(from == NULL ? work->run.created :
											work->run.relations, relid)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("no script of module \"%s\" makes the table \"%s\"",
							work->manifest->name, spec->name),
					 errdetail("The manifest names it under \"tables\"."),
					 was_there && !OidIsValid(relid) ?
					 errhint("It was made before.  If it was dropped by hand, publicdigit.check_drift('%s') tells so; if a migration drops it, take its name out of module.json.",
							 work->target->context == PD_TENANT ? work->target->tenant.slug : "@landlord") :
					 relkind == RELKIND_VIEW ?
					 errhint("There is a view of that name; views are named under \"views\".") :
					 errhint("Create the table in a migration, or take its name out of module.json.")));
	}
}

/*
 * report_table_left
 *		Raise 55000 for a table that down scripts have left.
 */
pg_noreturn static void
report_table_left(const char *module, const char *table)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the down scripts of module \"%s\" leave table \"%s\" behind",
					module, table),
			 errhint("Drop the table in the down script of the migration that makes it.")));
}

/*
 * ensure_tables_gone
 *		An error (55000) where down scripts have left a table that the
 *		manifest of the version before names.
 */
static void
ensure_tables_gone(const Work *work)
{
	const PdManifest *before = work->change->from->source->manifest;
	ListCell   *cell;

	foreach(cell, before->tables)
	{
		const PdTableSpec *spec = lfirst(cell);

		if (work->change->to != NULL &&
			(pd_manifest_table(work->manifest, spec->name) != NULL ||
			 pd_manifest_has_view(work->manifest, spec->name)))
			continue;
		if (OidIsValid(get_relname_relid(spec->name, work->run.schema)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the down scripts of module \"%s\" leave table \"%s\" behind",
							before->name, spec->name),
					 errhint("Drop the table in the down script of the migration that makes it, or in the installer's uninstall function.")));
	}
}

/*
 * ensure_nothing_left
 *		After the removal of a module: an error (55000) where a table is left that
 *		its manifest does not name, and a warning of anything else, of which the app
 *		role keeps nothing.  Nobody would know any more whose they are.
 */
static void
ensure_nothing_left(Work *work)
{
	const char *module = work->manifest->name;

	pd_module_objects_record(&work->run, work->change->ledger->installation, NULL);
	if (pd_spi_query("SELECT identity, type IN ('table', 'foreign table') AS is_table,"
					 " string_agg(format('%s %s', type, identity), ', ') OVER () AS objects"
					 " FROM publicdigit.module_object WHERE installation_id = $1"
					 " ORDER BY type IN ('table', 'foreign table') DESC, identity COLLATE \"C\" LIMIT 1",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(work->change->ledger->installation)))) == 0)
		return;
	if (strcmp(pd_spi_text(0, "is_table"), "t") == 0)
		report_table_left(module, pd_spi_text(0, "identity"));
	ereport(WARNING,
			(errmsg("the down scripts of module \"%s\" leave objects behind", module),
			 errdetail("They are: %s.", pd_spi_text(0, "objects")),
			 errhint("Drop them in the down script of the migration that makes them.")));
	pd_revoke_privileges(work->manifest, NULL, pd_target_schema(work->target));
}

/*
 * entry_for
 *		What the ledger says of a script.
 */
static PdLedgerEntry
entry_for(const Work *work, const PdScript *script, double seconds)
{
	const PdVersion *version = work->change->to != NULL ? work->change->to : work->change->from;
	PdLedgerEntry entry = {
		.version = version->source->manifest->version,
		.version_id = version->id,
		.migration = script->migration,
		.checksum = script->checksum,
		.statements = script->statements,
		.batch = work->batch,
		.seconds = seconds
	};

	return entry;
}

/*
 * record
 *		Enter a script that has run.
 */
static void
record(Work *work, const PdScript *script, double seconds)
{
	PdLedger   *ledger = work->change->ledger;
	PdLedgerEntry entry = entry_for(work, script, seconds);

	if (work->change->verb == PD_VERB_DOWNGRADE)
		entry.batch = pd_ledger_former_batch(ledger, script, work->batch);
	if (pd_ledger_find(ledger, script->migration) == NULL)
		pd_ledger_add(ledger, &entry, "applied");
	else
		pd_ledger_replace(ledger, &entry, "applied");
}

/*
 * take_out
 *		Take out a script that has been undone; its event keeps the checksum and
 *		the batch under which it was applied.
 */
static void
take_out(Work *work, const PdScript *script, double seconds)
{
	PdLedger   *ledger = work->change->ledger;
	const PdApplied *applied = pd_ledger_find(ledger, script->migration);
	PdLedgerEntry entry = entry_for(work, script, seconds);

	if (applied == NULL)
		return;
	entry.version = work->change->from->source->manifest->version;
	entry.checksum = applied->checksum;
	entry.batch = applied->batch;
	pd_ledger_remove(ledger, &entry, "undone");
}

/*
 * discard_ledger
 *		Take out all that was applied, the last first, of a module that is thrown
 *		away.
 */
static void
discard_ledger(Work *work)
{
	PdLedger   *ledger = work->change->ledger;

	while (ledger->applied != NIL)
	{
		const PdApplied *applied = llast(ledger->applied);
		PdLedgerEntry entry = {
			.version = work->manifest->version,
			.migration = applied->migration,
			.checksum = applied->checksum,
			.batch = applied->batch,
			.seconds = -1
		};

		pd_ledger_remove(ledger, &entry, "discarded");
	}
}

/*
 * forget_installation
 *		Take a module that is gone out of the registry; the ledger's rows go with
 *		it, and its history stays.
 */
static void
forget_installation(const Work *work)
{
	pd_spi_query("DELETE FROM publicdigit.installation WHERE id = $1",
				 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(work->change->ledger->installation))));
}

/*
 * run_own
 *		Run a statement of ours as the script.  Errors say what was done, and not
 *		where in the script.
 */
static void
run_own(Work *work, const PdStep *step)
{
	PdScript	script = {0};

	if (step->sql[0] == '\0')
		return;
	work->run.own = step->function == NULL ? "removal of the objects" :
		psprintf("function \"%s\"", step->function);
	script.path = step->script->path;
	script.kind = step->script->kind;
	script.migration = step->script->migration;
	script.content = unconstify(char *, step->sql);
	pd_script_execute(&work->run, &script);
	work->run.own = NULL;
}

/*
 * ensure_function
 *		An error (42883) where a function that the manifest names under
 *		"installer" is not there, or wants something else than a tenant's id.
 */
static void
ensure_function(const Work *work, const char *function)
{
	if (pd_spi_query("SELECT FROM pg_proc AS p WHERE proname = $1 AND pronamespace = $2"
					 " AND pronargs > 0 AND pronargs - pronargdefaults <= 1 AND EXISTS"
					 "  (SELECT FROM pg_type AS t WHERE t.oid = p.proargtypes[0]"
					 "   AND (t.oid = 'uuid'::regtype OR typtype <> 'b'))",
					 PD_ARGS(pd_text(function),
							 pd_datum(OIDOID, ObjectIdGetDatum(work->run.schema)))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("there is no function \"%s\" of module \"%s\"",
						function, work->manifest->name),
				 errdetail("The manifest names it under \"installer\", and the installer makes no function of that name that takes a tenant's id."),
				 errhint("Create it in installer.sql, with one argument of type uuid and without a schema.")));
}

/*
 * run_as_owner
 *		Run a statement about the archive as the role that owns it, though not as
 *		a script, whose guard would refuse it.
 */
static void
run_as_owner(const Work *work, const char *sql)
{
	PdSpi		spi;

	pd_spi_begin_as(&spi, work->run.owner);
	pd_spi_command("%s", sql);
	pd_spi_end(&spi);
}

/*
 * seed
 *		Enter a seed as run, and run it.
 */
static void
seed(Work *work, const PdScript *script)
{
	if (pd_spi_query("INSERT INTO publicdigit.seed (installation_id, path, checksum)"
					 " VALUES ($1, $2, $3)",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(work->change->ledger->installation)),
							 pd_text(script->path),
							 pd_text(script->checksum))) == 0)
		elog(ERROR, "seed \"%s\" could not be entered", script->path);
	pd_script_execute(&work->run, script);
}

/*
 * seconds_since
 *		Seconds between a time and now.
 */
static double
seconds_since(TimestampTz started)
{
	long		seconds;
	int			microseconds;

	TimestampDifference(started, GetCurrentTimestamp(), &seconds, &microseconds);
	return seconds + microseconds / 1000000.0;
}

/*
 * run_step
 *		Take one step.
 */
static void
run_step(Work *work, const PdStep *step)
{
	TimestampTz started = GetCurrentTimestamp();
	int64		installation = work->change->ledger->installation;

	CHECK_FOR_INTERRUPTS();
	work->run.version = pd_step_version(work->change, step)->source->manifest->version;
	switch (step->kind)
	{
		case PD_STEP_APPLY:
			/* What the scripts before it have made is not this one's. */
			if (step->script->kind != PD_SCRIPT_UP)
				pd_module_objects_record(&work->run, installation, NULL);
			pd_script_execute(&work->run, step->script);
			record(work, step->script, seconds_since(started));
			if (step->script->kind != PD_SCRIPT_UP)
				pd_module_objects_record(&work->run, installation, step->script->migration);
			/* On the way down what is undone counts, not what is made anew. */
			if (work->change->verb != PD_VERB_DOWNGRADE)
				work->count++;
			break;
		case PD_STEP_UNDO:
			pd_script_execute(&work->run, step->script);
			take_out(work, step->script, seconds_since(started));
			work->count++;
			break;
		case PD_STEP_VERIFY:
			pd_script_execute(&work->run, step->script);
			break;
		case PD_STEP_CALL:
			ensure_function(work, step->function);
			run_own(work, step);
			break;
		case PD_STEP_DROP:
			run_own(work, step);
			take_out(work, step->script, seconds_since(started));
			break;
		case PD_STEP_ARCHIVE:
			pd_spi_command("%s", step->sql);
			break;
		case PD_STEP_MOVE:
		case PD_STEP_DISCARD:
			run_as_owner(work, step->sql);
			break;
		case PD_STEP_SEED:
			seed(work, step->script);
			work->count++;
			break;
		case PD_STEP_REVOKE:
			/* Looked up again, as what is granted is: scripts have run since. */
			pd_revoke_privileges(work->change->from->source->manifest,
								 work->change->verb == PD_VERB_ARCHIVE ? NULL : work->manifest,
								 pd_target_schema(work->target));
			break;
		case PD_STEP_GRANT:
			pd_grant_privileges(work->manifest, pd_target_schema(work->target));
			break;
	}
}

/*
 * pd_installation_enter
 *		The registry's row for an installation that is to be made; its id.
 */
int64
pd_installation_enter(const PdTarget *target, const PdVersion *version)
{
	bool		isnull;

	pd_spi_query("INSERT INTO publicdigit.installation (context, tenant_id, module, version_id, head)"
				 " VALUES ($1, $2, $3, $4, $5) RETURNING id",
				 PD_ARGS(pd_text(pd_context_name(target->context)),
						 pd_uuid(pd_target_tenant(target)),
						 pd_text(version->source->manifest->name),
						 pd_datum(INT8OID, Int64GetDatum(version->id)),
						 pd_text(PD_CHAIN_EMPTY)));
	return DatumGetInt64(pd_spi_datum(0, "id", &isnull));
}

/*
 * keep_installation
 *		What the registry says of an installation when all is done.
 */
static void
keep_installation(const PdChange *change)
{
	const char *status = change->verb == PD_VERB_ARCHIVE ? "archived" :
		change->installed != NULL && change->installed->status == PD_DISABLED ? "disabled" :
		"installed";

	pd_spi_query("UPDATE publicdigit.installation SET version_id = $2, head = $3, status = $4"
				 " WHERE id = $1",
				 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(change->ledger->installation)),
						 pd_datum(INT8OID, Int64GetDatum(change->to->id)),
						 pd_text(change->ledger->head),
						 pd_text(status)));
}

/*
 * settle
 *		After the steps of a module that stays: check what came of them, and
 *		enter it.
 */
static void
settle(Work *work)
{
	const PdChange *change = work->change;

	if (change->verb == PD_VERB_DOWNGRADE)
		ensure_tables_gone(work);
	ensure_tables_made(work);
	pd_check_run(&work->run);
	pd_module_objects_record(&work->run, change->ledger->installation, NULL);
	pd_check_named_views(&work->run, change->ledger->installation,
						 change->from == NULL ? NULL : change->from->source->manifest);
	if (change->verb == PD_VERB_SEED)
		return;
	pd_warn_of_lost_objects(&work->run, change->ledger->installation, work->kept);

	if (work->target->context == PD_TENANT)
		pd_warn_of_unnamed_tables(&work->run);
	pd_warn_of_keys(&work->run);
	keep_installation(change);
}

/*
 * verb_noun
 *		A verb as error contexts have it: "NOUN of module ...".
 */
static const char *
verb_noun(PdVerb verb)
{
	switch (verb)
	{
		case PD_VERB_INSTALL:
			return "installation";
		case PD_VERB_UPGRADE:
			return "upgrade";
		case PD_VERB_DOWNGRADE:
			return "downgrade";
		case PD_VERB_UNINSTALL:
			return "removal";
		case PD_VERB_ARCHIVE:
			return "archiving";
		case PD_VERB_RESTORE:
			return "restoration";
		case PD_VERB_DISCARD:
			return "discarding";
		case PD_VERB_SEED:
			return "seeding";
	}
	return NULL;
}

/*
 * objects_kept
 *		What repeatable scripts have made and an upgrade neither drops nor makes
 *		again, before it begins.
 */
static List *
objects_kept(const PdChange *change)
{
	List	   *scripts = NIL;
	ListCell   *cell;

	if (change->verb != PD_VERB_UPGRADE)
		return NIL;
	foreach(cell, change->steps)
	{
		const PdStep *step = lfirst(cell);

		if (step->kind == PD_STEP_APPLY || step->kind == PD_STEP_DROP)
			scripts = lappend(scripts, step->script->migration);
	}
	return pd_module_objects_kept(change->ledger->installation, scripts);
}

/*
 * make_change
 *		Carry out what is planned for one module; returns how many migrations
 *		were applied or undone, or seeds run.
 */
static int
make_change(const PdTarget *target, const PdChange *change, int32 batch)
{
	const PdVersion *version = change->to != NULL ? change->to : change->from;
	Work		work = {.target = target,.change = change,.batch = batch,
	.manifest = version->source->manifest};
	PdTargetWork context;
	ListCell   *cell;

	pd_target_begin_work(&context, verb_noun(change->verb), work.manifest, target);
	if (change->installed == NULL)
		change->ledger->installation = pd_installation_enter(target, change->to);
	else if (change->verb == PD_VERB_RESTORE)
		keep_installation(change);	/* what it moves back is its own again */
	pd_script_start(&work.run, target->context, &target->tenant, work.manifest);
	work.run.is_installed = change->from != NULL;
	work.kept = objects_kept(change);
	/* What comes back from the archive is moved by no script. */
	work.run.names_changed = change->verb == PD_VERB_RESTORE;
	foreach(cell, change->steps)
		run_step(&work, lfirst(cell));

	switch (change->verb)
	{
		case PD_VERB_UNINSTALL:
			pd_check_run(&work.run);
			ensure_tables_gone(&work);
			ensure_nothing_left(&work);
			forget_installation(&work);
			break;
		case PD_VERB_DISCARD:
			discard_ledger(&work);
			forget_installation(&work);
			break;
		case PD_VERB_ARCHIVE:
			keep_installation(change);
			break;
		default:
			settle(&work);
	}
	pd_target_end_work(&context);
	return work.count;
}

/*
 * pd_apply
 *		Carry out changes, as one batch; returns how many migrations were
 *		applied or undone, or seeds run.  Errors: 55000 for rows that have come
 *		since it was planned, and those of the scripts.
 */
int
pd_apply(const PdTarget *target, const List *changes, int32 batch)
{
	int			count = 0;
	ListCell   *cell;

	foreach(cell, changes)
		pd_plan_ensure_may_go(lfirst(cell), true);
	foreach(cell, changes)
		count += make_change(target, lfirst(cell), batch);
	return count;
}
