/*-------------------------------------------------------------------------
 *
 * script.c
 *	  Running a module's scripts, held to one schema and one tenant.
 *
 * The server's own parser splits a script, and its statements run one by one
 * through SPI, as the owner role and never as the caller, with a search_path
 * of the schema that the script belongs to.  The tenant is bound and held
 * meanwhile: under FORCE ROW LEVEL SECURITY the owner sees no row without it,
 * so that an UPDATE would find nothing, and ADD FOREIGN KEY would validate
 * over rows that it does not see.
 *
 * What a statement may reach is checked twice.  While it runs, the hooks of
 * script_guard.c refuse what lies outside.  After it, this file compares role,
 * binding, path and row_security with what they were before, since a DO block
 * hides from any look at the text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_inherits.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"

#include "compat.h"
#include "protect.h"
#include "reference.h"
#include "script.h"
#include "script_cursor.h"
#include "script_error.h"
#include "script_guard.h"
#include "script_text.h"
#include "script_verify.h"
#include "search_path.h"
#include "spi.h"

/* So many objects, some twenty tables, are let into the server's caches. */
#define CACHED_OBJECTS	200

/* What the error context tells of. */
typedef struct ScriptPosition
{
	const PdScriptRun *run;
	const PdScript *script;
	int			statement;		/* from 1; 0 while parsing */
	int			location;		/* byte offset of the statement */
} ScriptPosition;

/*
 * pd_script_owner
 *		OID of the role that scripts run as.
 */
Oid
pd_script_owner(void)
{
	return get_role_oid(NameStr(pd_catalog_set_up()->owner_role), false);
}

/*
 * error_context
 *		Error context callback: module, script, statement and line, or what of
 *		ours runs in the script's place.
 *
 * A syntax error's cursor points into the script, which the client does not
 * have, so it becomes a line number here.
 */
static void
error_context(void *arg)
{
	ScriptPosition *position = arg;
	const PdScriptRun *run = position->run;
	const PdScript *script = position->script;

	if (run->own != NULL)
		errcontext("module \"%s\" version %s, %s of script \"%s\"",
				   run->manifest->name, run->version, run->own, script->path);
	else if (position->statement == 0)
	{
		int			location = pd_script_take_error_position(script->content,
															 position->location);

		errcontext("module \"%s\" version %s, script \"%s\", line %d",
				   run->manifest->name, run->version, script->path,
				   pd_script_line(script->content, location));
	}
	else
		errcontext("module \"%s\" version %s, script \"%s\", statement %d at line %d",
				   run->manifest->name, run->version, script->path,
				   position->statement,
				   pd_script_line(script->content, position->location));
}

/*
 * ensure_splittable
 *		Refuse, with its remedy, what SPI cannot run.
 */
static void
ensure_splittable(Node *stmt)
{
	if (IsA(stmt, TransactionStmt))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("a module script may not begin or end a transaction"),
				 errdetail("A module is installed wholly or not at all, so all its scripts run in one transaction."),
				 errhint("Remove the statement.")));

	if (IsA(stmt, CopyStmt) && ((CopyStmt *) stmt)->filename == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a module script cannot COPY from or to the client"),
				 errhint("Use INSERT with a list of VALUES.")));
}

/*
 * ensure_unchanged
 *		An error if the statement has left role, binding, path or row_security
 *		other than they were.
 */
static void
ensure_unchanged(const PdScriptRun *run)
{
	const PdBinding *binding = pd_binding();
	const char *changed = NULL;

	if (!pd_script_is_binding_of(run, binding->kind, &binding->tenant))
		pd_script_report_left_tenant(run);

	if (GetUserId() != run->owner)
		changed = "role";
	else if (strcmp(GetConfigOption("search_path", false, false),
					run->search_path) != 0)
		changed = "search_path";
	else if (!row_security)
		changed = "row_security";

	if (changed != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a module script may not change \"%s\"", changed),
				 errhint("Remove the SET statement; names without a schema are looked up in the module's own schema already.")));
}

/*
 * run_statement
 *		Execute one statement as the script.  receiver gets what it gives.
 */
static void
run_statement(PdScriptRun *run, const char *sql, DestReceiver *receiver)
{
	SPIExecuteOptions options = {0};
	PdScriptRun *save_running = pd_script_running();
	volatile int rc = 0;

	options.dest = receiver;

	PG_TRY();
	{
		pd_script_set_running(run);
		rc = SPI_execute_extended(sql, &options);
		/* Checked while the guard is up: the checks may run no user code. */
		ensure_unchanged(run);
	}
	PG_CATCH();
	{
		/* Not left to abort: a caller may catch the error and go on. */
		pd_script_set_running(save_running);
		PG_RE_THROW();
	}
	PG_END_TRY();
	pd_script_set_running(save_running);

	if (rc < 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("statement cannot run in a module script: %s",
						SPI_result_code_string(rc))));
}

/*
 * has_deferrable_trigger
 *		Can a trigger of this relation be deferred?
 */
static bool
has_deferrable_trigger(Oid relid)
{
	Relation	rel = relation_open(relid, NoLock);
	bool		result = false;

	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		if (rel->trigdesc->triggers[i].tgdeferrable)
			result = true;
	}
	relation_close(rel, NoLock);
	return result;
}

/*
 * tables_that_defer
 *		The tables among these, with their partitions and children, that have
 *		triggers which can be deferred.  A statement that writes to a partition
 *		may name the parent only.
 */
static List *
tables_that_defer(List *relations)
{
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, relations)
	{
		ListCell   *inheritor;

		if (get_rel_name(lfirst_oid(cell)) == NULL)
			continue;			/* dropped again */
		foreach(inheritor, find_all_inheritors(lfirst_oid(cell), AccessShareLock, NULL))
		{
			if (has_deferrable_trigger(lfirst_oid(inheritor)))
				result = list_append_unique_oid(result, lfirst_oid(inheritor));
		}
	}
	return result;
}

/*
 * ensure_none_pending
 *		An error (0A000) for a deferred trigger that could not be fired.
 */
static void
ensure_none_pending(List *tables)
{
	ListCell   *cell;

	foreach(cell, tables)
	{
		if (AfterTriggerPendingOnRel(lfirst_oid(cell)))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a deferred constraint of table \"%s\" would be checked after the script",
							get_rel_name(lfirst_oid(cell))),
					 errdetail("At the end of the transaction it would run as another role."),
					 errhint("Give each deferrable constraint a name that no other constraint of the schema has, and make none in a trigger.")));
	}
}

/*
 * pd_script_start
 *		Say where scripts are to run.  run must outlive them; its lists live
 *		in the current memory context.
 */
void
pd_script_start(PdScriptRun *run, PdContextKind context,
				const PdTenant *tenant, const PdManifest *manifest)
{
	MemSet(run, 0, sizeof(PdScriptRun));
	run->context = context;
	if (context == PD_TENANT)
		run->tenant = *tenant;
	run->manifest = manifest;
	run->version = manifest->version;
	run->memory = CurrentMemoryContext;
	run->schema = get_namespace_oid(context == PD_TENANT ?
									NameStr(tenant->schema) : PD_LANDLORD_SCHEMA,
									false);
	run->owner = pd_script_owner();
	run->search_path = pd_search_path(context == PD_TENANT ? tenant : NULL);
}

/*
 * pd_script_ensure_none_pending
 *		When all scripts have run: an error (0A000) for a deferred trigger of
 *		theirs that could not be fired.
 */
void
pd_script_ensure_none_pending(const PdScriptRun *run)
{
	ensure_none_pending(tables_that_defer(run->relations));
}

/*
 * set_for_script
 *		Set a parameter until the script's GUC nest level ends.
 */
static void
set_for_script(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * work_as_owner
 *		Do work of ours as the role that scripts run as.
 */
static void
work_as_owner(PdScriptRun *run, void (*work) (PdScriptRun *run))
{
	PdSpi		spi;

	pd_spi_begin_as(&spi, run->owner);
	work(run);
	pd_spi_end(&spi);
}

/*
 * pd_script_hold
 *		Do work of ours on what a run's scripts have made: as its owner, and held
 *		as a script is.
 *
 * To open a table is to run functions of the module's, as pd_spi_begin says.
 * With a path of our own: by the script's, the module's functions and operators
 * would come first.  What those functions have made is looked at as what a
 * statement has.
 */
void
pd_script_hold(PdScriptRun *run, void (*work) (PdScriptRun *run))
{
	PdScriptRun *save_running = pd_script_running();

	PG_TRY();
	{
		pd_script_set_running(run);
		work_as_owner(run, work);
	}
	PG_CATCH();
	{
		pd_script_set_running(save_running);
		PG_RE_THROW();
	}
	PG_END_TRY();
	pd_script_set_running(save_running);
	pd_script_guard_check_touched(run);
}

/*
 * spare_caches
 *		Empty the server's caches of catalog rows when a script has made so many
 *		objects.  They keep what was looked up of each until the transaction
 *		ends, and the memory, which comes in blocks twice as large each time,
 *		for as long as the session lasts.
 */
static void
spare_caches(PdScriptRun *run)
{
	run->cached += list_length(run->touched);
	if (run->cached < CACHED_OBJECTS)
		return;
	ResetCatalogCaches();
	run->cached = 0;
}

/*
 * look_at_made
 *		After a statement: check what it has made and altered, and protect its new
 *		tables.  To protect one may make others (see pd_script_hold).
 */
static void
look_at_made(PdScriptRun *run)
{
	spare_caches(run);
	pd_script_guard_check_touched(run);
	while (run->unprotected != NIL)
	{
		int			created = list_length(run->created);

		pd_script_hold(run, pd_protect_created);
		if (list_length(run->created) == created)
			break;				/* what is left has no tenant column yet */
	}
}

/*
 * constraints_of
 *		The names of the constraints of tables that can be deferred, for SET
 *		CONSTRAINTS, and in *deferred those that are as a rule; empty for none.
 */
static char *
constraints_of(const PdScriptRun *run, List *tables, char **deferred)
{
	StringInfoData names,
				deferred_names;
	uint64		n;
	PdSpi		spi;

	initStringInfo(&names);
	initStringInfo(&deferred_names);

	pd_spi_begin_as(&spi, run->owner);
	n = pd_spi_query("SELECT format('%I.%I', n.nspname, c.conname) AS name,"
					 " bool_or(c.condeferred) AS deferred"
					 " FROM pg_trigger AS t"
					 " JOIN pg_constraint AS c ON c.oid = t.tgconstraint"
					 " JOIN pg_namespace AS n ON n.oid = c.connamespace"
					 " WHERE t.tgrelid = ANY ($1) AND t.tgdeferrable"
					 " AND NOT EXISTS (SELECT FROM pg_constraint AS o"
					 "  WHERE o.conname = c.conname AND o.connamespace = c.connamespace"
					 "  AND NOT o.condeferrable)"
					 " GROUP BY 1 ORDER BY 1",
					 PD_ARGS(pd_oid_array(tables)));
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		char	   *name = pd_spi_text(row, "name");

		appendStringInfo(&names, "%s%s", row > 0 ? ", " : "", name);
		if (DatumGetBool(pd_spi_datum(row, "deferred", &isnull)))
			appendStringInfo(&deferred_names, "%s%s",
							 deferred_names.len > 0 ? ", " : "", name);
	}
	pd_spi_end(&spi);
	*deferred = deferred_names.data;
	return names.data;
}

/*
 * fire_deferred_triggers
 *		Let the script's own deferred constraints be checked now.
 *
 * At COMMIT they would fire as the caller, who may be a superuser.  Only
 * those of tables that the script made, altered or wrote to are touched: the
 * caller may have deferred others.  What they write to may have more of them,
 * which are fired, too.  SET CONSTRAINTS means all constraints of a name, and
 * fails where one of them is not deferrable; those are left out.
 */
static void
fire_deferred_triggers(PdScriptRun *run)
{
	List	   *tables = tables_that_defer(run->relations);
	List	   *fired = NIL;
	char	   *deferred = "";

	while (list_difference_oid(tables, fired) != NIL)
	{
		char	   *names = constraints_of(run, tables, &deferred);

		if (names[0] != '\0')
		{
			run->is_firing = true;
			run_statement(run, psprintf("SET CONSTRAINTS %s IMMEDIATE", names),
						  None_Receiver);
			run->is_firing = false;
			look_at_made(run);
		}
		fired = tables;
		tables = tables_that_defer(run->relations);
	}
	ensure_none_pending(tables);
	if (deferred[0] != '\0')
		run_statement(run, psprintf("SET CONSTRAINTS %s DEFERRED", deferred),
					  None_Receiver);
}

/*
 * run_statements
 *		Run a script's statements one by one, as the script.
 */
static void
run_statements(PdScriptRun *run, ScriptPosition *position)
{
	const char *content = position->script->content;
	List	   *statements = pg_parse_query(content);
	MemoryContext statement_memory;
	ListCell   *cell;

	statement_memory = AllocSetContextCreate(CurrentMemoryContext,
											 "publicdigit script statement",
											 ALLOCSET_DEFAULT_SIZES);
	foreach(cell, statements)
	{
		RawStmt    *raw = lfirst_node(RawStmt, cell);
		int			start = pd_script_skip_blanks(content, raw->stmt_location);
		int			end = raw->stmt_len > 0 ?
			raw->stmt_location + raw->stmt_len : (int) strlen(content);
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		position->statement++;
		position->location = start;
		ensure_splittable(raw->stmt);

		old = MemoryContextSwitchTo(statement_memory);
		run_statement(run, pnstrdup(content + start, end - start),
					  position->script->kind == PD_SCRIPT_VERIFY ? pd_verify_receiver() :
					  None_Receiver);
		look_at_made(run);
		MemoryContextSwitchTo(old);
		MemoryContextReset(statement_memory);
	}
	MemoryContextDelete(statement_memory);

	fire_deferred_triggers(run);
	pd_script_hold(run, pd_reference_watch_created);
}

/*
 * pd_script_execute
 *		Run a script.  Must be called inside pd_spi_begin.
 *
 * Errors keep their SQLSTATE and get module, version, script, statement and
 * line as context; those of a verify script become PD003.
 */
void
pd_script_execute(PdScriptRun *run, const PdScript *script)
{
	ScriptPosition position = {run, script, 0, 0};
	ErrorContextCallback callback;
	Oid			save_userid;
	int			save_sec_context;
	int			save_nestlevel;
	List	   *cursors = pd_script_note_cursors();
	MemoryContext memory = CurrentMemoryContext;

	callback.callback = error_context;
	callback.arg = &position;
	callback.previous = error_context_stack;
	error_context_stack = &callback;

	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	save_nestlevel = NewGUCNestLevel();
	set_for_script("search_path", run->search_path);
	set_for_script("row_security", "on");
	set_for_script("standard_conforming_strings", "on");
	set_for_script("check_function_bodies", "on");
	pd_bind(run->context == PD_TENANT ? PD_BOUND_TENANT : PD_BOUND_LANDLORD,
			PD_SCOPE_SCRIPT,
			run->context == PD_TENANT ? &run->tenant.id : NULL);
	/* SECURITY_LOCAL_USERID_CHANGE: SET ROLE is refused from here on. */
	SetUserIdAndSecContext(run->owner,
						   save_sec_context | SECURITY_LOCAL_USERID_CHANGE);

	pd_script_hold_cursors(cursors);
	PG_TRY();
	{
		run_statements(run, &position);
	}
	PG_CATCH();
	{
		pd_script_release_cursors(cursors);
		MemoryContextSwitchTo(memory);
		pd_script_rethrow(run, script);
	}
	PG_END_TRY();
	pd_script_release_cursors(cursors);

	/* As if aborted: what a script sets is for the script. */
	AtEOXact_GUC(false, save_nestlevel);
	SetUserIdAndSecContext(save_userid, save_sec_context);
	pd_script_check_cursors(cursors);
	error_context_stack = callback.previous;
}
