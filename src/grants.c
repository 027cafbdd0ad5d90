/*-------------------------------------------------------------------------
 *
 * grants.c
 *	  What the app role may do with a module's tables and views: what the manifest
 *	  says.
 *
 * The statements are made from what the catalogs say at the time, so that those
 * which plan_module shows are those which run, and nothing is granted twice.  What
 * the scripts in between make cannot be looked up when a plan is made: it is taken
 * for granted that they make what the manifest names.
 *
 * A view is given to the app role only where the server reads its tables as whoever
 * asks, so that the app role's own privileges and row-level security hold.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "golden.h"
#include "grants.h"
#include "script.h"
#include "spi.h"
#include "text_list.h"
#include "version.h"

/*
 * app_role
 *		The app role's name, quoted.
 */
static const char *
app_role(void)
{
	return quote_identifier(pstrdup(NameStr(pd_catalog_set_up()->app_role)));
}

/*
 * privilege_list
 *		Privileges as GRANT spells them.
 */
static char *
privilege_list(AclMode privileges)
{
	static const struct
	{
		AclMode		bit;
		const char *word;
	}			words[] = {
		{ACL_SELECT, "SELECT"},
		{ACL_INSERT, "INSERT"},
		{ACL_UPDATE, "UPDATE"},
		{ACL_DELETE, "DELETE"},
	};
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < lengthof(words); i++)
	{
		if (privileges & words[i].bit)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", words[i].word);
	}
	return list.data;
}

/*
 * held_privileges
 *		What the app role may do with a table, view or sequence by the owner's own
 *		grant.
 */
static AclMode
held_privileges(Oid relid)
{
	Oid			app = get_role_oid(NameStr(pd_catalog_set_up()->app_role), false);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		isnull;
	Datum		value;
	AclMode		held = ACL_NO_RIGHTS;

	if (!HeapTupleIsValid(tuple))
		return held;
	value = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relacl, &isnull);
	if (!isnull)
	{
		Acl		   *acl = DatumGetAclPCopy(value);

		for (int i = 0; i < ACL_NUM(acl); i++)
		{
			const AclItem *item = &ACL_DAT(acl)[i];

			if (item->ai_grantee == app &&
				item->ai_grantor == ((Form_pg_class) GETSTRUCT(tuple))->relowner)
				held |= ACLITEM_GET_PRIVS(*item);
		}
	}
	ReleaseSysCache(tuple);
	return held;
}

/*
 * is_table
 *		Is this a table?  A view in a table's place could lead to others.
 */
static bool
is_table(Oid relid)
{
	char		relkind = OidIsValid(relid) ? get_rel_relkind(relid) : '\0';

	return relkind == RELKIND_RELATION || relkind == RELKIND_PARTITIONED_TABLE;
}

/*
 * is_view
 *		Is this a view, and no materialized one?
 */
static bool
is_view(Oid relid)
{
	return OidIsValid(relid) && get_rel_relkind(relid) == RELKIND_VIEW;
}

/*
 * add_sequences
 *		Add what lets the app role draw from the sequences that a table's columns
 *		own, as an INSERT into a serial column does; or (is_grant is false) no longer.
 */
static List *
add_sequences(List *statements, Oid relid, bool is_grant)
{
	uint64		n;

	/* Few tables have any, and to look is quicker than to ask. */
	if (getOwnedSequences(relid) == NIL)
		return statements;
	n = pd_spi_query("SELECT s.oid, format('%I.%I', n.nspname, s.relname) AS name"
					 " FROM pg_depend AS d"
					 " JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'"
					 " JOIN pg_namespace AS n ON n.oid = s.relnamespace"
					 " WHERE d.classid = 'pg_class'::regclass"
					 " AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1"
					 /* 'a': a serial's; an identity's needs no grant */
					 " AND d.refobjsubid > 0 AND d.deptype = 'a' ORDER BY d.refobjsubid",
					 PD_ARGS(pd_datum(OIDOID, ObjectIdGetDatum(relid))));
	for (uint64 row = 0; row < n; row++)
	{
		const char *name = pd_spi_text(row, "name");
		bool		isnull;

		if (!is_grant)
			statements = lappend(statements,
								 psprintf("REVOKE USAGE ON SEQUENCE %s FROM %s", name, app_role()));
		else if (!(held_privileges(DatumGetObjectId(pd_spi_datum(row, "oid", &isnull))) & ACL_USAGE))
			statements = lappend(statements,
								 psprintf("GRANT USAGE ON SEQUENCE %s TO %s", name, app_role()));
	}
	return statements;
}

/*
 * grant_statement
 *		GRANT of privileges on a table or view.
 */
static char *
grant_statement(AclMode privileges, const char *schema, const char *name)
{
	return psprintf("GRANT %s ON TABLE %s TO %s", privilege_list(privileges),
					quote_qualified_identifier(schema, name), app_role());
}

/*
 * revoke_statement
 *		REVOKE of the same.
 */
static char *
revoke_statement(AclMode privileges, const char *schema, const char *name)
{
	return psprintf("REVOKE %s ON TABLE %s FROM %s", privilege_list(privileges),
					quote_qualified_identifier(schema, name), app_role());
}

/*
 * is_among
 *		Is a name among those, as SQL spells them, of what will be dropped?
 */
static bool
is_among(const List *dropped, const char *name)
{
	return pd_has_text(dropped, quote_identifier(name));
}

/*
 * grant_statements
 *		What gives the app role what a manifest says and it has not yet, of char *.
 *
 * What is not there, or something else in its place, is passed over; for a plan
 * (is_planned) it will be made, and so will be what is among "dropped".  A GRANT
 * writes the catalog even where it changes nothing.
 */
static List *
grant_statements(const PdManifest *manifest, const char *schema,
				 bool is_planned, const List *dropped)
{
	Oid			nspid = get_namespace_oid(schema, false);
	List	   *statements = NIL;
	ListCell   *cell;

	foreach(cell, manifest->tables)
	{
		const PdTableSpec *spec = lfirst(cell);
		Oid			relid = get_relname_relid(spec->name, nspid);
		bool		is_there = is_table(relid) && !is_among(dropped, spec->name);
		AclMode		missing = spec->privileges & ~(is_there ? held_privileges(relid) : 0);

		if (!(is_there || is_planned))
			continue;
		if (missing != 0)
			statements = lappend(statements, grant_statement(missing, schema, spec->name));
		if (is_there && (spec->privileges & ACL_INSERT))
			statements = add_sequences(statements, relid, true);
	}
	foreach(cell, manifest->views)
	{
		const char *name = lfirst(cell);
		Oid			relid = get_relname_relid(name, nspid);
		bool		is_there = is_view(relid) && !is_among(dropped, name);

		if (is_there ? !(held_privileges(relid) & ACL_SELECT) : is_planned)
			statements = lappend(statements, grant_statement(ACL_SELECT, schema, name));
	}
	return statements;
}

/*
 * pd_grants_planned
 *		The statements, of char *, by which the app role will be given what a
 *		manifest says, once scripts have made it.  "dropped" has the names, as
 *		pg_identify_object() spells them, of what the change drops before.
 */
List *
pd_grants_planned(const PdManifest *manifest, const char *schema, const List *dropped)
{
	return grant_statements(manifest, schema, true, dropped);
}

/*
 * run_statements
 *		Run statements one by one.
 */
static void
run_statements(const List *statements)
{
	ListCell   *cell;

	foreach(cell, statements)
		pd_spi_command("%s", (char *) lfirst(cell));
}

/*
 * ensure_views_are_safe
 *		An error (PD001) where a view that the manifest names would be read with
 *		other privileges than the app role's.
 */
static void
ensure_views_are_safe(const PdManifest *manifest, const char *schema)
{
	Oid			nspid = get_namespace_oid(schema, false);
	List	   *views = NIL;
	ListCell   *cell;

	foreach(cell, manifest->views)
	{
		Oid			relid = get_relname_relid(lfirst(cell), nspid);

		if (OidIsValid(relid) && (is_view(relid) || get_rel_relkind(relid) == RELKIND_MATVIEW))
			views = lappend_oid(views, relid);
	}
	pd_check_views(views, pd_script_owner());
}

/*
 * pd_grant_privileges
 *		Give the app role what a manifest says.  A table or view that somebody has
 *		dropped by hand is passed over.
 *		Errors: PD001 for a view that it cannot be given.
 */
void
pd_grant_privileges(const PdManifest *manifest, const char *schema)
{
	ensure_views_are_safe(manifest, schema);
	run_statements(grant_statements(manifest, schema, false, NIL));
}

/*
 * pd_revokes
 *		The statements, of char *, that take away from the app role what one
 *		manifest gives and another, or NULL, does not.
 */
List *
pd_revokes(const PdManifest *from, const PdManifest *to, const char *schema)
{
	Oid			nspid = get_namespace_oid(schema, false);
	List	   *statements = NIL;
	ListCell   *cell;

	foreach(cell, from->tables)
	{
		const PdTableSpec *spec = lfirst(cell);
		const PdTableSpec *kept = to == NULL ? NULL : pd_manifest_table(to, spec->name);
		AclMode		excess = spec->privileges & ~(kept == NULL ? 0 : kept->privileges);
		Oid			relid = get_relname_relid(spec->name, nspid);

		if (excess == 0 || !is_table(relid))
			continue;
		statements = lappend(statements, revoke_statement(excess, schema, spec->name));
		if (excess & ACL_INSERT)
			statements = add_sequences(statements, relid, false);
	}
	foreach(cell, from->views)
	{
		const char *name = lfirst(cell);

		if ((to == NULL || !pd_manifest_has_view(to, name)) &&
			is_view(get_relname_relid(name, nspid)))
			statements = lappend(statements, revoke_statement(ACL_SELECT, schema, name));
	}
	return statements;
}

/*
 * pd_revoke_privileges
 *		Take that away.
 */
void
pd_revoke_privileges(const PdManifest *from, const PdManifest *to, const char *schema)
{
	run_statements(pd_revokes(from, to, schema));
}

/*
 * named_privileges
 *		What a manifest lets the app role do with a table or view of this name.
 */
static AclMode
named_privileges(const PdManifest *manifest, Oid relid, const char *name)
{
	const PdTableSpec *spec = pd_manifest_table(manifest, name);

	if (is_view(relid))
		return pd_manifest_has_view(manifest, name) ? ACL_SELECT : ACL_NO_RIGHTS;
	return spec == NULL ? ACL_NO_RIGHTS : spec->privileges;
}

/*
 * revoke_renamed
 *		Take from the app role what a table or view has kept under another name.
 */
static void
revoke_renamed(const PdScriptRun *run, const PdRenamed *renamed)
{
	const AclMode any = ACL_SELECT | ACL_INSERT | ACL_UPDATE | ACL_DELETE;
	const char *name = get_rel_name(renamed->relid);
	AclMode		excess;

	if (name == NULL || strcmp(name, renamed->former_name) == 0 ||
		!(is_table(renamed->relid) || is_view(renamed->relid)))
		return;
	excess = held_privileges(renamed->relid) & any &
		~named_privileges(run->manifest, renamed->relid, name);
	if (excess == 0)
		return;
	run_statements(list_make1(revoke_statement(excess, get_namespace_name(run->schema), name)));
	if (excess & ACL_INSERT)
		run_statements(add_sequences(NIL, renamed->relid, false));
}

/*
 * pd_revoke_renamed
 *		Take from the app role what it was granted on the tables and views that
 *		scripts have renamed, and the manifest does not give it under their new
 *		names: a grant stays with the table, whatever that is called.
 */
void
pd_revoke_renamed(const PdScriptRun *run)
{
	ListCell   *cell;

	foreach(cell, run->renamed)
		revoke_renamed(run, lfirst(cell));
}

/*
 * may_insert
 *		Does a sequence belong to a column of a table into which the manifest lets
 *		the app role insert?
 */
static bool
may_insert(const PdScriptRun *run, Oid sequence)
{
	Oid			table;
	int32		column;
	const PdTableSpec *spec;

	if (!sequenceIsOwned(sequence, DEPENDENCY_AUTO, &table, &column))
		return false;
	spec = pd_manifest_table(run->manifest, get_rel_name(table));
	return spec != NULL && (spec->privileges & ACL_INSERT);
}

/*
 * pd_revoke_released
 *		Take from the app role the sequences that scripts have taken from their
 *		columns: with the table's privileges they would go no more.
 */
void
pd_revoke_released(const PdScriptRun *run)
{
	ListCell   *cell;

	foreach(cell, run->released)
	{
		Oid			relid = lfirst_oid(cell);

		if (!(held_privileges(relid) & ACL_USAGE) || may_insert(run, relid))
			continue;
		pd_spi_command("REVOKE USAGE ON SEQUENCE %s FROM %s",
					   quote_qualified_identifier(get_namespace_name(run->schema),
												  get_rel_name(relid)),
					   app_role());
	}
}

/*
 * pd_revoke_app_grants
 *		Take everything in a tenant's schema away from the app role.
 */
void
pd_revoke_app_grants(const PdTenant *tenant)
{
	const char *schema = quote_identifier(NameStr(tenant->schema));
	const char *app = app_role();

	pd_spi_command("REVOKE ALL ON ALL TABLES IN SCHEMA %s FROM %s", schema, app);
	pd_spi_command("REVOKE ALL ON ALL SEQUENCES IN SCHEMA %s FROM %s", schema, app);
	pd_spi_command("REVOKE ALL ON SCHEMA %s FROM %s", schema, app);
}

/*
 * pd_restore_app_grants
 *		Give the app role again what the manifests of the installed modules
 *		say.
 */
void
pd_restore_app_grants(const PdTenant *tenant)
{
	const char *schema = NameStr(tenant->schema);
	uint64		n;
	SPITupleTable *result;

	pd_spi_command("GRANT USAGE ON SCHEMA %s TO %s", quote_identifier(schema), app_role());
	n = pd_spi_query("SELECT version_id FROM publicdigit.installation"
					 " WHERE tenant_id = $1 AND status = 'installed' ORDER BY module",
					 PD_ARGS(pd_uuid(&tenant->id)));
	result = SPI_tuptable;
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		int64		id;

		SPI_tuptable = result;
		id = DatumGetInt64(pd_spi_datum(row, "version_id", &isnull));
		pd_grant_privileges(pd_version_load(id)->source->manifest, schema);
	}
}
