/*-------------------------------------------------------------------------
 *
 * manifest.h
 *	  module.json, read and checked.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_MANIFEST_H
#define PUBLICDIGIT_MANIFEST_H

#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "catalog.h"

/* "requires": {"members": "^1.0"} */
typedef struct PdRequirement
{
	char	   *module;
	char	   *range;
} PdRequirement;

/* "tables": {"cards": "tenant"}, with what "grants" gives the app role. */
typedef struct PdTableSpec
{
	char	   *name;
	bool		is_tenant;		/* "tenant", else "shared" */
	AclMode		privileges;		/* for the app role */
} PdTableSpec;

/* "on_uninstall": what becomes of the module's tables. */
typedef enum PdOnUninstall
{
	PD_UNINSTALL_DROP,			/* unless the manifest says otherwise */
	PD_UNINSTALL_ARCHIVE,
	PD_UNINSTALL_REFUSE_IF_DATA
} PdOnUninstall;

/* "accept": {"0002_drop_phone": ["drop_column"]}: hazards that are meant. */
typedef struct PdAcceptance
{
	char	   *migration;		/* or PD_MANIFEST_FILE */
	List	   *hazards;		/* of char * */
} PdAcceptance;

typedef struct PdManifest
{
	char	   *name;
	char	   *title;			/* the name where the manifest has none */
	char	   *version;
	PdContextKind context;
	List	   *requires;		/* of PdRequirement */
	List	   *tables;			/* of PdTableSpec */
	List	   *views;			/* of char *: the app role may select from these */
	char	   *install_function;	/* of "installer"; NULL where there is none */
	char	   *uninstall_function;
	PdOnUninstall on_uninstall;
	List	   *accepted;		/* of PdAcceptance */
	Jsonb	   *document;		/* its keys, without "scripts" and "$schema" */
} PdManifest;

/* What "accept" and the lint name the manifest by. */
#define PD_MANIFEST_FILE	"module.json"

/* The longest name of a module or table: NAMEDATALEN less its end. */
#define PD_NAME_MAX		63

/* For the detail of errors about a module's name. */
#define PD_MODULE_NAME_RULE \
	"a module's name has lower-case letters, digits and underscores, a letter first, and at most 63 bytes"

/*
 * All of it in the current memory context.  "file" is what errors name the
 * manifest by: "module.json of module \"x\"", or "document".
 */
extern PdManifest *pd_manifest_parse(Jsonb *document, const char *file);
extern const PdTableSpec *pd_manifest_table(const PdManifest *manifest, const char *name);
extern bool pd_manifest_has_view(const PdManifest *manifest, const char *name);
extern bool pd_module_name_is_valid(const char *name);

#endif							/* PUBLICDIGIT_MANIFEST_H */
