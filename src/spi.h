/*-------------------------------------------------------------------------
 *
 * spi.h
 *	  SQL that the extension runs for itself, as its own owner.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SPI_H
#define PUBLICDIGIT_SPI_H

#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

/* Opened by pd_spi_begin, closed by pd_spi_end; undone by any error. */
typedef struct PdSpi
{
	Oid			save_userid;
	int			save_sec_context;
	int			save_nestlevel;
} PdSpi;

/* One argument of a statement: $1, $2, … */
typedef struct PdArg
{
	Oid			type;
	Datum		value;
	bool		isnull;
} PdArg;

static inline PdArg
pd_text(const char *s)
{
	PdArg		arg = {TEXTOID, (Datum) 0, s == NULL};

	if (s != NULL)
		arg.value = CStringGetTextDatum(s);
	return arg;
}

static inline PdArg
pd_uuid(const pg_uuid_t *u)
{
	PdArg		arg = {UUIDOID, UUIDPGetDatum(u), u == NULL};

	return arg;
}

static inline PdArg
pd_datum(Oid type, Datum value)
{
	PdArg		arg = {type, value, false};

	return arg;
}

/* "PD_ARGS(pd_text(a), pd_uuid(b))" stands for an array and its length. */
#define PD_ARGS(...) \
	(PdArg []) {__VA_ARGS__}, \
	(int) (sizeof((PdArg []) {__VA_ARGS__}) / sizeof(PdArg))

extern PdArg pd_oid_array(List *oids);
extern PdArg pd_int_array(List *integers);
extern PdArg pd_text_array(List *texts);
extern void pd_spi_begin(PdSpi *spi);
extern void pd_spi_begin_as(PdSpi *spi, Oid role);
extern void pd_spi_end(PdSpi *spi);
extern uint64 pd_spi_query(const char *sql, const PdArg *args, int nargs);
extern uint64 pd_spi_query_once(const char *sql, const PdArg *args, int nargs);
extern uint64 pd_spi_query_latest(const char *sql, const PdArg *args, int nargs);
extern Snapshot pd_latest_snapshot(void);
extern void pd_spi_command(const char *format,...) pg_attribute_printf(1, 2);
extern char *pd_spi_text(uint64 row, const char *column);
extern Datum pd_spi_datum(uint64 row, const char *column, bool *isnull);

#endif							/* PUBLICDIGIT_SPI_H */
