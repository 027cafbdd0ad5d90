/*-------------------------------------------------------------------------
 *
 * drop_extension.c
 *	  What keeps the extension from being dropped by accident.
 *
 * Policies and defaults of protected tables depend on the extension's functions,
 * so the server refuses to drop it where there are any.  A module that has none
 * would be orphaned without a word: its objects would stay, and what is known of
 * them would be gone.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"

#include "catalog.h"
#include "drop_extension.h"
#include "spi.h"

/*
 * names_us
 *		Is the extension among those that are to be dropped?
 */
static bool
names_us(const DropStmt *drop)
{
	ListCell   *cell;

	foreach(cell, drop->objects)
	{
		if (strcmp(strVal(lfirst(cell)), "publicdigit") == 0)
			return true;
	}
	return false;
}

/*
 * pd_ensure_may_drop
 *		An error (2BP01) for DROP EXTENSION without CASCADE while modules are
 *		installed.
 */
void
pd_ensure_may_drop(const DropStmt *drop)
{
	const PdCatalog *catalog;
	char	   *modules;
	PdSpi		spi;

	if (drop->removeType != OBJECT_EXTENSION || drop->behavior == DROP_CASCADE ||
		!names_us(drop))
		return;
	catalog = pd_catalog_if_created();
	/* Whom the server refuses anyway is not told what is installed. */
	if (catalog == NULL || !has_privs_of_role(GetUserId(), catalog->extension_owner))
		return;

	pd_spi_begin(&spi);
	pd_spi_query("SELECT string_agg(DISTINCT module::text, ', ') AS modules"
				 " FROM publicdigit.installation", NULL, 0);
	modules = pd_spi_text(0, "modules");
	if (modules != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("cannot drop extension publicdigit because modules are installed"),
				 errdetail("Installed are: %s.", modules),
				 errhint("Uninstall them first, or use DROP EXTENSION ... CASCADE, which leaves their tables in place and closed.")));
	pd_spi_end(&spi);
}
