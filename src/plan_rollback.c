/*-------------------------------------------------------------------------
 *
 * plan_rollback.c
 *	  What undoing a batch of migrations does to the modules that it was about.
 *
 * Each module goes down to the highest version of which every migration stays
 * applied, or goes away.  Batches are undone one by one, since what a later batch
 * has made of one module may stand on an earlier one of another.  Whether all of
 * them can be undone is found out before the first script runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "plan.h"
#include "semver.h"
#include "spi.h"

/*
 * report_no_version
 *		Raise 55000 where no version has just what would be left.
 */
pg_noreturn static void
report_no_version(const PdTarget *target, const char *module, const char *last)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("no registered version of module \"%s\" ends with migration \"%s\"",
					module, last),
			 errdetail("That is what would be left of it for %s.", pd_target_name(target)),
			 errhint("Register that version again, or choose another one to go down to with publicdigit.downgrade_module().")));
}

/*
 * version_without
 *		The highest version of a module, no higher than the installed one, of
 *		which every migration stays applied when these batches are undone; NULL
 *		where none stays.  Errors: 55000 where no version has just those.
 */
static PdVersion *
version_without(const PdInstallation *installed, const PdLedger *ledger,
				const List *batches)
{
	const char *last = NULL;
	ListCell   *cell;
	uint64		n;

	foreach(cell, ledger->applied)
	{
		const PdApplied *applied = lfirst(cell);

		if (isdigit((unsigned char) applied->migration[0]) &&
			!list_member_int(batches, applied->batch))
			last = applied->migration;
	}
	if (last == NULL)
		return NULL;

	n = pd_spi_query("SELECT v.id::text AS id, v.version::text AS version"
					 " FROM publicdigit.module_version AS v"
					 " WHERE v.module = $1 AND $2 = (SELECT max(s.migration COLLATE \"C\")"
					 "  FROM publicdigit.module_script AS s"
					 "  WHERE s.version_id = v.id AND s.kind = 'up')"
					 " ORDER BY v.version DESC",
					 PD_ARGS(pd_text(installed->module), pd_text(last)));
	for (uint64 row = 0; row < n; row++)
	{
		if (pd_semver_compare(pd_spi_text(row, "version"), installed->version) <= 0)
			return pd_version_load(strtoll(pd_spi_text(row, "id"), NULL, 10));
	}
	report_no_version(ledger->target, installed->module, last);
}

/* What a batch has done to a module. */
typedef struct Part
{
	char	   *module;
	bool		has_migrations; /* not repeatable scripts, or an installer, alone */
	bool		is_new;			/* it has installed the module */
	bool		is_baselined;	/* it has made nothing: baseline_module() */
	char	   *version;		/* whose script was the module's last; NULL where one was undone since */
} Part;

/* The two ledgers have the same columns. */
#define PARTS_OF_BATCH(ledger) \
	"SELECT i.module::text AS module," \
	" count(*) FILTER (WHERE l.migration ~ '^[0-9]') > 0 AS has_migrations," \
	" $1 = (SELECT min(e.batch) FROM publicdigit.migration_event AS e" \
	"  WHERE e.module = i.module AND e.at >= i.installed_at" \
	"  AND (e.tenant_id = $2 OR $2 IS NULL AND e.tenant_id IS NULL)) AS is_new," \
	" EXISTS (SELECT FROM publicdigit.migration_event AS e" \
	"  WHERE e.module = i.module AND e.batch = $1 AND e.action = 'baselined'" \
	"  AND (e.tenant_id = $2 OR $2 IS NULL AND e.tenant_id IS NULL)) AS is_baselined," \
	" (SELECT CASE e.action WHEN 'applied' THEN e.version::text END" \
	"  FROM publicdigit.migration_event AS e" \
	"  WHERE e.module = i.module AND e.action IN ('applied', 'undone', 'discarded')" \
	"  AND (e.tenant_id = $2 OR $2 IS NULL AND e.tenant_id IS NULL)" \
	"  ORDER BY e.id DESC LIMIT 1) AS version" \
	" FROM publicdigit." ledger " AS l" \
	" JOIN publicdigit.installation AS i ON i.id = l.installation_id" \
	" WHERE l.batch = $1 AND i.status <> 'archived'" \
	" AND (i.tenant_id = $2 OR $2 IS NULL AND i.tenant_id IS NULL)" \
	" GROUP BY i.id, i.module, i.installed_at" \
	/* what is made anew on the way down takes a new position */ \
	" ORDER BY coalesce(max(l.position) FILTER (WHERE l.migration ~ '^[0-9]')," \
	"  max(l.position)) DESC"

/*
 * parts_of
 *		What a batch has done, of Part, the module that was last first.
 */
static List *
parts_of(const PdTarget *target, int32 batch)
{
	PdArg		args[] = {
		pd_datum(INT4OID, Int32GetDatum(batch)),
		pd_uuid(pd_target_tenant(target))
	};
	List	   *parts = NIL;
	uint64		n;

	n = target->context == PD_TENANT ?
		pd_spi_query(PARTS_OF_BATCH("tenant_migration"), args, lengthof(args)) :
		pd_spi_query(PARTS_OF_BATCH("landlord_migration"), args, lengthof(args));
	for (uint64 row = 0; row < n; row++)
	{
		Part	   *part = palloc(sizeof(Part));
		bool		isnull;

		part->module = pd_spi_text(row, "module");
		part->has_migrations = DatumGetBool(pd_spi_datum(row, "has_migrations", &isnull));
		part->is_new = DatumGetBool(pd_spi_datum(row, "is_new", &isnull));
		part->is_baselined = DatumGetBool(pd_spi_datum(row, "is_baselined", &isnull));
		part->version = pd_spi_text(row, "version");
		parts = lappend(parts, part);
	}
	return parts;
}

/*
 * ensure_undoable
 *		An error (55000) for a part that is no migration's: what a repeatable
 *		script has replaced is not kept, and what was there before it was entered
 *		is not the batch's to drop.  To pass over it and undo the batch before
 *		would take away what nobody has asked for.
 */
static void
ensure_undoable(const PdTarget *target, const Part *part, int32 batch)
{
	if (part->is_baselined)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("batch %d of %s cannot be undone", batch, pd_target_name(target)),
				 errdetail("By it publicdigit.baseline_module() entered module \"%s\", whose tables were there before.",
						   part->module),
				 errhint("To remove the module and its tables, call publicdigit.uninstall_module().")));
	if (!part->has_migrations && !part->is_new)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("batch %d of %s cannot be undone", batch, pd_target_name(target)),
				 errdetail("Of module \"%s\" it ran no migration, but repeatable scripts or the installer.",
						   part->module),
				 errhint("Choose the version to go down to with publicdigit.downgrade_module().")));
}

/*
 * ensure_last_change
 *		An error (55000) for a part whose module has got to another version since,
 *		by which no script ran: that change is no batch, and would be passed over.
 *		Where it was the installation that is undone, the rows would go.
 */
static void
ensure_last_change(const PdTarget *target, const Part *part, int32 batch)
{
	const char *version = pd_plan_installed(target, part->module)->version;

	if (part->version == NULL || pd_semver_compare(part->version, version) == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("batch %d of %s cannot be undone", batch, pd_target_name(target)),
			 errdetail("Since then module \"%s\" has gone from version %s to %s without a script.",
					   part->module, part->version, version),
			 errhint("Go back to version %s with publicdigit.%s() first; publicdigit.uninstall_module() removes the module.",
					 part->version,
					 pd_semver_compare(part->version, version) < 0 ? "downgrade_module" : "upgrade_module")));
}

/*
 * ensure_batch_undoable
 *		An error (55000) unless the version that is there when a batch's turn
 *		comes, with the later ones undone, has a down script for each of its
 *		migrations of a module; and where the module was there before the batch,
 *		and would go with it, for want of an older migration.
 */
static void
ensure_batch_undoable(const PdTarget *target, const Part *part, int32 batch,
					  const List *later)
{
	const char *module = part->module;
	PdInstallation *installed = pd_plan_installed(target, module);
	PdLedger   *ledger = pd_ledger_open(target, module, installed);
	PdVersion  *from = later == NIL ? pd_version_load(installed->version_id) :
		version_without(installed, ledger, later);

	for (int i = list_length(ledger->applied) - 1; i >= 0; i--)
	{
		const PdApplied *applied = list_nth(ledger->applied, i);

		if (isdigit((unsigned char) applied->migration[0]) && applied->batch == batch &&
			pd_version_script(from, PD_SCRIPT_DOWN, applied->migration) == NULL)
			pd_report_no_down_script(module, from->source->manifest->version,
									 applied->migration);
	}
	if (!part->is_new &&
		version_without(installed, ledger, lappend_int(list_copy(later), batch)) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("batch %d of %s cannot be undone", batch, pd_target_name(target)),
				 errdetail("It ran the first migration of module \"%s\", which was installed before.",
						   module),
				 errhint("Choose the version to go down to with publicdigit.downgrade_module().")));
}

/*
 * pd_plan_ensure_undoable
 *		An error unless these batches, the last first, can be undone as far as
 *		scripts and versions go.  Errors: 55000, PD002.
 */
void
pd_plan_ensure_undoable(const PdTarget *target, const List *batches)
{
	List	   *later = NIL;
	List	   *seen = NIL;			/* of String, the modules of later batches */
	ListCell   *cell;

	foreach(cell, batches)
	{
		ListCell   *other;

		foreach(other, parts_of(target, lfirst_int(cell)))
		{
			const Part *part = lfirst(other);

			ensure_undoable(target, part, lfirst_int(cell));
			if (!list_member(seen, makeString(part->module)))
				ensure_last_change(target, part, lfirst_int(cell));
			seen = lappend(seen, makeString(part->module));
			ensure_batch_undoable(target, part, lfirst_int(cell), later);
		}
		later = lappend_int(later, lfirst_int(cell));
	}
}

/*
 * pd_plan_rollback
 *		Undo one batch: each module goes down to the version before it.
 *		Errors: 55000, 2BP01, PD002.
 */
List *
pd_plan_rollback(const PdTarget *target, int32 batch)
{
	List	   *changes = NIL;
	ListCell   *cell;

	foreach(cell, parts_of(target, batch))
	{
		const char *module = ((Part *) lfirst(cell))->module;
		PdInstallation *installed = pd_plan_installed(target, module);
		PdVersion  *to = version_without(installed, pd_ledger_open(target, module, installed),
										 list_make1_int(batch));

		changes = lappend(changes, to == NULL ? pd_change_away(target, installed, false) :
						  pd_change_down(target, installed, to));
	}
	pd_plan_ensure_together(target, changes);
	foreach(cell, changes)
	{
		const PdChange *change = lfirst(cell);

		/* As uninstall_module() does; a lower version is another matter. */
		if (target->context == PD_LANDLORD && change->to == NULL)
			pd_plan_ensure_no_tenant_needs(change->ledger->module);
	}
	return changes;
}
