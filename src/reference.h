/*-------------------------------------------------------------------------
 *
 * reference.h
 *	  References of tenants' tables to the landlord's tables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_REFERENCE_H
#define PUBLICDIGIT_REFERENCE_H

#include "postgres.h"

#include "access/attnum.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "storage/lockdefs.h"
#include "utils/portal.h"
#include "utils/rel.h"
#include "utils/uuid.h"

#include "script_run.h"
#include "spi.h"

/* The triggers of a landlord's table that tenants may refer to. */
#define PD_TRIGGER_KEY		"publicdigit_landlord_key"
#define PD_TRIGGER_TRUNCATE	"publicdigit_landlord_truncate"

/* What the triggers are, as pg_trigger.tgtype has it. */
#define PD_TRIGGER_TYPE_CHECK	(TRIGGER_TYPE_ROW | TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE)
#define PD_TRIGGER_TYPE_KEY		(TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE | TRIGGER_TYPE_UPDATE)
#define PD_TRIGGER_TYPE_TRUNCATE	(TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_TRUNCATE)

/* What a trigger's condition says. */
typedef struct PdReference
{
	AttrNumber	column;			/* of the trigger's own table */
	Oid			landlord;		/* the landlord's table, on a tenant's table */
} PdReference;

/* reference.c: making them. */
extern void pd_reference_watch(Oid landlord);
extern void pd_reference_watch_created(PdScriptRun *run);

/* reference_key.c: the landlord's keys, and which tenants use them. */
extern void pd_reference_init(void);
extern AttrNumber pd_reference_key_column(Relation landlord);
extern bool pd_reference_lock_key(Oid landlord, Oid type, Datum value, char **key);
extern bool pd_reference_is_used(Oid landlord, const char *key);
extern void pd_reference_enter(Oid landlord, const char *key, const pg_uuid_t *tenant);
extern void pd_reference_remove(Oid landlord, const char *key);
extern void pd_reference_respell(Oid landlord, const char *key, const char *spelled);
extern bool pd_reference_is_checked(Oid landlord, Oid nspid, const char *value);
extern void pd_reference_note_checked(Oid landlord, Oid nspid, const char *value);
extern void pd_reference_forget_checked(void);

/* reference_read.c: what a trigger says. */
extern Oid	pd_reference_key_family(Oid type);
extern void pd_reference_read(Relation rel, const Trigger *trigger, PdReference *reference);

/* reference_rows.c: reading the tables on both sides. */
extern char *pd_reference_table_name(Oid relid);
extern Oid	pd_reference_table_owner(Oid relid);
extern bool pd_reference_begin(PdSpi *spi, Oid relid, LOCKMODE lockmode);
extern Portal pd_reference_open_values(Oid relid, AttrNumber column);
extern bool pd_reference_refers(Oid relid, AttrNumber column, Oid type, Datum value);

/* reference_trigger.c: what happens to rows. */
extern void pd_reference_check(Relation rel, const char *name,
							   const PdReference *reference, Datum value);

#endif							/* PUBLICDIGIT_REFERENCE_H */
