/*-------------------------------------------------------------------------
 *
 * script_error.c
 *	  What is said of an error in a module's script beside the server's words.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "tcop/tcopprot.h"

#include "errors.h"
#include "protect.h"
#include "script_error.h"

/*
 * pd_error_is_of_module
 *		Does an error come of the module, and not of a cancel, a deadlock, a lock
 *		that was not to be had, or the server?
 */
bool
pd_error_is_of_module(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return false;
	}
	return error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE;
}

/*
 * seed_hint
 *		What to do about a seed that refers to rows that are not there; NULL
 *		where the module requires none.
 */
static char *
seed_hint(const PdManifest *manifest)
{
	StringInfoData calls;
	ListCell   *cell;

	if (manifest->requires == NIL)
		return NULL;
	initStringInfo(&calls);
	foreach(cell, manifest->requires)
		appendStringInfo(&calls, "%spublicdigit.seed_module('%s')",
						 calls.len > 0 ? ", " : "",
						 ((PdRequirement *) lfirst(cell))->module);
	return psprintf("Seed what the module requires first, the landlord before the tenant: %s.",
					calls.data);
}

/*
 * is_about_names
 *		Does an error say that something is there, or is not?
 */
static bool
is_about_names(const ErrorData *error)
{
	switch (error->sqlerrcode)
	{
		case ERRCODE_DUPLICATE_COLUMN:
		case ERRCODE_DUPLICATE_OBJECT:
		case ERRCODE_DUPLICATE_TABLE:
		case ERRCODE_UNDEFINED_COLUMN:
		case ERRCODE_UNDEFINED_OBJECT:
		case ERRCODE_UNDEFINED_TABLE:
			return true;
		default:
			return false;
	}
}

#define ONE_SOURCE	"A table comes from migrations or from the installer, never from both."

/*
 * drift_hint
 *		What to do where something is there, or is not, unlike the scripts of an
 *		installed module have it.  Whether somebody has changed the schema by hand
 *		cannot be looked up here, after an error.
 */
static char *
drift_hint(const ErrorData *error, const PdScriptRun *run)
{
	return psprintf("%sIf the schema was changed by hand, publicdigit.check_drift('%s') tells where.",
					error->sqlerrcode == ERRCODE_DUPLICATE_TABLE ? ONE_SOURCE "  " : "",
					run->context == PD_TENANT ? run->tenant.slug : "@landlord");
}

/*
 * hint_for
 *		What to do about an error, where the server gives no hint, or none that
 *		can be followed; or NULL.
 */
static char *
hint_for(const ErrorData *error, const PdScriptRun *run, const PdScript *script)
{
	/* The server's hint is DROP ... CASCADE, which a registered script cannot become. */
	if (error->sqlerrcode == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST)
		return "Drop first what the detail names.  If another module has made it, uninstall that one, which should name this one under \"requires\".";
	/* What is installed already is not taken over. */
	if (run->is_installed && is_about_names(error))
		return drift_hint(error, run);
	if (error->sqlerrcode == ERRCODE_DUPLICATE_TABLE)
		return ONE_SOURCE "  One that was made in another way can be taken over with publicdigit.baseline_module().";
	if (error->sqlerrcode == ERRCODE_NOT_NULL_VIOLATION && error->column_name != NULL &&
		strcmp(error->column_name, PD_TENANT_COLUMN) == 0)
		return "Rows get their tenant from the column's default, which a table has when the statement that makes it has ended.  In that statement write publicdigit.current_tenant_id() into them.";
	if (error->sqlerrcode == ERRCODE_FOREIGN_KEY_VIOLATION && script->kind == PD_SCRIPT_SEED)
		return seed_hint(run->manifest);
	return NULL;
}

/*
 * pd_script_rethrow
 *		In PG_CATCH: raise a script's error again, with what can be said of it.
 *		A verify script's own error becomes PD003.
 *
 * The current memory context must be one that the error is to live in.
 */
void
pd_script_rethrow(const PdScriptRun *run, const PdScript *script)
{
	ErrorData  *error = CopyErrorData();

	FlushErrorState();
	if (script->kind == PD_SCRIPT_VERIFY && pd_error_is_of_module(error))
	{
		error->message = psprintf("verification of migration \"%s\" failed: %s",
								  script->migration, error->message);
		error->sqlerrcode = ERRCODE_PD_VERIFY;
	}
	else if (error->hint == NULL || error->sqlerrcode == ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST)
		error->hint = hint_for(error, run, script);
	ReThrowError(error);
}

/*
 * parse
 *		The statements of a text, or NIL where it does not parse.
 */
static List *
parse(const char *text)
{
	MemoryContext context = CurrentMemoryContext;
	List	   *volatile statements = NIL;

	PG_TRY();
	{
		statements = pg_parse_query(text);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();
	return statements;
}

/*
 * follows_copy
 *		Is the statement before this place in a script a COPY from the client, of
 *		which rows would follow?  Must be called without an error at hand.
 *
 * The semicolon before the place may stand in a row: then it is not known.
 */
static bool
follows_copy(const char *content, int location)
{
	List	   *statements;
	CopyStmt   *copy;

	while (location > 0 && content[location - 1] != ';')
		location--;
	statements = parse(pnstrdup(content, location));
	if (statements == NIL)
		return false;
	copy = (CopyStmt *) llast_node(RawStmt, statements)->stmt;
	return IsA(copy, CopyStmt) && copy->is_from && copy->filename == NULL && !copy->is_program;
}

/*
 * pd_script_rethrow_unread
 *		In PG_CATCH: raise the error of a script that does not parse again, with
 *		a hint where it stands among the rows of COPY.  location is where the
 *		error is.
 *
 * The current memory context must be one that the error is to live in.
 */
void
pd_script_rethrow_unread(const char *content, int location)
{
	ErrorData  *error = CopyErrorData();

	FlushErrorState();
	/* Backslash and period end the rows. */
	if (error->sqlerrcode == ERRCODE_SYNTAX_ERROR &&
		(strncmp(content + location, "\\.", 2) == 0 || follows_copy(content, location)))
		error->hint = pstrdup("Rows of COPY cannot stand in a script; write them as INSERT with a list of VALUES.");
	ReThrowError(error);
}
