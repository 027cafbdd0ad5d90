/*-------------------------------------------------------------------------
 *
 * candidate.h
 *	  Registered versions that a choice is made from, and what they require.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_CANDIDATE_H
#define PUBLICDIGIT_CANDIDATE_H

#include "postgres.h"

#include "nodes/bitmapset.h"
#include "utils/hsearch.h"

#include "manifest.h"
#include "semver.h"

/* A registered version of a module. */
typedef struct PdCandidate
{
	int64		id;				/* in the registry */
	char	   *version;
	Datum		value;			/* the same as the type semver has it; 0 until
								 * a range asks for it */
	Jsonb	   *document;		/* its "requires"; NULL where it has none */
	bool		is_read;		/* is what follows filled in? */
	List	   *requires;		/* of PdRequirement */
} PdCandidate;

/* A module that is registered, or that one which is requires. */
typedef struct PdModule
{
	char	   *name;
	bool		is_registered;
	PdContextKind context;		/* where it is registered */
	PdCandidate *candidates;	/* the highest first */
	int			ncandidates;
	int			installed;		/* the candidate that is; -1 for none */
	List	   *known_ranges;	/* which candidates they hold */
} PdModule;

typedef struct PdModules
{
	PdModule   *modules;		/* by name */
	int			nmodules;
	HTAB	   *numbers;		/* of modules, by their names */
	PdSemverType type;
} PdModules;

/*
 * Must be called inside pd_spi_begin.  All that the others return belongs to
 * the memory context that was current then; none of them runs any SQL.
 */
extern PdModules *pd_modules_load(List *names, PdContextKind context);

extern int	pd_module_number(const PdModules *modules, const char *name);
extern List *pd_candidate_requires(PdCandidate *candidate);
extern const Bitmapset *pd_module_in_range(PdModules *modules, int number,
											const char *range);

#endif							/* PUBLICDIGIT_CANDIDATE_H */
