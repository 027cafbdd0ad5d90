/*-------------------------------------------------------------------------
 *
 * ledger.h
 *	  What is applied to a tenant or the landlord, and what ever was.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_LEDGER_H
#define PUBLICDIGIT_LEDGER_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "target.h"
#include "version.h"

/* A migration, repeatable script or installer that is applied. */
typedef struct PdApplied
{
	char	   *migration;
	int32		batch;
	char	   *checksum;
	char	   *statements;
	char	   *head;			/* of the chain up to here */
} PdApplied;

/* The ledger of one installation while it is worked on. */
typedef struct PdLedger
{
	const PdTarget *target;
	int64		installation;
	const char *module;
	List	   *applied;		/* of PdApplied, by migration in byte order */
	List	   *removed;		/* of PdApplied, taken out meanwhile */
	char	   *head;			/* of the chain over them */
} PdLedger;

/* What an event says beside the script. */
typedef struct PdLedgerEntry
{
	const char *version;
	int64		version_id;
	const char *migration;
	const char *checksum;
	const char *statements;
	int32		batch;
	double		seconds;		/* that it took; negative where nothing ran */
	const char *reason;			/* why, where somebody was asked; else NULL */
} PdLedgerEntry;

/* All must be called inside pd_spi_begin. */
extern PdLedger *pd_ledger_open(const PdTarget *target, const char *module,
								const PdInstallation *installed);
extern const PdApplied *pd_ledger_find(const PdLedger *ledger, const char *migration);
extern int32 pd_ledger_next_batch(const PdTarget *target);
extern int32 pd_ledger_former_batch(const PdLedger *ledger, const PdScript *script,
									int32 batch);
extern bool pd_ledger_was_accepted(const PdLedger *ledger, const PdScript *script);
extern void pd_ledger_add(PdLedger *ledger, const PdLedgerEntry *entry,
						  const char *action);
extern void pd_ledger_replace(PdLedger *ledger, const PdLedgerEntry *entry,
							  const char *action);
extern void pd_ledger_remove(PdLedger *ledger, const PdLedgerEntry *entry,
							 const char *action);
extern void pd_ledger_keep_head(const PdLedger *ledger);

#endif							/* PUBLICDIGIT_LEDGER_H */
