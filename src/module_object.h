/*-------------------------------------------------------------------------
 *
 * module_object.h
 *	  The objects of a target's schema, and the modules that made them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_MODULE_OBJECT_H
#define PUBLICDIGIT_MODULE_OBJECT_H

#include "postgres.h"

#include "catalog/objectaddress.h"
#include "nodes/pg_list.h"

#include "script_run.h"
#include "target.h"

/* An object that lives in a schema by itself, not as part of another. */
typedef struct PdModuleObject
{
	ObjectAddress address;
	char	   *type;			/* as pg_identify_object() says: "table" */
	char	   *qualified;		/* what it calls the object */
	char	   *identity;		/* the same, without the target's schema */
	char	   *name;			/* type and identity: "table cards" */
	char	   *module;			/* that made it; NULL where none has */
	char	   *migration;		/* its script that did, where that is written down */
} PdModuleObject;

/*
 * Must be called inside pd_spi_begin; results are in the current memory
 * context.
 */
extern List *pd_module_objects(const PdTarget *target);
extern void pd_module_objects_record(PdScriptRun *run, int64 installation,
									 const char *migration);
extern List *pd_module_objects_kept(int64 installation, List *scripts);
extern List *pd_module_objects_statements(int64 installation, const char *migration,
										  const char *now, const char *then,
										  const char *format);
extern char *pd_replace_schema(const char *text, const char *schema,
							   const char *replacement);

#endif							/* PUBLICDIGIT_MODULE_OBJECT_H */
