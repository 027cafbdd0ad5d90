/*-------------------------------------------------------------------------
 *
 * redact.h
 *	  Tokens in the text of statements, which others can read.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_REDACT_H
#define PUBLICDIGIT_REDACT_H

#include "postgres.h"

#include "nodes/plannodes.h"

extern void pd_redact_activity(const char *secret);
extern const char *pd_redact_statement(const PlannedStmt *statement, const char *text);

#endif							/* PUBLICDIGIT_REDACT_H */
