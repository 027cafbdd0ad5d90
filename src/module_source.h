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
	PD_SCRIPT_SEED
} PdScriptKind;

typedef struct PdScript
{
	char	   *path;			/* relative to the module, "/" between parts */
	PdScriptKind kind;
	int			number;			/* of a migration; 0 for a seed */
	char	   *migration;		/* a migration's stem: "0001_create_cards" */
	char	   *content;
	char	   *checksum;		/* "sha256:" and hex */
} PdScript;

typedef struct PdModuleSource
{
	PdManifest *manifest;
	List	   *scripts;		/* of PdScript, by path in byte order */
	char	   *checksum;		/* over the manifest and all scripts */
} PdModuleSource;

/* The most bytes that one file, or one document, may have. */
#define PD_SOURCE_MAX	(16 * 1024 * 1024)

extern PdModuleSource *pd_module_source_from_document(Jsonb *document);

/* Checks and completes what was read; of scripts path and content are set. */
extern PdModuleSource *pd_module_source_make(PdManifest *manifest,
											 List *scripts, const char *source);

/* Fills kind, number and migration of a PdScript from its path. */
extern void pd_script_classify(PdScript *script, PdContextKind context);

/* module_directory.c */
extern List *pd_module_directories(void);	/* names, of char * */
extern PdModuleSource *pd_module_source_from_directory(const char *name);

#endif							/* PUBLICDIGIT_MODULE_SOURCE_H */
