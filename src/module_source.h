/*-------------------------------------------------------------------------
 *
 * module_source.h
 *	  A version of a module with its scripts, from the server's share folder,
 *	  from one document, or from the registry.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_MODULE_SOURCE_H
#define PUBLICDIGIT_MODULE_SOURCE_H

#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "manifest.h"

typedef enum PdScriptKind
{
	PD_SCRIPT_UP,
	PD_SCRIPT_DOWN,
	PD_SCRIPT_VERIFY,
	PD_SCRIPT_REPEATABLE,		/* run again whenever it has changed */
	PD_SCRIPT_INSTALLER,		/* makes the functions that "installer" names */
	PD_SCRIPT_SEED
} PdScriptKind;

typedef struct PdScript
{
	char	   *path;			/* relative to the module, "/" between parts */
	PdScriptKind kind;
	int			number;			/* of a numbered migration; else 0 */
	char	   *migration;		/* its stem, "0001_create_cards"; NULL for a seed */
	char	   *content;
	char	   *checksum;		/* of the text */
	char	   *statements;		/* checksum of the statements alone */
} PdScript;

typedef struct PdModuleSource
{
	PdManifest *manifest;
	List	   *scripts;		/* of PdScript, by path in byte order */
	char	   *checksum;		/* over the manifest and all scripts */
	char	   *head;			/* of the chain over what is applied of it */
} PdModuleSource;

/* The most bytes that one file, or one document, may have. */
#define PD_SOURCE_MAX	(16 * 1024 * 1024)

extern PdModuleSource *pd_module_source_from_document(Jsonb *document);

/* Checks and completes what was read; of scripts path and content are set. */
extern PdModuleSource *pd_module_source_make(PdManifest *manifest,
											 List *scripts, const char *source);

/* What the ledger calls installer.sql. */
#define PD_INSTALLER	"installer"

/* script_path.c; the first fills in kind, number and migration from the path */
extern void pd_script_classify(PdScript *script, PdContextKind context);
extern const char *pd_script_kind_name(PdScriptKind kind);
extern bool pd_script_is_applied(const PdScript *script);

/* module_directory.c */
extern List *pd_module_directories(void);	/* names, of char * */
extern PdModuleSource *pd_module_source_from_directory(const char *name);

#endif							/* PUBLICDIGIT_MODULE_SOURCE_H */
