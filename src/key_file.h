/*-------------------------------------------------------------------------
 *
 * key_file.h
 *	  The keys that tokens are signed with, read from files.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_KEY_FILE_H
#define PUBLICDIGIT_KEY_FILE_H

#include "postgres.h"

typedef struct PdKey
{
	char	   *bytes;			/* NULL when there is none */
	int			len;
} PdKey;

/* The key of now, and the one before it. */
#define PD_KEYS		2

extern void pd_key_file_init(void);
extern bool pd_library_is_preloaded(void);
extern bool pd_key_file_is_set(void);
extern const PdKey *pd_keys(void);

#endif							/* PUBLICDIGIT_KEY_FILE_H */
