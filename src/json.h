/*-------------------------------------------------------------------------
 *
 * json.h
 *	  Reading values out of jsonb.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_JSON_H
#define PUBLICDIGIT_JSON_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

/* One key of an object. */
typedef struct PdJsonPair
{
	char	   *key;
	JsonbValue	value;
} PdJsonPair;

extern Jsonb *pd_json_try(const char *text, ErrorData **error);
extern Jsonb *pd_json_parse(const char *text, const char *file);
extern bool pd_json_get(JsonbContainer *object, const char *key,
						JsonbValue *value);

/* A value as what it should be; NULL where it is something else. */
extern char *pd_json_string(const JsonbValue *value);
extern JsonbContainer *pd_json_object(const JsonbValue *value);
extern JsonbContainer *pd_json_array(const JsonbValue *value);

extern List *pd_json_pairs(JsonbContainer *object);		/* of PdJsonPair */
extern List *pd_json_elements(JsonbContainer *array);	/* of JsonbValue */

extern char *pd_json_show(const JsonbValue *value);

#endif							/* PUBLICDIGIT_JSON_H */
