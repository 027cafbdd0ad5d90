/*-------------------------------------------------------------------------
 *
 * script_path.c
 *	  What the path of a module's script says: its kind, number and name.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <ctype.h>

#include "compat.h"
#include "module_source.h"

/* It goes into an index, and into a file's name. */
#define PATH_MAX_BYTES	255

#define STEM_CHARACTERS	"abcdefghijklmnopqrstuvwxyz0123456789_"

/*
 * bad_path
 *		Raise 22023 for a script that stands where none can.
 */
pg_noreturn static void
bad_path(const PdScript *script, const char *rule)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid path of script \"%s\"", script->path),
			 errdetail("%s", rule),
			 errhint("Scripts are migrations/NNNN_NAME.up.sql, .down.sql and .verify.sql, migrations/NAME.repeatable.sql, seeds/NAME.sql and installer.sql; migrations and seeds of tenant modules lie in migrations/tenant and seeds/tenant.")));
}

/*
 * ensure_plain_path
 *		Raise for a path that is not relative, or could leave the module.
 */
static void
ensure_plain_path(const PdScript *script)
{
	const char *part = script->path;

	if (strlen(script->path) > PATH_MAX_BYTES)
		bad_path(script, "It has more than 255 bytes.");
	if (part[0] == '/')
		bad_path(script, "It is absolute.");
	if (strchr(part, '\\') != NULL)
		bad_path(script, "It has a backslash; the parts of a path are separated by slashes.");
	for (;;)
	{
		size_t		length = strcspn(part, "/");

		if (length == 0)
			bad_path(script, "It has an empty part.");
		if (strncmp(part, ".", length) == 0 || strncmp(part, "..", length) == 0)
			bad_path(script, "It has a part \".\" or \"..\".");
		if (part[length] == '\0')
			return;
		part += length + 1;
	}
}

/*
 * after
 *		What follows a prefix; NULL where the text does not begin with it.
 */
static const char *
after(const char *text, const char *prefix)
{
	size_t		length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/*
 * classify_migration
 *		Fill in what the file name of a migration says: NNNN_NAME.KIND.sql, or
 *		NAME.repeatable.sql.  Numbers come before letters in the chain, and in
 *		the order in which scripts run.
 */
static void
classify_migration(PdScript *script, const char *file)
{
	size_t		digits = strspn(file, "0123456789");
	size_t		stem = strspn(file, STEM_CHARACTERS);
	const char *suffix = file + stem;

	script->migration = pnstrdup(file, stem);
	if (strcmp(suffix, ".repeatable.sql") == 0)
	{
		if (stem == 0 || !islower((unsigned char) file[0]) ||
			strcmp(script->migration, PD_INSTALLER) == 0)
			bad_path(script, "A repeatable script's name begins with a lower-case letter, and is not \"installer\".");
		script->kind = PD_SCRIPT_REPEATABLE;
		return;
	}
	if (strcmp(suffix, ".up.sql") == 0)
		script->kind = PD_SCRIPT_UP;
	else if (strcmp(suffix, ".down.sql") == 0)
		script->kind = PD_SCRIPT_DOWN;
	else if (strcmp(suffix, ".verify.sql") == 0)
		script->kind = PD_SCRIPT_VERIFY;
	else
		bad_path(script, "A migration's name has lower-case letters, digits and underscores, and ends in .up.sql, .down.sql, .verify.sql or .repeatable.sql.");

	if (digits < 4 || digits > 9 || file[digits] != '_' || stem == digits + 1)
		bad_path(script, "A migration's name begins with a number of four digits or more, an underscore and a word.");

	script->number = atoi(file);
}

/*
 * classify_seed
 *		Fill in what the file name of a seed says: NAME.sql.
 */
static void
classify_seed(PdScript *script, const char *file)
{
	size_t		stem = strspn(file, STEM_CHARACTERS);

	if (stem == 0 || strcmp(file + stem, ".sql") != 0)
		bad_path(script, "A seed's name has lower-case letters, digits and underscores, and ends in .sql.");
	script->kind = PD_SCRIPT_SEED;
}

/*
 * pd_script_kind_name
 *		A kind as the registry spells it.
 */
const char *
pd_script_kind_name(PdScriptKind kind)
{
	switch (kind)
	{
		case PD_SCRIPT_UP:
			return "up";
		case PD_SCRIPT_DOWN:
			return "down";
		case PD_SCRIPT_VERIFY:
			return "verify";
		case PD_SCRIPT_REPEATABLE:
			return "repeatable";
		case PD_SCRIPT_INSTALLER:
			return "installer";
		case PD_SCRIPT_SEED:
			return "seed";
	}
	return NULL;
}

/*
 * pd_script_is_applied
 *		Does a script stand in the ledger, and so in the chain, once it has run?
 */
bool
pd_script_is_applied(const PdScript *script)
{
	return script->kind == PD_SCRIPT_UP || script->kind == PD_SCRIPT_REPEATABLE ||
		script->kind == PD_SCRIPT_INSTALLER;
}

/*
 * pd_script_classify
 *		Fill in kind, number and migration of a script from its path.
 *
 * Raises 22023 for a path at which a module of this context has no script.
 */
void
pd_script_classify(PdScript *script, PdContextKind context)
{
	const char *migration = after(script->path, "migrations/");
	const char *file = migration != NULL ? migration : after(script->path, "seeds/");
	const char *of_tenant;

	ensure_plain_path(script);
	script->number = 0;
	script->migration = NULL;
	if (strcmp(script->path, PD_INSTALLER ".sql") == 0)
	{
		script->kind = PD_SCRIPT_INSTALLER;
		script->migration = PD_INSTALLER;
		return;
	}
	if (file == NULL)
		bad_path(script, "It lies neither in migrations nor in seeds.");

	of_tenant = after(file, "tenant/");
	if (of_tenant != NULL)
		file = of_tenant;
	if (strchr(file, '/') != NULL)
		bad_path(script, "It lies in an unknown folder.");
	if (of_tenant != NULL && context == PD_LANDLORD)
		bad_path(script, "It is a tenant's script, and the module's context is landlord.");
	if (of_tenant == NULL && context == PD_TENANT)
		bad_path(script, "It is the landlord's script, and the module's context is tenant.");

	if (migration != NULL)
		classify_migration(script, file);
	else
		classify_seed(script, file);
}
