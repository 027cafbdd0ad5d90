/*-------------------------------------------------------------------------
 *
 * manifest_reader.h
 *	  Values of a manifest's keys, and what is wrong with them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_MANIFEST_READER_H
#define PUBLICDIGIT_MANIFEST_READER_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "compat.h"
#include "json.h"

/* What is being read, for errors: an object, and the way to it. */
typedef struct PdReader
{
	const char *file;
	const char *prefix;			/* "" or "tables." and the like */
	JsonbContainer *object;
} PdReader;

pg_noreturn extern void pd_bad_value(const PdReader *reader, const char *key,
									 const JsonbValue *value, const char *rule,
									 const char *hint);
pg_noreturn extern void pd_bad_key(const PdReader *reader, const PdJsonPair *pair,
								   const char *rule, const char *hint);
extern void pd_ensure_known_keys(const PdReader *reader, const char *const *known);
extern char *pd_get_string(const PdReader *reader, const char *key);
extern char *pd_require_string(const PdReader *reader, const char *key,
							   const char *rule, JsonbValue *value);
extern bool pd_get_object(const PdReader *reader, const char *key, PdReader *nested);

#endif							/* PUBLICDIGIT_MANIFEST_READER_H */
