/*-------------------------------------------------------------------------
 *
 * archive.c
 *	  Where the objects of an archived module lie.
 *
 * A module whose manifest says "on_uninstall": "archive" keeps its objects, rows
 * and all, in a schema of its own from when it is uninstalled until it is
 * installed again.  The app role has no use of that schema.  Its name is made of
 * the tenant's id and the installation's number, so that it clashes with no other
 * and the guard can tell whose it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "archive.h"
#include "module_object.h"
#include "script.h"
#include "spi.h"
#include "tenant.h"

/*
 * pd_archive_schema
 *		The name of an installation's archive.
 */
char *
pd_archive_schema(const PdTarget *target, int64 installation)
{
	char		hex[2 * UUID_LEN + 1];

	if (target->context == PD_LANDLORD)
		return psprintf(PD_ARCHIVE_PREFIX "landlord_" INT64_FORMAT, installation);
	hex[hex_encode((const char *) target->tenant.id.data, UUID_LEN, hex)] = '\0';
	return psprintf(PD_ARCHIVE_PREFIX "%s_" INT64_FORMAT, hex, installation);
}

/*
 * pd_archive_create
 *		The statement that makes an installation's archive; for the extension's
 *		owner, since the owner role may make no schema.
 */
char *
pd_archive_create(const PdTarget *target, int64 installation)
{
	return psprintf("CREATE SCHEMA %s AUTHORIZATION %s",
					quote_identifier(pd_archive_schema(target, installation)),
					quote_identifier(GetUserNameFromId(pd_script_owner(), false)));
}

/*
 * pd_archive_moves
 *		The statements that move an installation's objects into its archive
 *		("away"), or back and drop it; for the owner role.
 *
 * Objects that belong to a table, such as indexes and the sequences of its
 * columns, go with it.
 */
List *
pd_archive_moves(const PdTarget *target, int64 installation, bool away)
{
	const char *schema = pd_target_schema(target);
	const char *archive = pd_archive_schema(target, installation);
	const char *from = away ? schema : archive;
	const char *to = quote_identifier(away ? archive : schema);
	List	   *moves;

	moves = pd_module_objects_statements(installation, NULL, from, from,
										 psprintf("ALTER %%s %%s SET SCHEMA %s", to));
	if (!away)
		moves = lappend(moves, psprintf("DROP SCHEMA %s", quote_identifier(archive)));
	return moves;
}

/*
 * pd_archive_drop
 *		The statement that drops an installation's archive with all that is in
 *		it; for the owner role.
 */
char *
pd_archive_drop(const PdTarget *target, int64 installation)
{
	return psprintf("DROP SCHEMA IF EXISTS %s CASCADE",
					quote_identifier(pd_archive_schema(target, installation)));
}

/*
 * pd_archive_drop_all
 *		Drop what a tenant has in the archive.
 */
void
pd_archive_drop_all(const PdTenant *tenant)
{
	PdTarget	target = {PD_TENANT, *tenant};
	SPITupleTable *result;
	uint64		n;

	n = pd_spi_query("SELECT id FROM publicdigit.installation"
					 " WHERE tenant_id = $1 AND status = 'archived'",
					 PD_ARGS(pd_uuid(&tenant->id)));
	result = SPI_tuptable;
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;
		int64		installation;

		SPI_tuptable = result;
		installation = DatumGetInt64(pd_spi_datum(row, "id", &isnull));
		pd_drop_schema(pd_archive_schema(&target, installation));
	}
}
