/*-------------------------------------------------------------------------
 *
 * lint.c
 *	  What is hazardous in the scripts of a module's new version.
 *
 * A version carries every migration up to it.  Those that the next lower
 * registered version lacks are what an upgrade will run on tables in use, so
 * they are looked at; where there is no lower version all are.  The others
 * have been looked at before, and only tell what is there already.  The
 * installer and repeatable scripts are looked at when they have changed.
 *
 * Scripts are read by the server's own parser and never by their text.  The
 * raw parse tree is enough, and all there is: at registration no tenant's
 * schema is at hand in which names could be looked up.
 *
 * All scripts of the version are parsed, down, verify and seed scripts too: a
 * syntax error is told now and not in the middle of a rollout.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "errors.h"
#include "lint.h"
#include "lint_rule.h"
#include "script_error.h"
#include "script_text.h"
#include "semver.h"
#include "spi.h"
#include "text_list.h"
#include "version.h"

/* What findings about the manifest stand with, as others do with a script. */
static const PdScript manifest_file = {
	.path = PD_MANIFEST_FILE,
	.migration = PD_MANIFEST_FILE,
	.content = "",
};

/*
 * error_context
 *		Error context callback: module, version, script and line.
 */
static void
error_context(void *arg)
{
	PdLint	   *lint = arg;
	const PdScript *script = lint->script;
	int			location;

	if (script == NULL)
		return;
	location = pd_script_take_error_position(script->content,
											 pd_script_skip_blanks(script->content, lint->location));
	lint->error_location = location;
	errcontext("module \"%s\" version %s, script \"%s\", line %d",
			   lint->source->manifest->name, lint->source->manifest->version,
			   script->path, pd_script_line(script->content, location));
	if (script->content[location] == '\\')
		errhint("The server reads the script, so that psql's own commands, such as \\set, cannot stand in it.");
}

/*
 * lower_version
 *		Id of the highest registered version of the module that is lower than
 *		this one; 0 where there is none.
 */
static int64
lower_version(const PdManifest *manifest)
{
	uint64		n;
	int64		id = 0;
	const char *lower = NULL;

	n = pd_spi_query("SELECT v.id, v.version::text AS version"
					 " FROM publicdigit.module_version AS v WHERE v.module = $1",
					 PD_ARGS(pd_text(manifest->name)));
	for (uint64 row = 0; row < n; row++)
	{
		const char *version = pd_spi_text(row, "version");
		bool		isnull;

		if (pd_semver_compare(version, manifest->version) < 0 &&
			(lower == NULL || pd_semver_compare(version, lower) > 0))
		{
			lower = version;
			id = DatumGetInt64(pd_spi_datum(row, "id", &isnull));
		}
	}
	return id;
}

/*
 * scripts_of
 *		Scripts of a registered version, as a list of PdScript of which path,
 *		migration and checksums are set, and the kind where it is an up script.
 */
static List *
scripts_of(int64 version)
{
	List	   *scripts = NIL;
	uint64		n;

	n = pd_spi_query("SELECT s.path, s.kind, s.migration, s.checksum, s.statements"
					 " FROM publicdigit.module_script AS s"
					 " WHERE s.version_id = $1 ORDER BY s.path COLLATE \"C\"",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(version))));
	for (uint64 row = 0; row < n; row++)
	{
		PdScript   *script = palloc0(sizeof(PdScript));

		script->path = pd_spi_text(row, "path");
		script->kind = strcmp(pd_spi_text(row, "kind"), "up") == 0 ? PD_SCRIPT_UP : PD_SCRIPT_SEED;
		script->migration = pd_spi_text(row, "migration");
		script->content = "";
		script->checksum = pd_spi_text(row, "checksum");
		script->statements = pd_spi_text(row, "statements");
		scripts = lappend(scripts, script);
	}
	return scripts;
}

/*
 * is_among
 *		Will a script not run again, since the version below has it?  One that
 *		is no migration runs again when it has changed.
 */
static bool
is_among(const List *scripts, const PdScript *script)
{
	ListCell   *cell;

	foreach(cell, scripts)
	{
		const PdScript *lower = lfirst(cell);

		if (strcmp(lower->path, script->path) == 0)
			return script->kind == PD_SCRIPT_UP ||
				strcmp(lower->checksum, script->checksum) == 0;
	}
	return false;
}

/*
 * look_at_script
 *		Parse a script, and go through its statements if it is one that an
 *		install applies.
 */
static void
look_at_script(PdLint *lint, const PdScript *script)
{
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext,
												 "publicdigit lint of a script",
												 ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(memory);
	List	   *statements = NIL;
	ListCell   *cell;

	lint->script = script;
	lint->location = 0;
	PG_TRY();
	{
		statements = pg_parse_query(script->content);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(memory);
		pd_script_rethrow_unread(script->content, lint->error_location);
	}
	PG_END_TRY();
	if (pd_script_is_applied(script))
	{
		foreach(cell, statements)
		{
			RawStmt    *raw = lfirst_node(RawStmt, cell);

			CHECK_FOR_INTERRUPTS();
			lint->location = raw->stmt_location;
			pd_lint_note_uses(lint, raw->stmt);
			pd_lint_tenant_schema(lint, raw->stmt);
			pd_lint_statement(lint, raw->stmt);
		}
	}
	lint->script = NULL;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(memory);
}

/*
 * compare_migrations
 *		Find the migrations of the version below that this one has otherwise, or
 *		not at all.
 */
static void
compare_migrations(PdLint *lint, List *lower)
{
	ListCell   *cell;

	lint->is_new = true;
	lint->location = 0;
	foreach(cell, lower)
	{
		PdScript   *before = lfirst(cell);
		const PdScript *now = NULL;
		ListCell   *other;

		if (before->kind != PD_SCRIPT_UP)
			continue;
		foreach(other, lint->source->scripts)
		{
			if (strcmp(((PdScript *) lfirst(other))->path, before->path) == 0)
				now = lfirst(other);
		}
		lint->script = now != NULL ? now : before;
		if (now == NULL)
			pd_lint_report(lint, PD_LINT_LOST_MIGRATION, NoLock, before->migration,
						   "migration \"%s\" of the version before is not there", before->migration);
		else if (strcmp(now->statements, before->statements) != 0)
			pd_lint_report(lint, PD_LINT_CHANGED_MIGRATION, NoLock, before->migration,
						   "migration \"%s\" has other statements than in the version before", before->migration);
	}
	lint->script = NULL;
}

/*
 * compare_uninstall
 *		Find out whether uninstalling loses rows that it keeps in the version below.
 */
static void
compare_uninstall(PdLint *lint, const PdManifest *lower)
{
	if (lint->source->manifest->on_uninstall != PD_UNINSTALL_DROP ||
		lower->on_uninstall == PD_UNINSTALL_DROP)
		return;
	lint->is_new = true;
	lint->location = 0;
	lint->script = &manifest_file;
	pd_lint_report(lint, PD_LINT_DROP_ON_UNINSTALL, NoLock, "",
				   lower->on_uninstall == PD_UNINSTALL_ARCHIVE ?
				   "uninstalling drops the tables with their rows, which version %s puts into the archive" :
				   "uninstalling drops the tables with their rows, which version %s refuses to do",
				   lower->version);
	lint->script = NULL;
}

/*
 * look_at_module
 *		Fill in the findings.  Migrations are looked at in the order in which
 *		they run, which is that of the paths.
 */
static void
look_at_module(PdLint *lint)
{
	int64		lower = lower_version(lint->source->manifest);
	List	   *scripts = lower == 0 ? NIL : scripts_of(lower);
	ErrorContextCallback callback;
	int			save_nestlevel;
	ListCell   *cell;

	callback.callback = error_context;
	callback.arg = lint;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	/* As when the script runs, whatever the caller has set. */
	save_nestlevel = NewGUCNestLevel();
	(void) set_config_option("standard_conforming_strings", "on",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);

	lint->is_upgrade = lower != 0;
	foreach(cell, lint->source->scripts)
	{
		const PdScript *script = lfirst(cell);

		lint->is_new = !is_among(scripts, script);
		look_at_script(lint, script);
	}
	AtEOXact_GUC(false, save_nestlevel);
	error_context_stack = callback.previous;
	pd_lint_report_uses(lint);
	compare_migrations(lint, scripts);
	if (lower != 0)
		compare_uninstall(lint, pd_version_manifest(lower));
}

/*
 * has_migration
 *		Has the module this migration?  The manifest counts as one.
 */
static bool
has_migration(const PdModuleSource *source, const char *migration)
{
	ListCell   *cell;

	if (strcmp(migration, PD_MANIFEST_FILE) == 0)
		return true;
	foreach(cell, source->scripts)
	{
		const PdScript *script = lfirst(cell);

		if (pd_script_is_applied(script) && strcmp(script->migration, migration) == 0)
			return true;
	}
	return false;
}

/*
 * ensure_rule
 *		Raise 22023 for a hazard of which no rule has the name.
 */
static void
ensure_rule(const PdManifest *manifest, const char *hazard)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < PD_LINT_RULES; i++)
	{
		if (strcmp(pd_lint_rule(i)->name, hazard) == 0)
			return;
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", pd_lint_rule(i)->name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("module \"%s\" accepts a hazard that does not exist", manifest->name),
			 errdetail("\"accept\" names \"%s\".", hazard),
			 errhint("The hazards are: %s.", names.data)));
}

/*
 * ensure_acceptable
 *		Raise 22023 where the manifest accepts what does not exist: a slip
 *		would otherwise accept nothing, or the wrong thing later.
 */
static void
ensure_acceptable(const PdModuleSource *source)
{
	ListCell   *cell;

	foreach(cell, source->manifest->accepted)
	{
		const PdAcceptance *acceptance = lfirst(cell);
		ListCell   *hazard;

		if (!has_migration(source, acceptance->migration))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("module \"%s\" accepts hazards of a migration that it does not have",
							source->manifest->name),
					 errdetail("\"accept\" names \"%s\".", acceptance->migration),
					 errhint("Name a migration by its file, without \".up.sql\", and the manifest by \"%s\".",
							 PD_MANIFEST_FILE)));
		foreach(hazard, acceptance->hazards)
			ensure_rule(source->manifest, lfirst(hazard));
	}
}

/*
 * is_accepted
 *		Does the manifest accept what was found?
 */
static bool
is_accepted(const PdManifest *manifest, const PdLintFinding *finding)
{
	ListCell   *cell;

	foreach(cell, manifest->accepted)
	{
		const PdAcceptance *acceptance = lfirst(cell);

		if (strcmp(acceptance->migration, finding->script->migration) == 0 &&
			pd_has_text(acceptance->hazards, pd_lint_rule(finding->rule)->name))
			return true;
	}
	return false;
}

/*
 * place_of
 *		Severity, place and lock of a finding, in words.
 */
static const char *
place_of(const PdLintFinding *finding)
{
	StringInfoData place;

	initStringInfo(&place);
	appendStringInfo(&place, "%s at ", pd_severity_name(pd_lint_rule(finding->rule)->severity));
	if (finding->script == &manifest_file)
		appendStringInfoString(&place, PD_MANIFEST_FILE);
	else
		appendStringInfo(&place, "script \"%s\", line %d", finding->script->path, finding->line);
	if (finding->lock != NoLock)
		appendStringInfo(&place, "; lock: %s on %s",
						 pd_lock_name(finding->lock), finding->object);
	return place.data;
}

/*
 * warn
 *		Tell of the findings, one by one.
 */
static void
warn(const List *findings)
{
	ListCell   *cell;

	foreach(cell, findings)
	{
		const PdLintFinding *finding = lfirst(cell);
		const PdLintRule *rule = pd_lint_rule(finding->rule);

		ereport(WARNING,
				(errmsg("%s: %s", rule->name, finding->message),
				 errdetail("Severity %s.", place_of(finding)),
				 errhint("%s", rule->hint)));
	}
}

/*
 * refuse
 *		Raise PD004 with all findings, of which the first serves as the
 *		example of how one is accepted.
 */
static void
refuse(const PdManifest *manifest, const List *findings)
{
	const PdLintFinding *first = NULL;
	StringInfoData list;
	ListCell   *cell;

	initStringInfo(&list);
	foreach(cell, findings)
	{
		const PdLintFinding *finding = lfirst(cell);
		const PdLintRule *rule = pd_lint_rule(finding->rule);

		if (first == NULL && rule->severity != PD_SEVERITY_INFO)
			first = finding;
		appendStringInfo(&list, "%s%s: %s (%s)", list.len > 0 ? "\n" : "",
						 rule->name, finding->message, place_of(finding));
	}
	ereport(ERROR,
			(errcode(ERRCODE_PD_LINT),
			 errmsg("the scripts of version %s of module \"%s\" have hazards",
					manifest->version, manifest->name),
			 errdetail("%s", list.data),
			 errhint("Change the scripts, or accept what is meant in module.json: \"accept\": {\"%s\": [\"%s\"]}.",
					 first->script->migration, pd_lint_rule(first->rule)->name)));
}

/*
 * pd_lint_module
 *		Warn of hazards in the scripts that a new version brings.  Must be
 *		called inside pd_spi_begin.
 *
 * Raises 42601 for a script that does not parse, 22023 for an acceptance of
 * what does not exist, and with strict PD004 for findings that are more than
 * advice and not accepted.
 */
void
pd_lint_module(const PdModuleSource *source, bool strict)
{
	PdLint		lint = {.source = source, .memory = CurrentMemoryContext};
	List	   *findings = NIL;
	bool		is_hazardous = false;
	ListCell   *cell;

	ensure_acceptable(source);
	look_at_module(&lint);
	foreach(cell, lint.findings)
	{
		const PdLintFinding *finding = lfirst(cell);

		if (is_accepted(source->manifest, finding))
			continue;
		findings = lappend(findings, lfirst(cell));
		if (pd_lint_rule(finding->rule)->severity != PD_SEVERITY_INFO)
			is_hazardous = true;
	}
	if (strict && is_hazardous)
		refuse(source->manifest, findings);
	warn(findings);
}
