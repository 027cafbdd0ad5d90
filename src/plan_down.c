/*-------------------------------------------------------------------------
 *
 * plan_down.c
 *	  The steps by which one module goes down to a lower version, or goes.
 *
 * What the repeatable scripts have made is dropped first, and then comes what the
 * installer and migrations have made: the reverse of the way up.  The repeatable
 * scripts of the lower version are run after it.  Nothing here changes anything.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "archive.h"
#include "plan_steps.h"
#include "spi.h"

/*
 * pd_report_no_down_script
 *		Raise 55000 for a migration that cannot be undone.
 */
void
pd_report_no_down_script(const char *module, const char *version,
						 const char *migration)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("migration \"%s\" of module \"%s\" version %s cannot be undone",
					migration, module, version),
			 errdetail("It has no down script."),
			 errhint("Upgrade to a version that brings the down script first; publicdigit.drop_tenant() needs none.")));
}

/*
 * undo_script
 *		The down script of an applied migration.  An error (55000), before
 *		anything runs, where there is none.
 */
static const PdScript *
undo_script(const PdChange *change, const char *migration)
{
	const PdManifest *manifest = change->from->source->manifest;
	const PdScript *script = pd_version_script(change->from, PD_SCRIPT_DOWN, migration);

	if (script == NULL)
		pd_report_no_down_script(manifest->name, manifest->version, migration);
	return script;
}

/*
 * add_undo
 *		Undo the applied migrations that "to" does not have, the last first.
 */
static void
add_undo(PdChange *change)
{
	ListCell   *cell;

	foreach(cell, pd_plan_reversed(change->ledger->applied))
	{
		const char *migration = ((PdApplied *) lfirst(cell))->migration;

		if (!isdigit((unsigned char) migration[0]) ||
			(change->to != NULL &&
			 pd_version_script(change->to, PD_SCRIPT_UP, migration) != NULL))
			continue;
		pd_plan_add_step(change, PD_STEP_UNDO, undo_script(change, migration), NULL);
	}
}

/*
 * ensure_all_applied
 *		An error (55000) where the lower version has a migration that is not
 *		applied: what was undone would have taken its place.
 */
static void
ensure_all_applied(const PdChange *change)
{
	const PdManifest *manifest = change->to->source->manifest;
	ListCell   *cell;

	foreach(cell, pd_plan_scripts(change->to, PD_SCRIPT_UP))
	{
		const char *migration = ((PdScript *) lfirst(cell))->migration;

		if (pd_ledger_find(change->ledger, migration) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("version %s of module \"%s\" has migration \"%s\", which is not applied for %s",
							manifest->version, manifest->name, migration,
							pd_target_name(change->ledger->target)),
					 errhint("A lower version can be reached where version %s carries all of its migrations, under the same names.",
							 change->from->source->manifest->version)));
	}
}

/*
 * ensure_none_changed
 *		An error (PD002) where a migration that stays was applied with other
 *		statements than the lower version has, and nobody has accepted those.
 */
static void
ensure_none_changed(const PdChange *change)
{
	ListCell   *cell;

	foreach(cell, pd_plan_scripts(change->to, PD_SCRIPT_UP))
	{
		const PdScript *script = lfirst(cell);
		const PdApplied *applied = pd_ledger_find(change->ledger, script->migration);

		if (!pd_plan_is_unchanged(change, script, applied) &&
			!pd_ledger_was_accepted(change->ledger, script))
			pd_plan_report_changed(change, script, applied);
	}
}

/*
 * add_drop_repeatable
 *		Drop what the repeatable scripts have made, the last first.
 */
static void
add_drop_repeatable(PdChange *change)
{
	ListCell   *cell;

	foreach(cell, pd_plan_reversed(pd_plan_scripts(change->from, PD_SCRIPT_REPEATABLE)))
	{
		if (pd_ledger_find(change->ledger, ((PdScript *) lfirst(cell))->migration) != NULL)
			pd_plan_add_drop(change, lfirst(cell));
	}
}

/*
 * add_undo_with_installer
 *		Undo migrations, and before them what the installer has made; its
 *		functions go last.
 */
static void
add_undo_with_installer(PdChange *change)
{
	List	   *installer = pd_plan_scripts(change->from, PD_SCRIPT_INSTALLER);
	ListCell   *cell;

	foreach(cell, installer)
		pd_plan_add_call(change, lfirst(cell), change->from->source->manifest->uninstall_function);
	add_undo(change);
	foreach(cell, installer)
		pd_plan_add_drop(change, lfirst(cell));
}

/*
 * pd_change_down
 *		Go down to a lower version.  Errors: 55000, PD002.
 */
PdChange *
pd_change_down(const PdTarget *target, const PdInstallation *installed,
			   PdVersion *to)
{
	PdChange   *change = pd_plan_new_change(PD_VERB_DOWNGRADE, target, installed,
											pd_version_load(installed->version_id), to);

	ensure_all_applied(change);
	ensure_none_changed(change);
	pd_plan_add_revoke(change, to->source->manifest);
	add_drop_repeatable(change);
	if (to->source->manifest->install_function == NULL)
		add_undo_with_installer(change);
	else
	{
		add_undo(change);
		pd_plan_add_installer(change);
	}
	pd_plan_add_repeatable(change, true);
	pd_plan_add_grant(change);
	return change;
}

/*
 * pd_change_away
 *		Uninstall, as the installed version's manifest wants it; without
 *		"may_archive" what it has made goes all the same.  Errors: 55000.
 */
PdChange *
pd_change_away(const PdTarget *target, const PdInstallation *installed,
			   bool may_archive)
{
	PdVersion  *from = pd_version_load(installed->version_id);
	const PdManifest *manifest = from->source->manifest;
	bool		archive = may_archive && manifest->on_uninstall == PD_UNINSTALL_ARCHIVE;
	PdChange   *change = pd_plan_new_change(archive ? PD_VERB_ARCHIVE : PD_VERB_UNINSTALL,
											target, installed, from, archive ? from : NULL);
	ListCell   *cell;

	if (archive)
	{
		pd_plan_add_revoke(change, NULL);
		pd_plan_add_step(change, PD_STEP_ARCHIVE, NULL, pd_archive_create(target, installed->id));
		foreach(cell, pd_archive_moves(target, installed->id, true))
			pd_plan_add_step(change, PD_STEP_MOVE, NULL, lfirst(cell));
		return change;
	}

	pd_plan_ensure_may_go(change, false);
	add_drop_repeatable(change);
	add_undo_with_installer(change);
	return change;
}

/*
 * pd_change_discard
 *		Throw away what lies in the archive.
 */
PdChange *
pd_change_discard(const PdTarget *target, const PdInstallation *installed)
{
	PdChange   *change = pd_plan_new_change(PD_VERB_DISCARD, target, installed,
											pd_version_load(installed->version_id), NULL);

	pd_plan_add_step(change, PD_STEP_DISCARD, NULL, pd_archive_drop(target, installed->id));
	return change;
}

/*
 * has_run
 *		Has a seed run for this installation, known by its path?  A notice where it
 *		has changed since.
 */
static bool
has_run(const PdChange *change, const PdScript *script)
{
	const PdManifest *manifest = change->to->source->manifest;
	char	   *checksum;

	if (pd_spi_query("SELECT s.checksum FROM publicdigit.seed AS s"
					 " WHERE s.installation_id = $1 AND s.path = $2",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(change->installed->id)),
							 pd_text(script->path))) == 0)
		return false;
	checksum = pd_spi_text(0, "checksum");
	if (strcmp(checksum, script->checksum) != 0)
		ereport(NOTICE,
				(errmsg("seed \"%s\" of module \"%s\" has changed since it ran for %s, and does not run again",
						script->path, manifest->name,
						pd_target_name(change->ledger->target)),
				 errdetail("What ran was %s; version %s has %s.",
						   checksum, manifest->version, script->checksum),
				 errhint("A version that has it under another file name runs it.")));
	return true;
}

/*
 * pd_change_seed
 *		Run the installed version's seeds that have not run yet.
 */
PdChange *
pd_change_seed(const PdTarget *target, const PdInstallation *installed)
{
	PdVersion  *version = pd_version_load(installed->version_id);
	PdChange   *change = pd_plan_new_change(PD_VERB_SEED, target, installed, version, version);
	ListCell   *cell;

	foreach(cell, pd_plan_scripts(version, PD_SCRIPT_SEED))
	{
		if (!has_run(change, lfirst(cell)))
			pd_plan_add_step(change, PD_STEP_SEED, lfirst(cell), NULL);
	}
	return change;
}
