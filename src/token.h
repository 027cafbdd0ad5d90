/*-------------------------------------------------------------------------
 *
 * token.h
 *	  Tokens: who may bind which tenant, signed and for a while.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_TOKEN_H
#define PUBLICDIGIT_TOKEN_H

#include "postgres.h"

#include "utils/timestamp.h"
#include "utils/uuid.h"

/* What a token says. */
typedef struct PdToken
{
	pg_uuid_t	tenant;
	Oid			role;
	TimestampTz expires;
} PdToken;

/* Why one is refused. */
typedef struct PdTokenFault
{
	const char *detail;
	const char *hint;			/* or NULL */
} PdTokenFault;

extern void pd_token_init(void);
extern bool pd_token_is_required(void);
extern bool pd_token_read(const char *text, bool verified, PdToken *token,
						  PdTokenFault *fault);
extern void pd_token_ensure_possible(void);

#endif							/* PUBLICDIGIT_TOKEN_H */
