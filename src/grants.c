/*-------------------------------------------------------------------------
 *
 * grants.c
 *	  What the app role may do with a module's tables: what the manifest says.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "grants.h"
#include "spi.h"
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
 * on_sequences
 *		Let the app role draw from the sequences that a table's columns own, as
 *		an INSERT into a serial column does; or no longer.
 */
static void
on_sequences(const char *command, const char *preposition, Oid relid)
{
	uint64		n;
	SPITupleTable *result;

	/* Few tables have any, and to look is quicker than to ask. */
	if (getOwnedSequences(relid) == NIL)
		return;
	n = pd_spi_query("SELECT format('%I.%I', n.nspname, s.relname) AS name"
					 " FROM pg_depend AS d"
					 " JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'"
					 " JOIN pg_namespace AS n ON n.oid = s.relnamespace"
					 " WHERE d.classid = 'pg_class'::regclass"
					 " AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1"
					 /* 'a': a serial's; an identity's needs no grant */
					 " AND d.refobjsubid > 0 AND d.deptype = 'a'",
					 PD_ARGS(pd_datum(OIDOID, ObjectIdGetDatum(relid))));
	result = SPI_tuptable;
	for (uint64 row = 0; row < n; row++)
	{
		SPI_tuptable = result;
		pd_spi_command("%s USAGE ON SEQUENCE %s %s %s", command,
					   pd_spi_text(row, "name"), preposition, app_role());
	}
}

/*
 * has_grant
 *		Has the app role these privileges on a table by the owner's own grant?
 */
static bool
has_grant(Oid relid, AclMode privileges)
{
	Oid			app = get_role_oid(NameStr(pd_catalog_set_up()->app_role), false);
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	bool		isnull;
	Datum		value;
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	value = SysCacheGetAttr(RELOID, tuple, Anum_pg_class_relacl, &isnull);
	if (!isnull)
	{
		Acl		   *acl = DatumGetAclPCopy(value);

		for (int i = 0; i < ACL_NUM(acl); i++)
		{
			const AclItem *item = &ACL_DAT(acl)[i];

			if (item->ai_grantee == app &&
				item->ai_grantor == ((Form_pg_class) GETSTRUCT(tuple))->relowner &&
				(ACLITEM_GET_PRIVS(*item) & privileges) == privileges)
				found = true;
		}
	}
	ReleaseSysCache(tuple);
	return found;
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
 * pd_grant_tables
 *		Give the app role what a manifest says.  A table that somebody has
 *		dropped by hand is passed over.
 */
void
pd_grant_tables(const PdManifest *manifest, const char *schema)
{
	Oid			nspid = get_namespace_oid(schema, false);
	ListCell   *cell;

	foreach(cell, manifest->tables)
	{
		const PdTableSpec *spec = lfirst(cell);
		Oid			relid = get_relname_relid(spec->name, nspid);

		if (spec->privileges == 0 || !is_table(relid))
			continue;
		/* A GRANT writes the catalog even where it changes nothing. */
		if (!has_grant(relid, spec->privileges))
			pd_spi_command("GRANT %s ON TABLE %s TO %s",
						   privilege_list(spec->privileges),
						   quote_qualified_identifier(schema, spec->name), app_role());
		if (spec->privileges & ACL_INSERT)
			on_sequences("GRANT", "TO", relid);
	}
}

/*
 * pd_revoke_tables
 *		Take away from the app role what one manifest gives and another, or NULL,
 *		does not.
 */
void
pd_revoke_tables(const PdManifest *from, const PdManifest *to, const char *schema)
{
	Oid			nspid = get_namespace_oid(schema, false);
	ListCell   *cell;

	foreach(cell, from->tables)
	{
		const PdTableSpec *spec = lfirst(cell);
		const PdTableSpec *kept = to == NULL ? NULL : pd_manifest_table(to, spec->name);
		AclMode		excess = spec->privileges & ~(kept == NULL ? 0 : kept->privileges);
		Oid			relid = get_relname_relid(spec->name, nspid);

		if (excess == 0 || !is_table(relid))
			continue;
		pd_spi_command("REVOKE %s ON TABLE %s FROM %s", privilege_list(excess),
					   quote_qualified_identifier(schema, spec->name), app_role());
		if (excess & ACL_INSERT)
			on_sequences("REVOKE", "FROM", relid);
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
		pd_grant_tables(pd_version_load(id)->source->manifest, schema);
	}
}
