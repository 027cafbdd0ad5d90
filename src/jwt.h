/*-------------------------------------------------------------------------
 *
 * jwt.h
 *	  JSON Web Tokens, signed with HMAC-SHA256 ("HS256") and nothing else.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_JWT_H
#define PUBLICDIGIT_JWT_H

#include "postgres.h"

#include "utils/jsonb.h"

#include "key_file.h"

extern char *pd_jwt_sign(const char *claims, const PdKey *key);
extern Jsonb *pd_jwt_claims(const char *token, const PdKey *keys, const char **why);

#endif							/* PUBLICDIGIT_JWT_H */
