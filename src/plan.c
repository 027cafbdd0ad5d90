/*-------------------------------------------------------------------------
 *
 * plan.c
 *	  Which modules a call changes, and to which versions.
 *
 * The resolver says which versions an installation or an upgrade leads to.  On
 * the way down nothing is resolved; see plan_together.c.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "plan.h"
#include "resolver.h"
#include "script_error.h"
#include "semver.h"
#include "spi.h"
#include "subtransaction.h"

/*
 * pd_plan_report_not_installed
 *		Raise 55000 for a module that is not there.
 */
void
pd_plan_report_not_installed(const PdTarget *target, const char *module)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("module \"%s\" is not installed for %s", module, pd_target_name(target)),
			 errhint("Install it with publicdigit.install_module() first; the view publicdigit.module_installations lists what is there.")));
}

/*
 * pd_plan_report_archived
 *		Raise 55000 for a module that is in the archive.
 */
void
pd_plan_report_archived(const PdTarget *target, const char *module, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("module \"%s\" is in the archive of %s", module, pd_target_name(target)),
			 errhint("%s", hint)));
}

/*
 * pd_plan_installed
 *		What the target has of a module.  Errors: 55000 where that is nothing,
 *		or is in the archive.
 */
PdInstallation *
pd_plan_installed(const PdTarget *target, const char *module)
{
	PdInstallation *installed = pd_installation_find(module, pd_target_tenant(target));

	if (installed == NULL)
		pd_plan_report_not_installed(target, module);
	if (installed->status == PD_ARCHIVED)
		pd_plan_report_archived(target, module, "Bring it back with publicdigit.install_module() first.");
	return installed;
}

/*
 * changes_up
 *		What leads to the versions that the resolver has chosen.
 */
static List *
changes_up(const PdTarget *target, const List *versions)
{
	List	   *changes = NIL;
	ListCell   *cell;

	foreach(cell, versions)
	{
		PdVersion  *version = lfirst(cell);
		const char *module = version->source->manifest->name;

		changes = lappend(changes,
						  pd_change_up(target,
									   pd_installation_find(module, pd_target_tenant(target)),
									   version));
	}
	return changes;
}

/*
 * is_disabled_here
 *		Does the target have a module, and has disabled it?
 */
static bool
is_disabled_here(const PdTarget *target, const char *module)
{
	PdInstallation *installed = pd_installation_find(module, pd_target_tenant(target));

	return installed != NULL && installed->status == PD_DISABLED;
}

/*
 * ensure_enabled
 *		An error (55000) where a module that is disabled, for the target or for
 *		the landlord, is required by one that is to be used.
 */
static void
ensure_enabled(const PdTarget *target, const List *versions)
{
	const PdTarget landlord = {PD_LANDLORD};
	ListCell   *cell;

	foreach(cell, versions)
	{
		const PdManifest *manifest = ((PdVersion *) lfirst(cell))->source->manifest;
		ListCell   *other;

		foreach(other, manifest->requires)
		{
			const char *module = ((PdRequirement *) lfirst(other))->module;
			bool		is_here = is_disabled_here(target, module);

			if (is_here || is_disabled_here(&landlord, module))
				ereport(ERROR,
						(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						 errmsg("module \"%s\" requires module \"%s\", which is disabled for %s",
								manifest->name, module,
								pd_target_name(is_here ? target : &landlord)),
						 errhint("Enable it with publicdigit.enable_module() first.")));
		}
	}
}

/*
 * pd_plan_ensure_may_be
 *		An error unless a module may be enabled, or disabled: 55000 while one
 *		that it requires is disabled, 2BP01 while one that requires it is enabled.
 */
void
pd_plan_ensure_may_be(const PdTarget *target, PdVersion *version, bool enabled)
{
	const char *module = version->source->manifest->name;

	if (enabled)
	{
		ensure_enabled(target, list_make1(version));
		return;
	}
	if (pd_spi_query("SELECT i.module::text AS module, t.slug AS tenant"
					 " FROM publicdigit.installation AS i"
					 " JOIN publicdigit.module_version AS v ON v.id = i.version_id"
					 " LEFT JOIN publicdigit.tenant AS t ON t.id = i.tenant_id"
					 " WHERE (i.tenant_id = $1 OR $1 IS NULL) AND i.status = 'installed'"
					 " AND v.manifest->'requires' ? $2 ORDER BY i.tenant_id NULLS FIRST, i.module LIMIT 1",
					 PD_ARGS(pd_uuid(pd_target_tenant(target)), pd_text(module))) > 0)
	{
		char	   *tenant = pd_spi_text(0, "tenant");

		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("module \"%s\" is still needed by module \"%s\"",
						module, pd_spi_text(0, "module")),
				 tenant == NULL ? errdetail("It is enabled for the landlord.") :
				 errdetail("It is enabled for tenant \"%s\".", tenant),
				 errhint("Disable that module first.")));
	}
}

/*
 * report_installed
 *		What is installed already is a notice; another version of it is not
 *		what was asked for (55000), or not registered (42704).
 */
static void
report_installed(const PdTarget *target, const PdInstallation *installed,
				 const char *module, const char *version)
{
	if (version == NULL || strcmp(version, installed->version) == 0)
		ereport(NOTICE,
				(errmsg("module \"%s\" version %s is already installed for %s",
						module, installed->version, pd_target_name(target))));
	else
	{
		(void) pd_version_find(module, version);
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" is installed for %s in version %s",
						module, pd_target_name(target), installed->version),
				 errhint("Use publicdigit.upgrade_module() or publicdigit.downgrade_module() to get to version %s.",
						 version)));
	}
}

/*
 * takes_along
 *		Does one of these versions take the place of another one that is there?
 */
static bool
takes_along(const PdTarget *target, const List *versions)
{
	ListCell   *cell;

	foreach(cell, versions)
	{
		const char *module = ((PdVersion *) lfirst(cell))->source->manifest->name;
		PdInstallation *installed = pd_installation_find(module, pd_target_tenant(target));

		if (installed != NULL && installed->status != PD_ARCHIVED)
			return true;
	}
	return false;
}

/*
 * pd_plan_install
 *		Install a module, and what it requires.  A module in the archive comes
 *		back as it was, unless a version is asked for.
 *		Errors: 42704, 55000, PD002.
 *
 * An installation for the landlord does not wait for tenants.  Where it takes
 * along a module on which they may rest it has to, and is planned anew.
 */
List *
pd_plan_install(const PdTarget *target, const char *module, const char *version)
{
	PdInstallation *installed = pd_installation_find(module, pd_target_tenant(target));
	List	   *versions;

	if (installed != NULL && installed->status != PD_ARCHIVED)
	{
		report_installed(target, installed, module, version);
		return NIL;
	}
	if (version == NULL && installed != NULL)
		version = installed->version;
	versions = pd_resolve(target, module, version);
	if (target->context == PD_LANDLORD && !XactReadOnly && takes_along(target, versions))
	{
		PdTarget	landlord = *target;

		pd_target_lock(&landlord, PD_TARGET_CHANGE);
		versions = pd_resolve(target, module, version);
	}
	ensure_enabled(target, versions);
	return changes_up(target, versions);
}

/*
 * ensure_used_enabled
 *		The same for an upgrade: what is disabled may rest on what is disabled.
 */
static void
ensure_used_enabled(const PdTarget *target, const List *versions)
{
	List	   *used = NIL;
	ListCell   *cell;

	foreach(cell, versions)
	{
		PdVersion  *version = lfirst(cell);

		if (!is_disabled_here(target, version->source->manifest->name))
			used = lappend(used, version);
	}
	ensure_enabled(target, used);
}

/* A version that the resolver is asked for, to learn what is in its way. */
typedef struct Wish
{
	const PdTarget *target;
	const PdManifest *manifest;
} Wish;

/*
 * resolve_wish
 *		Ask the resolver for a version.
 */
static void
resolve_wish(void *arg)
{
	const Wish *wish = arg;

	(void) pd_resolve(wish->target, wish->manifest->name, wish->manifest->version);
}

/*
 * report_highest
 *		Say that there is nothing to upgrade to, and, where a higher version is
 *		registered, what is in its way.
 */
static void
report_highest(const PdTarget *target, const PdInstallation *installed)
{
	Wish		wish = {target, pd_version_find(installed->module, NULL)->source->manifest};
	ErrorData  *error = NULL;

	if (pd_semver_compare(wish.manifest->version, installed->version) > 0)
		error = pd_try(resolve_wish, &wish);
	if (error != NULL && !pd_error_is_of_module(error))
		ReThrowError(error);
	ereport(NOTICE,
			(errmsg("module \"%s\" is in version %s for %s already",
					installed->module, installed->version, pd_target_name(target)),
			 error == NULL ? 0 :
			 errdetail("Version %s is registered: %s%s%s", wish.manifest->version, error->message,
					   error->detail == NULL ? "" : ".  ",
					   error->detail == NULL ? "" : error->detail)));
}

/*
 * pd_plan_upgrade
 *		Bring an installed module to a higher version, or the highest, and what
 *		it requires along.  A notice where nothing is to be done.
 *		Errors: 42704, 55000, 2BP01, PD002.
 */
List *
pd_plan_upgrade(const PdTarget *target, const char *module, const char *version)
{
	PdInstallation *installed = pd_plan_installed(target, module);
	List	   *versions;

	if (version != NULL &&
		pd_semver_compare(pd_version_find(module, version)->source->manifest->version,
						  installed->version) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" is installed for %s in version %s, which is higher than %s",
						module, pd_target_name(target), installed->version, version),
				 errhint("publicdigit.downgrade_module() leads to a lower version.")));

	versions = pd_resolve(target, module, version);
	if (versions == NIL)
		report_highest(target, installed);
	ensure_used_enabled(target, versions);
	return changes_up(target, versions);
}

/*
 * pd_plan_migrate
 *		The same, for the highest version, without a word where there is
 *		nothing to do.
 */
List *
pd_plan_migrate(const PdTarget *target, const char *module)
{
	List	   *versions = pd_resolve(target, module, NULL);

	ensure_used_enabled(target, versions);
	return changes_up(target, versions);
}

/*
 * pd_plan_downgrade
 *		Bring an installed module to a lower version.
 *		Errors: 42704, 55000, 2BP01.
 */
List *
pd_plan_downgrade(const PdTarget *target, const char *module, const char *version)
{
	PdInstallation *installed = pd_plan_installed(target, module);
	PdVersion  *to = pd_version_find(module, version);
	int			order = pd_semver_compare(to->source->manifest->version, installed->version);
	List	   *changes;

	if (order == 0)
	{
		report_installed(target, installed, module, installed->version);
		return NIL;
	}
	if (order > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("module \"%s\" is installed for %s in version %s, which is lower than %s",
						module, pd_target_name(target), installed->version, version),
				 errhint("publicdigit.upgrade_module() leads to a higher version.")));

	changes = list_make1(pd_change_down(target, installed, to));
	pd_plan_ensure_together(target, changes);
	return changes;
}

/*
 * pd_plan_seed
 *		Run a module's seeds that have not run yet.  Errors: 55000.
 */
List *
pd_plan_seed(const PdTarget *target, const char *module)
{
	return list_make1(pd_change_seed(target, pd_plan_installed(target, module)));
}
