/*-------------------------------------------------------------------------
 *
 * hmac.c
 *	  HMAC-SHA256, and comparison in constant time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hmac.h"

#include "hmac.h"

/*
 * pd_hmac
 *		Sign bytes with the server's own HMAC-SHA256; writes PD_HMAC_LEN bytes.
 */
void
pd_hmac(const void *key, size_t key_len, const void *data, size_t len,
		uint8 *hmac)
{
	pg_hmac_ctx *ctx = pg_hmac_create(PG_SHA256);

	if (ctx == NULL ||
		pg_hmac_init(ctx, key, key_len) < 0 ||
		pg_hmac_update(ctx, data, len) < 0 ||
		pg_hmac_final(ctx, hmac, PD_HMAC_LEN) < 0)
	{
		pg_hmac_free(ctx);
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute HMAC")));
	}
	pg_hmac_free(ctx);
}

/*
 * pd_equal_in_constant_time
 *		Compare two strings of bytes without telling by time where they differ.
 */
bool
pd_equal_in_constant_time(const void *a, const void *b, size_t len)
{
	const volatile uint8 *x = a;
	const volatile uint8 *y = b;
	uint8		difference = 0;

	for (size_t i = 0; i < len; i++)
		difference |= x[i] ^ y[i];
	return difference == 0;
}
