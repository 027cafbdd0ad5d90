/*-------------------------------------------------------------------------
 *
 * scratch.h
 *	  What versions of modules make where nothing was before.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SCRATCH_H
#define PUBLICDIGIT_SCRATCH_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "catalog.h"
#include "version.h"

/* A module that could not be installed anew, and why. */
typedef struct PdScratchFailure
{
	char	   *module;
	char	   *version;
	char	   *message;
} PdScratchFailure;

/* What is to be made. */
typedef struct PdScratchModule
{
	PdVersion  *version;
	bool		is_disabled;
} PdScratchModule;

typedef struct PdScratch
{
	List	   *items;			/* of PdItem, sorted */
	List	   *objects;		/* of PdModuleObject; their OIDs are gone */
	List	   *failures;		/* of PdScratchFailure */
} PdScratch;

/*
 * Must be called inside pd_spi_begin; the result is in the current memory
 * context.
 */
extern PdScratch *pd_scratch_make(PdContextKind context, List *modules);
extern PdScratchModule *pd_scratch_module(PdVersion *version, bool is_disabled);

#endif							/* PUBLICDIGIT_SCRATCH_H */
