/*-------------------------------------------------------------------------
 *
 * key_file.c
 *	  The keys that tokens are signed with, read from files.
 *
 * Two files are named in the configuration, so that a key can be replaced
 * while tokens of the one before are still about.  A key is the file's bytes
 * without one line end.  The postmaster reads them when it loads the library,
 * a backend again after each reload of the configuration.  Where a file cannot
 * be read there is no key from then on: to keep the one before, as the server
 * does with that of ssl_key_file, would be to accept a key that has been taken
 * away.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "key_file.h"

#define KEY_MIN		32			/* bytes; HS256 asks for as many */
#define KEY_MAX		4096

static char *file_names[PD_KEYS] = {NULL, NULL};
static PdKey keys[PD_KEYS];
static bool preloaded = false;
static TimestampTz read_after = 0;	/* the reload after which keys were read */

/*
 * read_key
 *		Read a key into a new allocation; none, with a reason in the server's
 *		log, when the file does not serve.
 */
static void
read_key(const char *name, PdKey *key)
{
	char		bytes[KEY_MAX + 1];
	size_t		len;
	FILE	   *file;

	/* The same rules, and the same messages, as for ssl_key_file. */
	if (!check_ssl_key_file_permissions(name, false))
		return;

	file = AllocateFile(name, PG_BINARY_R);
	if (file == NULL)
	{
		ereport(LOG_SERVER_ONLY,
				(errcode_for_file_access(),
				 errmsg("could not open key file \"%s\": %m", name)));
		return;
	}
	len = fread(bytes, 1, sizeof(bytes), file);
	if (ferror(file))
	{
		ereport(LOG_SERVER_ONLY,
				(errcode_for_file_access(),
				 errmsg("could not read key file \"%s\": %m", name)));
		FreeFile(file);
		return;
	}
	FreeFile(file);

	if (len > 0 && bytes[len - 1] == '\n')
		len--;
	if (len > 0 && bytes[len - 1] == '\r')
		len--;
	if (len < KEY_MIN || len > KEY_MAX)
	{
		ereport(LOG_SERVER_ONLY,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" must hold %d to %d bytes", name, KEY_MIN, KEY_MAX)));
		return;
	}

	key->bytes = MemoryContextAlloc(TopMemoryContext, len);
	memcpy(key->bytes, bytes, len);
	key->len = len;
	explicit_bzero(bytes, sizeof(bytes));
}

/*
 * read_keys
 *		Read both files.
 */
static void
read_keys(void)
{
	read_after = PgReloadTime;
	for (int i = 0; i < PD_KEYS; i++)
	{
		PdKey		key = {NULL, 0};

		if (file_names[i][0] != '\0')
			read_key(file_names[i], &key);
		if (keys[i].bytes != NULL)
		{
			explicit_bzero(keys[i].bytes, keys[i].len);
			pfree(keys[i].bytes);
		}
		keys[i] = key;
	}
}

/*
 * pd_keys
 *		The keys of now: PD_KEYS of them, each of which may be missing.
 */
const PdKey *
pd_keys(void)
{
	if (read_after != PgReloadTime)
		read_keys();
	return keys;
}

/*
 * pd_library_is_preloaded
 *		Was the library loaded by shared_preload_libraries?
 */
bool
pd_library_is_preloaded(void)
{
	return preloaded;
}

/*
 * pd_key_file_init
 *		Define the settings, and read the keys in the postmaster.  Called once,
 *		by _PG_init.
 */
void
pd_key_file_init(void)
{
	preloaded = process_shared_preload_libraries_in_progress;

	DefineCustomStringVariable("publicdigit.key_file",
							   "File with the key that tokens are signed with.",
							   NULL,
							   &file_names[0],
							   "",
							   PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("publicdigit.previous_key_file",
							   "File with the key before, whose tokens are still accepted.",
							   NULL,
							   &file_names[1],
							   "",
							   PGC_SIGHUP,
							   GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	if (preloaded)
		read_keys();
}
