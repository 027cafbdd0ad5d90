/*-------------------------------------------------------------------------
 *
 * spi.c
 *	  SQL that the extension runs for itself, as its own owner.
 *
 * The registry belongs to the extension's owner and nobody else may write it,
 * so each function that changes it becomes that role for as long as it needs.
 * Settings are pinned meanwhile: the caller's search_path may name schemas in
 * which somebody has put operators of their own.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <stdarg.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "spi.h"

/* Prepared statements, kept for the life of the backend, by their text. */
typedef struct PdStatement
{
	const char *sql;			/* hash key: address of the literal */
	SPIPlanPtr	plan;
} PdStatement;

static HTAB *statements = NULL;

/*
 * begin
 *		Become a role, with a search_path that nobody else can put objects
 *		into, and connect to SPI.
 *
 * An error undoes all of it with the (sub)transaction, so that callers need
 * no PG_TRY.
 */
static void
begin(PdSpi *spi, Oid role, int flags)
{
	GetUserIdAndSecContext(&spi->save_userid, &spi->save_sec_context);
	spi->save_nestlevel = NewGUCNestLevel();
	SetUserIdAndSecContext(role,
						   spi->save_sec_context | SECURITY_LOCAL_USERID_CHANGE | flags);

	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	/* Names and expressions, as the server spells them, are compared as text. */
	(void) set_config_option("quote_all_identifiers", "off",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	/* A registry read that RLS had filtered would be a wrong answer. */
	(void) set_config_option("row_security", "off",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

/*
 * pd_spi_begin
 *		Become the extension's owner, who alone may write the registry.
 *
 * He is a superuser as a rule.  So nothing that runs until pd_spi_end may open a
 * table that is not the extension's or the server's own: to open one is enough to
 * run functions of its owner's, which the server computes for predicates of
 * indexes, statistics, checks and keys of partitions.
 */
void
pd_spi_begin(PdSpi *spi)
{
	begin(spi, pd_catalog()->extension_owner, 0);
}

/*
 * pd_spi_begin_as
 *		Become the owner of a table that is to be worked on.  What its functions
 *		run leaves nothing behind for who has called: no deferred trigger, no
 *		temporary table, no setting.
 */
void
pd_spi_begin_as(PdSpi *spi, Oid role)
{
	begin(spi, role, SECURITY_RESTRICTED_OPERATION);
}

/*
 * pd_spi_end
 *		Undo pd_spi_begin and pd_spi_begin_as.
 */
void
pd_spi_end(PdSpi *spi)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	AtEOXact_GUC(true, spi->save_nestlevel);
	SetUserIdAndSecContext(spi->save_userid, spi->save_sec_context);
}

/*
 * prepare
 *		A plan of a statement, until SPI_finish.
 */
static SPIPlanPtr
prepare(const char *sql, const PdArg *args, int nargs)
{
	Oid			types[16];
	SPIPlanPtr	plan;

	if (nargs > (int) lengthof(types))
		elog(ERROR, "too many arguments for a statement");
	for (int i = 0; i < nargs; i++)
		types[i] = args[i].type;

	plan = SPI_prepare(sql, nargs, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s: %s",
			 SPI_result_code_string(SPI_result), sql);
	return plan;
}

/*
 * prepared
 *		The kept plan of a statement, made at its first use.
 *
 * The address of the text is the key, so sql must be a string literal.
 */
static SPIPlanPtr
prepared(const char *sql, const PdArg *args, int nargs)
{
	PdStatement *statement;
	SPIPlanPtr	plan;
	bool		found;

	if (statements == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(const char *);
		ctl.entrysize = sizeof(PdStatement);
		ctl.hcxt = TopMemoryContext;
		statements = hash_create("publicdigit statements", 64, &ctl,
								 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	statement = hash_search(statements, &sql, HASH_FIND, NULL);
	if (statement != NULL)
	{
		/* A linker may give equal literals of two files one address. */
		for (int i = 0; i < nargs; i++)
		{
			if (SPI_getargtypeid(statement->plan, i) != args[i].type)
				elog(ERROR, "statement is used with arguments of two types: %s", sql);
		}
		return statement->plan;
	}

	plan = prepare(sql, args, nargs);
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed: %s", sql);

	/* Entered last: an error above leaves no half-made entry. */
	statement = hash_search(statements, &sql, HASH_ENTER, &found);
	statement->plan = plan;
	return plan;
}

/*
 * pd_oid_array
 *		A list of OIDs as an argument of type oid[].
 */
PdArg
pd_oid_array(List *oids)
{
	Datum	   *elements = palloc(sizeof(Datum) * (list_length(oids) + 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, oids)
		elements[n++] = ObjectIdGetDatum(lfirst_oid(cell));
	return pd_datum(OIDARRAYOID,
					PointerGetDatum(construct_array(elements, n, OIDOID,
													sizeof(Oid), true, TYPALIGN_INT)));
}

/*
 * pd_int_array
 *		A list of integers as an argument of type integer[].
 */
PdArg
pd_int_array(List *integers)
{
	Datum	   *elements = palloc(sizeof(Datum) * (list_length(integers) + 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, integers)
		elements[n++] = Int32GetDatum(lfirst_int(cell));
	return pd_datum(INT4ARRAYOID,
					PointerGetDatum(construct_array(elements, n, INT4OID,
													sizeof(int32), true, TYPALIGN_INT)));
}

/*
 * pd_text_array
 *		A list of C strings as an argument of type text[].
 */
PdArg
pd_text_array(List *texts)
{
	Datum	   *elements = palloc(sizeof(Datum) * (list_length(texts) + 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, texts)
		elements[n++] = CStringGetTextDatum((char *) lfirst(cell));
	return pd_datum(TEXTARRAYOID,
					PointerGetDatum(construct_array(elements, n, TEXTOID,
													-1, false, TYPALIGN_INT)));
}

/*
 * callers_snapshot
 *		What the caller's own statement sees, in a read-only transaction; else
 *		InvalidSnapshot, for what our statement sees when it begins.
 *
 * A read-only transaction takes no lock, so that others may change the registry
 * between two of our statements, which would then not go together.
 */
static Snapshot
callers_snapshot(void)
{
	return XactReadOnly && ActiveSnapshotSet() ? GetActiveSnapshot() : InvalidSnapshot;
}

/*
 * run
 *		Run a fixed statement's plan with arguments, under the latest snapshot or
 *		the transaction's.
 */
static uint64
run(const char *sql, SPIPlanPtr plan, const PdArg *args, int nargs, bool latest)
{
	Datum		values[16];
	char		nulls[16];
	int			rc;

	for (int i = 0; i < nargs; i++)
	{
		values[i] = args[i].value;
		nulls[i] = args[i].isnull ? 'n' : ' ';
	}

	rc = SPI_execute_snapshot(plan, values, nulls,
							  latest ? pd_latest_snapshot() : callers_snapshot(),
							  InvalidSnapshot, false, true, 0);
	if (rc < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s: %s",
			 SPI_result_code_string(rc), sql);
	return SPI_processed;
}

/*
 * pd_spi_query
 *		Run a fixed statement with arguments; its plan is kept.
 *
 * sql must be a string literal that names every object with its schema.
 * Returns the number of rows, which are in SPI_tuptable until the next call.
 */
uint64
pd_spi_query(const char *sql, const PdArg *args, int nargs)
{
	return run(sql, prepared(sql, args, nargs), args, nargs, false);
}

/*
 * pd_spi_query_once
 *		The same for a large query that a change runs once, and that would take
 *		more memory than it is worth if its plan were kept.
 */
uint64
pd_spi_query_once(const char *sql, const PdArg *args, int nargs)
{
	return run(sql, prepare(sql, args, nargs), args, nargs, false);
}

/*
 * pd_spi_query_latest
 *		The same for what must not depend on how old the transaction is: it
 *		sees what has been committed by now, under every isolation level.
 */
uint64
pd_spi_query_latest(const char *sql, const PdArg *args, int nargs)
{
	return run(sql, prepared(sql, args, nargs), args, nargs, true);
}

/*
 * pd_latest_snapshot
 *		A snapshot of what has been committed by now, and of what this
 *		transaction has done so far.  The next call overwrites it.
 */
Snapshot
pd_latest_snapshot(void)
{
	CommandCounterIncrement();
	return GetLatestSnapshot();
}

/*
 * pd_spi_command
 *		Run a utility command put together from a format.
 *
 * Every name among the arguments must have gone through quote_identifier,
 * every literal through quote_literal_cstr.
 */
void
pd_spi_command(const char *format,...)
{
	StringInfoData sql;
	int			rc;

	initStringInfo(&sql);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&sql, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&sql, needed);
	}

	rc = SPI_execute(sql.data, false, 0);
	if (rc < 0)
		elog(ERROR, "SPI_execute failed: %s: %s",
			 SPI_result_code_string(rc), sql.data);
	pfree(sql.data);
}

/*
 * pd_spi_datum
 *		One value of the last result, by column name.
 */
Datum
pd_spi_datum(uint64 row, const char *column, bool *isnull)
{
	int			attno = SPI_fnumber(SPI_tuptable->tupdesc, column);

	if (attno <= 0)
		elog(ERROR, "result has no column \"%s\"", column);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
						 attno, isnull);
}

/*
 * pd_spi_text
 *		One value of the last result as text, by column name; NULL for null.
 *		Lives in the current memory context.
 */
char *
pd_spi_text(uint64 row, const char *column)
{
	int			attno = SPI_fnumber(SPI_tuptable->tupdesc, column);

	if (attno <= 0)
		elog(ERROR, "result has no column \"%s\"", column);
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, attno);
}
