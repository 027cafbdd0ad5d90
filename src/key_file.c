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

#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "key_file.h"

#define KEY_MIN		32			/* bytes; HS256 asks for as many */
#define KEY_MAX		4096

static char *file_names[PD_KEYS] = {NULL, NULL};
static PdKey keys[PD_KEYS];
static bool preloaded = false;
static TimestampTz read_after = 0;	/* the reload after which keys were read */

/*
 * is_private
 *		Is this a file that nobody else can read?  The rules are those of
 *		ssl_key_file.  Reasons go to the server's log alone: the name is not for
 *		everybody.
 */
static bool
is_private(const char *name)
{
	struct stat file;

	if (stat(name, &file) != 0)
	{
		ereport(LOG_SERVER_ONLY,
				(errcode_for_file_access(),
				 errmsg("could not access key file \"%s\": %m", name)));
		return false;
	}
	if (!S_ISREG(file.st_mode))
	{
		ereport(LOG_SERVER_ONLY,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" is not a regular file", name)));
		return false;
	}
	if (file.st_uid != geteuid() && file.st_uid != 0)
	{
		ereport(LOG_SERVER_ONLY,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" must be owned by the database user or root", name)));
		return false;
	}
	if ((file.st_uid == geteuid() && (file.st_mode & (S_IRWXG | S_IRWXO)) != 0) ||
		(file.st_uid == 0 && (file.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) != 0))
	{
		ereport(LOG_SERVER_ONLY,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" has group or world access", name),
				 errdetail("File must have permissions u=rw (0600) or less if owned by the database user, or permissions u=rw,g=r (0640) or less if owned by root.")));
		return false;
	}
	return true;
}

/*
 * read_bytes
 *		Read a file of at most "size" bytes; how many they are, or -1 with a
 *		reason in the server's log.
 */
static int
read_bytes(const char *name, char *bytes, int size)
{
	FILE	   *file = AllocateFile(name, PG_BINARY_R);
	int			len;

	if (file == NULL)
	{
		ereport(LOG_SERVER_ONLY,
				(errcode_for_file_access(),
				 errmsg("could not open key file \"%s\": %m", name)));
		return -1;
	}
	len = (int) fread(bytes, 1, size, file);
	if (ferror(file))
	{
		ereport(LOG_SERVER_ONLY,
				(errcode_for_file_access(),
				 errmsg("could not read key file \"%s\": %m", name)));
		len = -1;
	}
	FreeFile(file);
	return len;
}

/*
 * read_key
 *		Read a key into a new allocation; none, with a reason in the server's
 *		log, when the file does not serve.
 */
static void
read_key(const char *name, PdKey *key)
{
	char		bytes[KEY_MAX + 3]; /* a line end, and one byte too many */
	int			len = is_private(name) ? read_bytes(name, bytes, sizeof(bytes)) : -1;

	if (len > 0 && len < sizeof(bytes) && bytes[len - 1] == '\n')
	{
		len--;
		if (len > 0 && bytes[len - 1] == '\r')
			len--;
	}
	if (len >= KEY_MIN && len <= KEY_MAX)
	{
		key->bytes = MemoryContextAlloc(TopMemoryContext, len);
		memcpy(key->bytes, bytes, len);
		key->len = len;
	}
	else if (len >= 0)
		ereport(LOG_SERVER_ONLY,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("key file \"%s\" must hold %d to %d bytes", name, KEY_MIN, KEY_MAX)));
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
 * pd_key_file_is_set
 *		Does the configuration name a key file?
 */
bool
pd_key_file_is_set(void)
{
	return file_names[0][0] != '\0';
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
