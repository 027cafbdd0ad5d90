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
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "errors.h"
#include "golden.h"
#include "grants.h"
#include "module_object.h"
#include "protect.h"
#include "run_check.h"
#include "script.h"
#include "spi.h"

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
 * readable_views
 *		The views among these relations that the app role may read or write, or
 *		columns of them, by whatever grant.
 */
static List *
readable_views(List *relations)
{
	const AclMode any = ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE;
	Oid			app = get_role_oid(NameStr(pd_catalog_set_up()->app_role), false);
	List	   *views = NIL;
	ListCell   *cell;

	foreach(cell, relations)
	{
		Oid			relid = lfirst_oid(cell);

		if (get_rel_relkind(relid) == RELKIND_VIEW &&
			(pg_class_aclmask(relid, app, any, ACLMASK_ANY) != 0 ||
			 pg_attribute_aclcheck_all(relid, app, any, ACLMASK_ANY) == ACLCHECK_OK))
			views = lappend_oid(views, relid);
	}
	return views;
}

/*
 * pd_check_named_views
 *		After a module's scripts, and once it is written down what they have made:
 *		an error (22023) for a view that the manifest names and that the module has
 *		not made: there is none, or it is another module's.  "before" is the
 *		manifest of the version that was installed, or NULL.
 */
void
pd_check_named_views(const PdScriptRun *run, int64 installation,
					 const PdManifest *before)
{
	ListCell   *cell;

	foreach(cell, run->manifest->views)
	{
		const char *name = lfirst(cell);
		Oid			relid = get_relname_relid(name, run->schema);

		/* Looked at, too, since what people do by hand is not written down. */
		if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_VIEW ||
			pd_spi_query("SELECT FROM publicdigit.module_object"
						 " WHERE installation_id = $1 AND type = 'view' AND identity = $2",
						 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installation)),
								 pd_text(quote_identifier(name)))) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("no script of module \"%s\" makes the view \"%s\"",
							run->manifest->name, name),
					 errdetail("The manifest names it under \"views\"."),
					 before != NULL && pd_manifest_has_view(before, name) ?
					 errhint("It was made before.  If it was dropped by hand, make it again by hand; if a migration drops it, give the repeatable script another name instead: what it made under the old one is dropped before the migrations, and it runs after them.") :
					 errhint("Create the view in a migration or a repeatable script, or take its name out of module.json.")));
	}
}

/*
 * pd_warn_of_lost_objects
 *		After an upgrade, and once it is written down what its scripts have made:
 *		a warning of what repeatable scripts had made, which are as they were and
 *		so have not run again, and is gone.  Nobody would make it again.
 *
 * "kept" is what pd_module_objects_kept said before the upgrade.
 */
void
pd_warn_of_lost_objects(const PdScriptRun *run, int64 installation, List *kept)
{
	List	   *types = NIL;
	List	   *identities = NIL;
	ListCell   *cell;

	foreach(cell, kept)
	{
		const PdModuleObject *object = lfirst(cell);

		types = lappend(types, object->type);
		identities = lappend(identities, object->identity);
	}
	if (kept == NIL ||
		pd_spi_query("SELECT string_agg(format('%s %s', type, identity), ', '"
					 "  ORDER BY type COLLATE \"C\", identity COLLATE \"C\") AS objects"
					 " FROM unnest($2::text[], $3::text[]) AS kept (type, identity)"
					 " WHERE NOT EXISTS (SELECT FROM publicdigit.module_object AS o"
					 "  WHERE o.installation_id = $1 AND o.type = kept.type AND o.identity = kept.identity)"
					 " HAVING count(*) > 0",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(installation)),
							 pd_text_array(types), pd_text_array(identities))) == 0)
		return;
	ereport(WARNING,
			(errmsg("module \"%s\" does not have any more what its repeatable scripts have made",
					run->manifest->name),
			 errdetail("Gone are: %s.  The scripts are as they were, and have not run again.",
					   pd_spi_text(0, "objects")),
			 errhint("In a higher version, give each script another name: what it made under the old one is dropped before the migrations, and it runs after them.")));
}

/*
 * ensure_parents_protected
 *		An error (PD001) where a protected table has become the child or partition
 *		of one that is not: a query of the parent would show all tenants' rows.
 */
static void
ensure_parents_protected(Oid relid)
{
	ListCell   *cell;

	if (!pd_is_protected(relid, NULL))
		return;
	foreach(cell, pd_parents_of(relid))
	{
		Oid			parent = lfirst_oid(cell);

		if (!pd_is_protected(parent, NULL))
			ereport(ERROR,
					(errcode(ERRCODE_PD_GOLDEN_RULE),
					 errmsg("table \"%s\" is not protected, and its child \"%s\" is",
							get_rel_name(parent), get_rel_name(relid)),
					 errdetail("A query of the parent reads the rows of its partitions and children without their row-level security."),
					 errhint("Say in module.json that the parent holds tenants' rows: \"tables\": {\"%s\": \"tenant\"}.",
							 get_rel_name(parent))));
	}
}

/*
 * pd_check_run
 *		After a module's scripts: check the golden rules on every table that
 *		they made or altered, and take away what has kept a grant under another
 *		name, or away from its table.
 */
void
pd_check_run(PdScriptRun *run)
{
	List	   *tables = NIL;
	ListCell   *cell;

	pd_script_hold(run, settle_policies);
	pd_script_ensure_none_pending(run);
	foreach(cell, run->relations)
	{
		const char *name = get_rel_name(lfirst_oid(cell));
		const PdTableSpec *spec;

		if (name == NULL)
			continue;			/* dropped again */
		ensure_parents_protected(lfirst_oid(cell));
		spec = pd_manifest_table(run->manifest, name);
		if (run->context == PD_TENANT || (spec != NULL && spec->is_tenant) ||
			pd_is_protected(lfirst_oid(cell), NULL) ||
			list_member_oid(run->guarded, lfirst_oid(cell)))
			tables = lappend_oid(tables, lfirst_oid(cell));
	}
	pd_check_tables(tables, run->created, run->owner);
	pd_check_functions(run->functions);
	pd_check_materialized_views(run->relations);
	/* Whoever's view it is: to replace it takes its options away, and no grant. */
	pd_check_views(readable_views(run->relations), run->owner);
	pd_revoke_renamed(run);
	pd_revoke_released(run);
}
