/*-------------------------------------------------------------------------
 *
 * run_check.c
 *	  What came of a module's scripts: the golden rules, and what its author may
 *	  not have meant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_class.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "golden.h"
#include "protect.h"
#include "run_check.h"
#include "script.h"

/*
 * pd_warn_of_unnamed_tables
 *		Say which tables a tenant's module made and its manifest does not
 *		name: they are protected, and the app role has no use of them.
 */
void
pd_warn_of_unnamed_tables(const PdScriptRun *run)
{
	StringInfoData names;
	ListCell   *cell;

	initStringInfo(&names);
	foreach(cell, run->created)
	{
		char		relkind = get_rel_relkind(lfirst_oid(cell));
		char	   *name = get_rel_name(lfirst_oid(cell));

		if ((relkind != RELKIND_RELATION && relkind != RELKIND_PARTITIONED_TABLE) ||
			pd_parents_of(lfirst_oid(cell)) != NIL ||
			pd_manifest_table(run->manifest, name) != NULL)
			continue;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 quote_identifier(name));
	}
	if (names.len > 0)
		ereport(WARNING,
				(errmsg("module \"%s\" makes tables that its manifest does not name",
						run->manifest->name),
				 errdetail("The app role gets no privileges on: %s.", names.data),
				 errhint("Name them under \"tables\" in module.json.")));
}

/*
 * pd_warn_of_keys
 *		Say which keys keep a tenant's module from placement "shared".
 */
void
pd_warn_of_keys(const PdScriptRun *run)
{
	char	   *keys;

	if (run->context != PD_TENANT)
		return;
	keys = pd_keys_without_tenant(run->created, PD_TENANT_COLUMN);
	if (keys != NULL)
		ereport(WARNING,
				(errmsg("module \"%s\" cannot be placed \"shared\"", run->manifest->name),
				 errdetail("Keys without column \"%s\": %s.", PD_TENANT_COLUMN, keys),
				 errhint("Nothing needs to be done as long as each tenant has its own schema.")));
}

/*
 * settle_policies
 *		Let a module's own permissive policies take the place of ours.  Only when
 *		all scripts have run: until then they themselves needed it to see a row.
 */
static void
settle_policies(PdScriptRun *run)
{
	ListCell   *cell;

	foreach(cell, run->relations)
		pd_settle_bound_policy(lfirst_oid(cell));
}

/*
 * pd_check_run
 *		After a module's scripts: check the golden rules on every table that
 *		they made or altered.
 */
void
pd_check_run(PdScriptRun *run)
{
	List	   *tables = NIL;
	ListCell   *cell;

	pd_script_hold(run, settle_policies);
	foreach(cell, run->relations)
	{
		const char *name = get_rel_name(lfirst_oid(cell));
		const PdTableSpec *spec;

		if (name == NULL)
			continue;			/* dropped again */
		spec = pd_manifest_table(run->manifest, name);
		if (run->context == PD_TENANT || (spec != NULL && spec->is_tenant) ||
			pd_is_protected(lfirst_oid(cell), NULL))
			tables = lappend_oid(tables, lfirst_oid(cell));
	}
	pd_check_tables(tables, run->created, run->owner);
	pd_check_functions(run->functions);
	pd_check_materialized_views(run->relations);
}
