/*-------------------------------------------------------------------------
 *
 * catalog.h
 *	  The extension's own objects in this database, and its settings.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_CATALOG_H
#define PUBLICDIGIT_CATALOG_H

#include "postgres.h"

#define PD_EXTENSION		"publicdigit"
#define PD_SCHEMA			"publicdigit"
#define PD_LANDLORD_SCHEMA	"landlord"

/* What a module, a migration or a script belongs to. */
typedef enum PdContextKind
{
	PD_LANDLORD,
	PD_TENANT
} PdContextKind;

typedef struct PdCatalog
{
	Oid			extension_owner;
	Oid			schema;
	Oid			setting;		/* tables and their indexes */
	Oid			tenant;
	Oid			tenant_pkey;
	Oid			tenant_slug_key;
	Oid			tenant_schema_name_key;
	Oid			access;
	Oid			access_key;
	Oid			current_tenant_id;	/* functions */
	Oid			is_current_tenant;
	Oid			ensure_tenant;
	Oid			guarded_nextval;
	Oid			guarded_setval;
	Oid			guarded_setval_called;	/* the form with is_called */
	uint32		tying[4];		/* hashes of functions that tell what is bound */

	/* From table "setting"; empty names before setup(). */
	bool		is_set_up;
	NameData	owner_role;
	NameData	app_role;
	NameData	admin_role;
	bool		testing;
} PdCatalog;

extern bool pd_catalog_is_ours(Oid relid);
extern const PdCatalog *pd_catalog(void);
extern const PdCatalog *pd_catalog_if_created(void);
extern const PdCatalog *pd_catalog_of_plan(void);
extern const PdCatalog *pd_catalog_set_up(void);
extern void pd_catalog_invalidate_all(void);
extern const char *pd_context_name(PdContextKind context);

#endif							/* PUBLICDIGIT_CATALOG_H */
