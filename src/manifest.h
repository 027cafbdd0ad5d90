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

typedef struct PdManifest
{
	char	   *name;
	char	   *title;			/* the name where the manifest has none */
	char	   *version;		/* as type semver prints it */
	PdContextKind context;
	List	   *requires;		/* of PdRequirement */
	List	   *tables;			/* of PdTableSpec */
	Jsonb	   *document;		/* the manifest's own keys, without "scripts" */
} PdManifest;

/*
 * All of it in the current memory context.  "file" is what errors name the
 * manifest by: "module.json" of a directory, or "document".
 */
extern PdManifest *pd_manifest_parse(Jsonb *document, const char *file);
extern const PdTableSpec *pd_manifest_table(const PdManifest *manifest, const char *name);

#endif							/* PUBLICDIGIT_MANIFEST_H */
