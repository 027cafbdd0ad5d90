/*-------------------------------------------------------------------------
 *
 * scratch.c
 *	  What versions of modules make where nothing was before.
 *
 * The modules are installed, by install_module() as anybody would, in a place
 * of its own, what came of it is read, and all of it is rolled back: a
 * subtransaction that never commits.  No other session sees any of it, and the
 * locks that it took go with it.
 *
 * For tenants' modules the place is a new tenant.  The landlord has one schema,
 * whose name its modules' scripts may have in them; so the one that is there
 * gets another name, an empty one takes its own, and the registry forgets what
 * the landlord has.  Renaming a schema locks the schema and nothing in it: who
 * makes something there by hand waits, as an install for the landlord does, and
 * others go on with the landlord's tables, whose names they find as before.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"

#include "fingerprint.h"
#include "module_object.h"
#include "scratch.h"
#include "script_error.h"
#include "seal.h"
#include "spi.h"
#include "subtransaction.h"

/* A scratch in the making; filled in step by step. */
typedef struct Work
{
	PdScratch  *scratch;
	PdTarget	target;
	List	   *modules;		/* of PdScratchModule, in an order that works */
	const PdVersion *installing;
} Work;

/*
 * unique_name
 *		A name that nobody has chosen.
 */
static char *
unique_name(const char *prefix)
{
	pd_spi_query("SELECT $1 || replace(gen_random_uuid()::text, '-', '') AS name",
				 PD_ARGS(pd_text(prefix)));
	return pd_spi_text(0, "name");
}

/*
 * make_tenant
 *		A tenant to install into.
 */
static void
make_tenant(PdTarget *target)
{
	bool		isnull;
	pg_uuid_t	id;

	pd_spi_query("SELECT publicdigit.create_tenant($1) AS id",
				 PD_ARGS(pd_text(unique_name("scratch-"))));
	id = *DatumGetUUIDP(pd_spi_datum(0, "id", &isnull));
	if (!pd_tenant_by_id(&id, &target->tenant))
		elog(ERROR, "the scratch tenant is not there");
}

/*
 * empty_landlord
 *		A landlord to install into; as setup() makes its schema.
 */
static void
empty_landlord(void)
{
	const PdCatalog *catalog = pd_catalog_set_up();
	char	   *owner = pstrdup(quote_identifier(NameStr(catalog->owner_role)));
	char	   *app = pstrdup(quote_identifier(NameStr(catalog->app_role)));

	pd_spi_command("DELETE FROM publicdigit.installation WHERE context = 'landlord'");
	pd_spi_command("ALTER SCHEMA " PD_LANDLORD_SCHEMA " RENAME TO %s",
				   quote_identifier(unique_name("landlord_")));
	pd_spi_command("CREATE SCHEMA " PD_LANDLORD_SCHEMA " AUTHORIZATION %s", owner);
	pd_spi_command("GRANT USAGE ON SCHEMA " PD_LANDLORD_SCHEMA " TO %s", app);
}

/*
 * failure_of
 *		What an error says, and in which script; an error that does not come
 *		of the module is raised again.
 */
static PdScratchFailure *
failure_of(ErrorData *error, const PdManifest *manifest)
{
	PdScratchFailure *failure = palloc(sizeof(PdScratchFailure));
	const char *place = error->context ? strstr(error->context, "module \"") : NULL;

	if (!pd_error_is_of_module(error))
		ReThrowError(error);

	failure->module = pstrdup(manifest->name);
	failure->version = pstrdup(manifest->version);
	failure->message = psprintf("%s: %s", unpack_sql_state(error->sqlerrcode), error->message);
	if (place != NULL)
		failure->message = psprintf("%s (%s)", failure->message,
									pnstrdup(place, strcspn(place, "\n")));
	return failure;
}

/*
 * install
 *		Install a version into the scratch.
 */
static void
install(void *arg)
{
	const Work *work = arg;
	const PdManifest *manifest = work->installing->source->manifest;

	if (work->target.context == PD_TENANT)
		pd_spi_query("SELECT publicdigit.install_module($1, $2, $3)",
					 PD_ARGS(pd_text(manifest->name), pd_uuid(&work->target.tenant.id),
							 pd_text(manifest->version)));
	else
		pd_spi_query("SELECT publicdigit.install_module($1, '@landlord', $2)",
					 PD_ARGS(pd_text(manifest->name), pd_text(manifest->version)));
}

/*
 * pd_scratch_module
 *		A version that is to be made.
 */
PdScratchModule *
pd_scratch_module(PdVersion *version, bool is_disabled)
{
	PdScratchModule *module = palloc(sizeof(PdScratchModule));

	module->version = version;
	module->is_disabled = is_disabled;
	return module;
}

/*
 * find_module
 *		A module among others, or NULL.
 */
static PdScratchModule *
find_module(List *modules, const char *name)
{
	ListCell   *cell;

	foreach(cell, modules)
	{
		PdScratchModule *module = lfirst(cell);

		if (strcmp(module->version->source->manifest->name, name) == 0)
			return module;
	}
	return NULL;
}

/*
 * add_in_order
 *		Add a module to a list, after those that it requires: install_module()
 *		would choose versions of its own.
 */
static List *
add_in_order(List *ordered, PdScratchModule *module, List *modules)
{
	ListCell   *cell;

	check_stack_depth();
	if (list_member_ptr(ordered, module))
		return ordered;
	foreach(cell, module->version->source->manifest->requires)
	{
		PdScratchModule *required = find_module(modules, ((PdRequirement *) lfirst(cell))->module);

		if (required != NULL)
			ordered = add_in_order(ordered, required, modules);
	}
	return lappend(ordered, module);
}

/*
 * disable
 *		Disable what is disabled where the versions come from, the last first:
 *		what requires another is disabled before that.
 */
static void
disable(const Work *work)
{
	for (int i = list_length(work->modules) - 1; i >= 0; i--)
	{
		const PdScratchModule *module = list_nth(work->modules, i);
		const char *name = module->version->source->manifest->name;

		if (!module->is_disabled ||
			pd_installation_find(name, pd_target_tenant(&work->target)) == NULL)
			continue;
		if (work->target.context == PD_TENANT)
			pd_spi_query("SELECT publicdigit.disable_module($1, $2)",
						 PD_ARGS(pd_text(name), pd_uuid(&work->target.tenant.id)));
		else
			pd_spi_query("SELECT publicdigit.disable_module($1, '@landlord')",
						 PD_ARGS(pd_text(name)));
	}
}

/*
 * install_and_read
 *		Install the versions into an empty place and read what came of them.
 */
static void
install_and_read(void *arg)
{
	Work	   *work = arg;
	PdScratch  *scratch = work->scratch;
	ListCell   *cell;

	if (work->target.context == PD_TENANT)
		make_tenant(&work->target);
	else
		empty_landlord();
	/* It would be taken for a fault of the modules. */
	pd_seal_ensure_may_bind(work->target.context == PD_TENANT ? PD_BOUND_TENANT : PD_BOUND_LANDLORD,
							&work->target.tenant.id);
	foreach(cell, work->modules)
	{
		ErrorData  *error;

		work->installing = ((PdScratchModule *) lfirst(cell))->version;
		error = pd_try(install, work);
		if (error != NULL)
			scratch->failures = lappend(scratch->failures,
										failure_of(error, work->installing->source->manifest));
	}
	disable(work);
	scratch->items = pd_items(&work->target);
	scratch->objects = pd_module_objects(&work->target);
}

/*
 * rethrow
 *		In PG_CATCH: raise again an error that does not come of the modules.  It
 *		was raised when nothing was to be told, and is for the client all the same.
 */
pg_noreturn static void
rethrow(MemoryContext memory)
{
	ErrorData  *error;

	MemoryContextSwitchTo(memory);
	error = CopyErrorData();
	FlushErrorState();
	error->output_to_client = whereToSendOutput == DestRemote;
	ReThrowError(error);
}

/*
 * pd_scratch_make
 *		What versions, of PdScratchModule, make together.  One that cannot be
 *		installed is among the failures, and the others go on.
 *
 * What the scripts tell the client, by RAISE INFO too, is not for somebody who
 * installs nothing.
 */
PdScratch *
pd_scratch_make(PdContextKind context, List *modules)
{
	Work		work = {palloc0(sizeof(PdScratch)), {context}};
	CommandDest save_dest = whereToSendOutput;
	MemoryContext memory = CurrentMemoryContext;
	ListCell   *cell;

	foreach(cell, modules)
		work.modules = add_in_order(work.modules, lfirst(cell), modules);

	PG_TRY();
	{
		if (whereToSendOutput == DestRemote)
			whereToSendOutput = DestNone;
		pd_do_and_undo(install_and_read, &work);
	}
	PG_CATCH();
	{
		whereToSendOutput = save_dest;
		rethrow(memory);
	}
	PG_END_TRY();
	whereToSendOutput = save_dest;
	return work.scratch;
}
