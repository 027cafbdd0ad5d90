/*-------------------------------------------------------------------------
 *
 * jwt.c
 *	  JSON Web Tokens, signed with HMAC-SHA256 ("HS256") and nothing else.
 *
 * RFC 7515 and 7519.  A token is three texts in base64url with dots between:
 * header, claims and signature.  The algorithm is fixed; what the header says
 * of it is only compared, never followed, and no other key or algorithm can be
 * asked for.  Claims are read after the signature has been found right.
 *
 * libjwt was weighed and left: it would bring a JSON library and its own
 * cryptography into the backend, where the server has both.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/base64.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "hmac.h"
#include "json.h"
#include "jwt.h"

#define HEADER			"{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define TOKEN_MAX		8192	/* bytes */
#define NOT_WHOLE		"It is no JSON Web Token, or not a whole one."
#define SIGNATURE_LEN	43		/* PD_HMAC_LEN bytes in base64url */

/*
 * to_base64url
 *		Encode bytes: base64 with two other characters and without padding.
 */
static char *
to_base64url(const void *bytes, int len)
{
	int			size = pg_b64_enc_len(len);
	char	   *text = palloc(size + 1);

	size = pg_b64_encode(bytes, len, text, size);
	if (size < 0)
		elog(ERROR, "could not encode in base64");
	while (size > 0 && text[size - 1] == '=')
		size--;
	text[size] = '\0';
	for (char *c = text; *c != '\0'; c++)
	{
		if (*c == '+')
			*c = '-';
		else if (*c == '/')
			*c = '_';
	}
	return text;
}

/*
 * to_database
 *		A text of UTF-8 in the database's encoding; NULL where that lacks one of
 *		its characters.
 */
static char *
to_database(char *utf8, int len)
{
	int			encoding = GetDatabaseEncoding();
	Oid			conversion;
	char	   *result;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return utf8;
	conversion = FindDefaultConversionProc(PG_UTF8, encoding);
	if (!OidIsValid(conversion))
		return NULL;
	result = palloc((Size) len * MAX_CONVERSION_GROWTH + 1);
	return pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding,
										 (unsigned char *) utf8, len,
										 (unsigned char *) result,
										 len * MAX_CONVERSION_GROWTH + 1, true) == len ?
		result : NULL;
}

/*
 * from_base64url
 *		Decode a text of that kind to a string in the database's encoding;
 *		NULL for what is none.
 */
static char *
from_base64url(const char *text, int len)
{
	char	   *padded = palloc(len + 4);
	char	   *bytes;
	int			size;

	for (int i = 0; i < len; i++)
	{
		char		c = text[i];

		if (c == '-')
			padded[i] = '+';
		else if (c == '_')
			padded[i] = '/';
		else if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
				 (c >= '0' && c <= '9'))
			padded[i] = c;
		else
			return NULL;
	}
	while (len % 4 != 0)
		padded[len++] = '=';

	size = pg_b64_dec_len(len);
	bytes = palloc(size + 1);
	size = pg_b64_decode(padded, len, (void *) bytes, size);
	if (size < 0 || memchr(bytes, '\0', size) != NULL ||
		!pg_verify_mbstr(PG_UTF8, bytes, size, true))
		return NULL;
	bytes[size] = '\0';
	return to_database(bytes, size);
}

/*
 * read_object
 *		A part of a token as a JSON object; NULL where it is none.
 */
static Jsonb *
read_object(const char *text, int len)
{
	char	   *json = from_base64url(text, len);
	ErrorData  *error;
	Jsonb	   *object = json == NULL ? NULL : pd_json_try(json, &error);

	return object != NULL && JB_ROOT_IS_OBJECT(object) ? object : NULL;
}

/*
 * is_our_algorithm
 *		Does a header ask for what we do?  "crit" would ask for more.
 */
static bool
is_our_algorithm(Jsonb *header)
{
	JsonbValue	value;
	char	   *name;

	if (pd_json_get(&header->root, "crit", &value) ||
		!pd_json_get(&header->root, "alg", &value))
		return false;
	name = pd_json_string(&value);
	return name != NULL && strcmp(name, "HS256") == 0;
}

/*
 * is_signed_with
 *		Is this the signature of a token's first two parts?
 *
 * Compared as text, so that no other text stands for the same bytes.
 */
static bool
is_signed_with(const PdKey *key, const char *token, int len,
			   const char *signature)
{
	uint8		hmac[PD_HMAC_LEN];
	char	   *expected;

	pd_hmac(key->bytes, key->len, token, len, hmac);
	expected = to_base64url(hmac, sizeof(hmac));
	return strlen(signature) == strlen(expected) &&
		pd_equal_in_constant_time(signature, expected, strlen(expected));
}

/*
 * pd_jwt_sign
 *		A token for claims, which are a JSON object in the database's encoding.
 */
char *
pd_jwt_sign(const char *claims, const PdKey *key)
{
	char	   *utf8 = pg_server_to_any(claims, strlen(claims), PG_UTF8);
	char	   *content = psprintf("%s.%s",
								   to_base64url(HEADER, strlen(HEADER)),
								   to_base64url(utf8, strlen(utf8)));
	uint8		hmac[PD_HMAC_LEN];

	pd_hmac(key->bytes, key->len, content, strlen(content), hmac);
	return psprintf("%s.%s", content, to_base64url(hmac, sizeof(hmac)));
}

/*
 * pd_jwt_claims
 *		The claims of a token that one of PD_KEYS keys has signed; NULL, and
 *		why, for anything else.
 *
 * keys is NULL where the token has been verified before, in the leader of this
 * parallel worker.
 */
Jsonb *
pd_jwt_claims(const char *token, const PdKey *keys, const char **why)
{
	const char *claims = strchr(token, '.');
	const char *signature = claims == NULL ? NULL : strchr(claims + 1, '.');
	bool		is_signed = (keys == NULL);
	Jsonb	   *header;
	Jsonb	   *result;

	if (signature == NULL || strlen(token) > TOKEN_MAX ||
		(header = read_object(token, claims - token)) == NULL)
	{
		*why = NOT_WHOLE;
		return NULL;
	}
	if (!is_our_algorithm(header))
	{
		*why = "Its header asks for another algorithm than HS256.";
		return NULL;
	}
	if (strlen(signature + 1) != SIGNATURE_LEN)
	{
		*why = NOT_WHOLE;
		return NULL;
	}
	for (int i = 0; i < PD_KEYS && !is_signed; i++)
	{
		is_signed = keys[i].bytes != NULL &&
			is_signed_with(&keys[i], token, signature - token, signature + 1);
	}
	if (!is_signed)
	{
		*why = "Its signature was not made with a key of this server.";
		return NULL;
	}
	result = read_object(claims + 1, signature - claims - 1);
	if (result == NULL)
		*why = "Its claims are no JSON object.";
	return result;
}
