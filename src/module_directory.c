/*-------------------------------------------------------------------------
 *
 * module_directory.c
 *	  Modules in the server's share folder.
 *
 * They lie in publicdigit/modules/NAME below each folder in which CREATE
 * EXTENSION looks for "extension", so that a package installs a module as it
 * installs an extension.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sys/stat.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"

#include "compat.h"
#include "json.h"
#include "module_source.h"

#define MODULES_FOLDER	"publicdigit/modules"

/* The server's own share folder, in setting extension_control_path. */
#define SYSTEM_MACRO	"$system"

/*
 * modules_folders
 *		The folders that have a folder for each module, the first one's
 *		modules before those of the same name in the next.
 */
static List *
modules_folders(void)
{
	char		share_path[MAXPGPATH];
	char	   *path = pstrdup(pd_extension_control_path());
	List	   *folders = NIL;

	get_share_path(my_exec_path, share_path);
	while (path != NULL)
	{
		char	   *end = first_path_var_separator(path);
		size_t		macro = strlen(SYSTEM_MACRO);

		if (end != NULL)
			*end++ = '\0';
		if (path[0] == '\0')
			folders = lappend(folders, psprintf("%s/%s", share_path, MODULES_FOLDER));
		else if (strncmp(path, SYSTEM_MACRO, macro) == 0 &&
				 (path[macro] == '\0' || path[macro] == '/'))
			folders = lappend(folders, psprintf("%s%s/%s", share_path, path + macro, MODULES_FOLDER));
		else
			folders = lappend(folders, psprintf("%s/%s", path, MODULES_FOLDER));
		path = end;
	}
	return folders;
}

/*
 * kind_of_file
 *		The type bits of what a path leads to; 0 where there is nothing.
 *		size, if not NULL, gets its size.
 */
static mode_t
kind_of_file(const char *path, off_t *size)
{
	struct stat st;

	if (stat(path, &st) != 0)
	{
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	}
	if (size != NULL)
		*size = st.st_size;
	return st.st_mode & S_IFMT;
}

/*
 * compare_names
 *		Order two names by their bytes, for list_sort.
 */
static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

/*
 * folder_entries
 *		Names of what a folder holds, in byte order, without those that begin
 *		with a dot; none where there is no such folder.
 */
static List *
folder_entries(const char *path)
{
	List	   *names = NIL;
	DIR		   *dir;
	struct dirent *entry;

	if (kind_of_file(path, NULL) != S_IFDIR)
		return NIL;
	dir = AllocateDir(path);
	while ((entry = ReadDir(dir, path)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		/* What is not text in the database's encoding cannot be shown. */
		if (entry->d_name[0] != '.' &&
			pg_verifymbstr(entry->d_name, strlen(entry->d_name), true))
			names = lappend(names, pstrdup(entry->d_name));
	}
	FreeDir(dir);
	list_sort(names, compare_names);
	return names;
}

/*
 * pd_module_directories
 *		Names of the folders in which modules should lie, in byte order.
 *		Nothing else about them has been checked.
 */
List *
pd_module_directories(void)
{
	List	   *found = NIL;
	List	   *names = NIL;
	ListCell   *folder;
	ListCell   *name;

	foreach(folder, modules_folders())
	{
		const char *path = lfirst(folder);

		foreach(name, folder_entries(path))
		{
			char	   *entry = psprintf("%s/%s", path, (char *) lfirst(name));

			if (kind_of_file(entry, NULL) == S_IFDIR)
				found = lappend(found, lfirst(name));
		}
	}

	list_sort(found, compare_names);
	foreach(name, found)
	{
		if (names == NIL || strcmp(llast(names), lfirst(name)) != 0)
			names = lappend(names, lfirst(name));
	}
	return names;
}

/*
 * find_folder
 *		The folder of a module.
 *
 * The name is checked before it becomes part of a path.  Raises 42704 where
 * there is none, and for a name that none can have.
 */
static char *
find_folder(const char *name)
{
	bool		valid = pd_module_name_is_valid(name);
	ListCell   *lc;

	foreach(lc, valid ? modules_folders() : NIL)
	{
		char	   *folder = psprintf("%s/%s", (char *) lfirst(lc), name);

		if (kind_of_file(folder, NULL) == S_IFDIR)
			return folder;
	}
	/* It may be a whole document, in another form than ours. */
	name = pnstrdup(name, pg_mbcliplen(name, strlen(name), 2 * NAMEDATALEN));
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 valid ?
			 errmsg("there is no module \"%s\" in the server's share folder", name) :
			 errmsg("invalid module name \"%s\"", name),
			 valid ? 0 : errdetail("The name is \"%s\", but %s.", name, PD_MODULE_NAME_RULE),
			 errhint("publicdigit.available_modules() lists the modules there are; a document that describes a module begins with {.")));
}

/*
 * bad_file
 *		Raise 22023 for a file that cannot be taken as text.
 */
pg_noreturn static void
bad_file(const char *module, const char *file, const char *rule,
		 const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s of module \"%s\" cannot be read", file, module),
			 errdetail("%s", rule),
			 errhint("%s", hint)));
}

/*
 * read_file
 *		A file's text, in the database's encoding.
 *
 * file is relative to the module's folder.  Raises 22023 for what is no file,
 * is too large or is not UTF-8.
 */
static char *
read_file(const char *module, const char *folder, const char *file)
{
	char	   *path = psprintf("%s/%s", folder, file);
	off_t		size;
	mode_t		kind = kind_of_file(path, &size);
	char	   *content;
	FILE	   *stream;

	if (kind == 0)
		bad_file(module, file, "The file is missing.", "Add the file.");
	/* A pipe could be waited for without end. */
	if (kind != S_IFREG)
		bad_file(module, file, "It is no regular file.", "Put a file in its place.");
	if (size > PD_SOURCE_MAX)
		bad_file(module, file,
				 psprintf("It has %lld bytes; %d are allowed.",
						  (long long) size, PD_SOURCE_MAX),
				 "Split the file, or load its data in another way.");

	content = palloc(size + 1);
	stream = AllocateFile(path, PG_BINARY_R);
	if (stream == NULL)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\" for reading: %m", path)));
	size = fread(content, 1, size, stream);
	if (ferror(stream))
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read file \"%s\": %m", path)));
	FreeFile(stream);
	content[size] = '\0';

	/* This finds zero bytes, too. */
	if (!pg_verify_mbstr(PG_UTF8, content, size, true))
		bad_file(module, file, "It is not text in UTF-8.",
				 "Save the file in UTF-8.");
	return pg_any_to_server(content, size, PG_UTF8);
}

/*
 * read_script
 *		A script of a module with its path and content.
 */
static PdScript *
read_script(const char *module, const char *folder, const char *path)
{
	PdScript   *script = palloc0(sizeof(PdScript));

	script->path = pstrdup(path);
	script->content = read_file(module, folder, path);
	return script;
}

/*
 * add_scripts
 *		Append the scripts of one folder of a module, and of its folder
 *		"tenant" if it is to have one.  Other kinds of files are let be.
 */
static List *
add_scripts(List *scripts, const char *module, const char *folder,
			const char *part, bool has_tenant)
{
	ListCell   *lc;

	foreach(lc, folder_entries(psprintf("%s/%s", folder, part)))
	{
		const char *name = lfirst(lc);
		char	   *path = psprintf("%s/%s", part, name);
		size_t		length = strlen(name);

		CHECK_FOR_INTERRUPTS();
		if (kind_of_file(psprintf("%s/%s", folder, path), NULL) == S_IFDIR)
		{
			if (!has_tenant || strcmp(name, "tenant") != 0)
				bad_file(module, path, "It is a folder where scripts should be.",
						 "Move its scripts one level up, or the folder out of the module.");
			scripts = add_scripts(scripts, module, folder, path, false);
		}
		else if (length >= 4 && strcmp(name + length - 4, ".sql") == 0)
			scripts = lappend(scripts, read_script(module, folder, path));
	}
	return scripts;
}

/*
 * pd_module_source_from_directory
 *		Read a module of the server's share folder.
 *
 * Raises 42704 for an unknown name, 22023 for whatever is wrong with it.
 */
PdModuleSource *
pd_module_source_from_directory(const char *name)
{
	const char *folder = find_folder(name);
	const char *file = psprintf("module.json of module \"%s\"", name);
	PdManifest *manifest;
	List	   *scripts = NIL;

	manifest = pd_manifest_parse(pd_json_parse(read_file(name, folder, PD_MANIFEST_FILE), file),
								 file);
	if (strcmp(manifest->name, name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value of key \"name\" in %s", file),
				 errdetail("The value is \"%s\", but it must be the folder's name.",
						   manifest->name),
				 errhint("Rename the folder or the module.")));

	if (kind_of_file(psprintf("%s/%s", folder, PD_INSTALLER ".sql"), NULL) != 0)
		scripts = list_make1(read_script(name, folder, PD_INSTALLER ".sql"));
	scripts = add_scripts(scripts, name, folder, "migrations", true);
	scripts = add_scripts(scripts, name, folder, "seeds", true);
	return pd_module_source_make(manifest, scripts,
								 psprintf("module \"%s\"", name));
}
