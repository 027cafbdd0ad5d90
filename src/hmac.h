/*-------------------------------------------------------------------------
 *
 * hmac.h
 *	  HMAC-SHA256, and comparison in constant time.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_HMAC_H
#define PUBLICDIGIT_HMAC_H

#include "postgres.h"

#include "common/sha2.h"

#define PD_HMAC_LEN		PG_SHA256_DIGEST_LENGTH

extern void pd_hmac(const void *key, size_t key_len,
					const void *data, size_t len, uint8 *hmac);
extern bool pd_equal_in_constant_time(const void *a, const void *b, size_t len);

#endif							/* PUBLICDIGIT_HMAC_H */
