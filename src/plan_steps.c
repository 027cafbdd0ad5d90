/*-------------------------------------------------------------------------
 *
 * plan_steps.c
 *	  The steps by which one module gets from one version to another.
 *
 * Nothing here changes anything.  What cannot be done is found here: a script
 * that has changed since it was applied, a down script that is missing, rows in
 * tables that may only go when they are empty.
 *
 * On the way up: what the app role is no longer to have is taken from it, and what
 * is no longer wanted of the repeatable scripts is dropped; then come migrations,
 * the installer and repeatable scripts, which may build on all that is before them,
 * and last what the app role gets.  The way down is in plan_down.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "archive.h"
#include "errors.h"
#include "module_object.h"
#include "plan_steps.h"
#include "semver.h"
#include "spi.h"

/*
 * pd_step_version
 *		The version whose script a step is about.
 */
const PdVersion *
pd_step_version(const PdChange *change, const PdStep *step)
{
	bool		is_of_to = change->to != NULL &&
		(step->script == NULL ||
		 list_member_ptr(change->to->source->scripts, step->script));

	return is_of_to ? change->to : change->from;
}

/*
 * pd_plan_add_step
 *		Append a step to a change.
 */
void
pd_plan_add_step(PdChange *change, PdStepKind kind, const PdScript *script,
				 const char *sql)
{
	PdStep	   *step = palloc0(sizeof(PdStep));

	step->kind = kind;
	step->script = script;
	step->sql = sql;
	change->steps = lappend(change->steps, step);
}

/*
 * pd_plan_report_changed
 *		Raise PD002 for a script that was applied with other statements.
 */
pg_noreturn void
pd_plan_report_changed(const PdChange *change, const PdScript *script,
					   const PdApplied *applied)
{
	const PdManifest *manifest = change->to->source->manifest;

	ereport(ERROR,
			(errcode(ERRCODE_PD_CHECKSUM),
			 errmsg("migration \"%s\" of module \"%s\" has changed since it was applied for %s",
					script->migration, manifest->name,
					pd_target_name(change->ledger->target)),
			 errdetail("Applied was %s; version %s has %s.",
					   applied->checksum, manifest->version, script->checksum),
			 change->verb == PD_VERB_DOWNGRADE ?
			 errhint("Only a version that has the scripts which are applied can be reached.") :
			 errhint("Put the script back and write a new migration.  If the change makes no difference to what is there, say so with publicdigit.accept_migration().")));
}

/*
 * pd_plan_is_unchanged
 *		Is this what has been applied?  A notice where only comments, blanks or
 *		line ends differ.
 */
bool
pd_plan_is_unchanged(const PdChange *change, const PdScript *script,
					 const PdApplied *applied)
{
	if (strcmp(script->statements, applied->statements) != 0)
		return false;
	if (strcmp(script->checksum, applied->checksum) != 0)
		ereport(NOTICE,
				(errmsg("script \"%s\" of module \"%s\" has other comments or blanks than when it was applied for %s",
						script->path, change->to->source->manifest->name,
						pd_target_name(change->ledger->target)),
				 errdetail("Applied was %s; version %s has %s.",
						   applied->checksum, change->to->source->manifest->version,
						   script->checksum)));
	return true;
}

/*
 * pd_plan_scripts
 *		A version's scripts of a kind, in the order in which they run.
 */
List *
pd_plan_scripts(const PdVersion *version, PdScriptKind kind)
{
	List	   *scripts = NIL;
	ListCell   *cell;

	foreach(cell, version->source->scripts)
	{
		if (((const PdScript *) lfirst(cell))->kind == kind)
			scripts = lappend(scripts, lfirst(cell));
	}
	return scripts;
}

/*
 * pd_plan_reversed
 *		A list the other way round.
 */
List *
pd_plan_reversed(const List *list)
{
	List	   *result = NIL;

	for (int i = list_length(list) - 1; i >= 0; i--)
		result = lappend(result, list_nth(list, i));
	return result;
}

/*
 * is_same_migration
 *		Does a script look like what was applied under another name: by its
 *		statements or by its number?
 */
static bool
is_same_migration(const PdScript *script, const PdApplied *applied)
{
	size_t		digits = strspn(script->migration, "0123456789");

	return isdigit((unsigned char) applied->migration[0]) &&
		(strcmp(script->statements, applied->statements) == 0 ||
		 strncmp(script->migration, applied->migration, digits + 1) == 0);
}

/*
 * report_not_applied
 *		Raise PD002 for a migration that is not applied though later ones are,
 *		with the name under which it seems to be.
 */
pg_noreturn static void
report_not_applied(const PdChange *change, const PdScript *script)
{
	const char *former = NULL;
	ListCell   *cell;

	foreach(cell, change->ledger->applied)
	{
		const PdApplied *applied = lfirst(cell);

		if (is_same_migration(script, applied) &&
			pd_version_script(change->to, PD_SCRIPT_UP, applied->migration) == NULL)
			former = applied->migration;
	}
	ereport(ERROR,
			(errcode(ERRCODE_PD_CHECKSUM),
			 errmsg("migration \"%s\" of module \"%s\" is not applied for %s, and later ones are",
					script->migration, change->to->source->manifest->name,
					pd_target_name(change->ledger->target)),
			 former != NULL ?
			 errhint("It seems to have been renamed: \"%s\" is applied.  Give the script that name again.", former) :
			 errhint("The view publicdigit.migration_events tells what was applied.")));
}

/*
 * report_lacking
 *		Raise 55000 for a migration that is applied and that the version lacks,
 *		with the name under which it seems to have it.
 */
pg_noreturn static void
report_lacking(const PdChange *change, const PdApplied *applied)
{
	const PdManifest *manifest = change->to->source->manifest;
	const char *renamed = NULL;
	ListCell   *cell;

	foreach(cell, pd_plan_scripts(change->to, PD_SCRIPT_UP))
	{
		const PdScript *script = lfirst(cell);

		if (is_same_migration(script, applied) &&
			pd_ledger_find(change->ledger, script->migration) == NULL)
			renamed = script->migration;
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("version %s of module \"%s\" does not have migration \"%s\", which is applied for %s",
					manifest->version, manifest->name, applied->migration,
					pd_target_name(change->ledger->target)),
			 renamed != NULL ?
			 errhint("It seems to have been renamed to \"%s\".  Give the script its name again.", renamed) :
			 errhint("A version's folder carries every migration up to it, under the same name.")));
}

/*
 * add_migrations
 *		What the version's migrations have to do that are not applied.
 */
static void
add_migrations(PdChange *change)
{
	const PdScript *missing = NULL;
	ListCell   *cell;

	foreach(cell, pd_plan_scripts(change->to, PD_SCRIPT_UP))
	{
		const PdScript *script = lfirst(cell);
		const PdApplied *applied = pd_ledger_find(change->ledger, script->migration);
		const PdScript *verify;

		if (applied != NULL && !pd_plan_is_unchanged(change, script, applied))
			pd_plan_report_changed(change, script, applied);
		if (applied == NULL)
		{
			pd_plan_add_step(change, PD_STEP_APPLY, script, NULL);
			verify = pd_version_script(change->to, PD_SCRIPT_VERIFY, script->migration);
			if (verify != NULL)
				pd_plan_add_step(change, PD_STEP_VERIFY, verify, NULL);
			missing = script;
		}
		else if (missing != NULL)
			report_not_applied(change, missing);
	}

	foreach(cell, change->ledger->applied)
	{
		const PdApplied *applied = lfirst(cell);

		if (isdigit((unsigned char) applied->migration[0]) &&
			pd_version_script(change->to, PD_SCRIPT_UP, applied->migration) == NULL)
			report_lacking(change, applied);
	}
}

/*
 * pd_plan_add_call
 *		Call one of the installer's functions, which only tenants' modules have,
 *		with the tenant's id.
 */
void
pd_plan_add_call(PdChange *change, const PdScript *script, const char *function)
{
	const PdTarget *target = change->ledger->target;
	char	   *id = DatumGetCString(DirectFunctionCall1(uuid_out,
														 UUIDPGetDatum(pd_target_tenant(target))));

	pd_plan_add_step(change, PD_STEP_CALL, script,
					 psprintf("SELECT %s.%s(%s::pg_catalog.uuid)",
							  quote_identifier(pd_target_schema(target)),
							  quote_identifier(function), quote_literal_cstr(id)));
	((PdStep *) llast(change->steps))->function = function;
}

/*
 * pd_plan_add_installer
 *		What the version's installer has to do: make its functions where they
 *		are not there or have changed, and on installation call one.
 */
void
pd_plan_add_installer(PdChange *change)
{
	const PdApplied *applied = pd_ledger_find(change->ledger, PD_INSTALLER);
	ListCell   *cell;

	foreach(cell, pd_plan_scripts(change->to, PD_SCRIPT_INSTALLER))
	{
		const PdScript *script = lfirst(cell);

		if (applied == NULL || !pd_plan_is_unchanged(change, script, applied))
			pd_plan_add_step(change, PD_STEP_APPLY, script, NULL);
		if (applied == NULL)
			pd_plan_add_call(change, script, change->to->source->manifest->install_function);
	}
}

/*
 * ensure_installer_kept
 *		An error (55000) for a higher version without the installer that has run:
 *		nobody would know any more how to undo what it has made.
 */
static void
ensure_installer_kept(const PdChange *change)
{
	const PdManifest *manifest = change->to->source->manifest;

	if (pd_ledger_find(change->ledger, PD_INSTALLER) != NULL &&
		manifest->install_function == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("version %s of module \"%s\" has no installer, and one has run for %s",
						manifest->version, manifest->name,
						pd_target_name(change->ledger->target)),
				 errhint("Keep installer.sql and the key \"installer\": its uninstall function undoes what the other one has made.")));
}

/*
 * pd_plan_add_drop
 *		Drop what a script of the version that is there has made.
 */
void
pd_plan_add_drop(PdChange *change, const PdScript *script)
{
	const PdTarget *target = change->ledger->target;
	int64		id = change->installed->id;
	const char *schema = change->verb == PD_VERB_RESTORE ?
		pd_archive_schema(target, id) : pd_target_schema(target);
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	foreach(cell, pd_module_objects_statements(id, script->migration, schema,
											   pd_target_schema(target),
											   "DROP %s IF EXISTS %s"))
		appendStringInfo(&sql, "%s;\n", (char *) lfirst(cell));
	pd_plan_add_step(change, PD_STEP_DROP, script, sql.data);
}

/*
 * pd_plan_add_repeatable
 *		Run the version's repeatable scripts: those that are not applied or have
 *		changed, or all.
 */
void
pd_plan_add_repeatable(PdChange *change, bool all)
{
	ListCell   *cell;

	foreach(cell, pd_plan_scripts(change->to, PD_SCRIPT_REPEATABLE))
	{
		const PdScript *script = lfirst(cell);
		const PdApplied *applied = pd_ledger_find(change->ledger, script->migration);

		if (all || applied == NULL || !pd_plan_is_unchanged(change, script, applied))
			pd_plan_add_step(change, PD_STEP_APPLY, script, NULL);
	}
}

/*
 * pd_plan_new_change
 *		A change without steps.
 */
PdChange *
pd_plan_new_change(PdVerb verb, const PdTarget *target,
				   const PdInstallation *installed, PdVersion *from, PdVersion *to)
{
	PdChange   *change = palloc0(sizeof(PdChange));

	change->verb = verb;
	change->installed = installed;
	change->from = from;
	change->to = to;
	change->ledger = pd_ledger_open(target,
									(to != NULL ? to : from)->source->manifest->name,
									installed);
	return change;
}

/*
 * pd_change_up
 *		Install a version, or go up to it from what is installed.
 *		Errors: PD002, 55000.
 */
PdChange *
pd_change_up(const PdTarget *target, const PdInstallation *installed,
			 PdVersion *to)
{
	PdVersion  *from = installed == NULL ? NULL : pd_version_load(installed->version_id);
	PdChange   *change = pd_plan_new_change(installed == NULL ? PD_VERB_INSTALL :
											installed->status == PD_ARCHIVED ? PD_VERB_RESTORE :
											PD_VERB_UPGRADE,
											target, installed, from, to);
	ListCell   *cell;

	if (change->verb == PD_VERB_RESTORE)
	{
		if (pd_semver_compare(to->source->manifest->version, installed->version) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("module \"%s\" is in the archive of %s in version %s, which is higher than %s",
							installed->module, pd_target_name(target), installed->version,
							to->source->manifest->version),
					 errhint("Install it as it was, and go down with publicdigit.downgrade_module().")));
		foreach(cell, pd_archive_moves(target, installed->id, false))
			pd_plan_add_step(change, PD_STEP_MOVE, NULL, lfirst(cell));
	}
	pd_plan_add_revoke(change, to->source->manifest);
	if (from != NULL)
	{
		foreach(cell, pd_plan_reversed(pd_plan_scripts(from, PD_SCRIPT_REPEATABLE)))
		{
			const PdScript *script = lfirst(cell);

			if (pd_version_script(to, PD_SCRIPT_REPEATABLE, script->migration) == NULL)
				pd_plan_add_drop(change, script);
		}
	}
	add_migrations(change);
	ensure_installer_kept(change);
	pd_plan_add_installer(change);
	pd_plan_add_repeatable(change, false);
	pd_plan_add_grant(change);
	return change;
}
