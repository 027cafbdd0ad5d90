/*-------------------------------------------------------------------------
 *
 * chain.h
 *	  Checksums of scripts, and the chain over those that are applied.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_CHAIN_H
#define PUBLICDIGIT_CHAIN_H

#include "postgres.h"

/* The head of a chain in which nothing stands. */
#define PD_CHAIN_EMPTY	"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* All results are in the current memory context: "sha256:" and hex. */
extern char *pd_checksum(const char *text);
extern char *pd_checksum_of_script(const char *content);
extern char *pd_checksum_of_statements(const char *content);
extern char *pd_chain_next(const char *head, const char *migration,
						   const char *statements);

#endif							/* PUBLICDIGIT_CHAIN_H */
