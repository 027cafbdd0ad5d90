/*-------------------------------------------------------------------------
 *
 * target.c
 *	  For whom a module is installed: a tenant or the landlord.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "spi.h"
#include "target.h"
#include "tenant.h"

/*
 * pd_target_resolve
 *		The target that a tenant argument means for a module.
 *		Errors: 22023 where the two do not go together, 55000 where a tenant
 *		is needed and none is bound.
 */
void
pd_target_resolve(const PdTenantRef *ref, const PdManifest *manifest,
				  PdTarget *target)
{
	MemSet(target, 0, sizeof(PdTarget));
	target->context = manifest->context;

	if (manifest->context == PD_TENANT)
	{
		if (ref->kind == PD_REF_UNBOUND)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("no tenant is bound"),
					 errdetail("Module \"%s\" belongs to tenants.", manifest->name),
					 errhint("Name the tenant, or bind one with publicdigit.use_tenant() first.")));
		if (ref->kind == PD_REF_LANDLORD)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("module \"%s\" belongs to tenants, not to the landlord",
							manifest->name),
					 errhint("Name a tenant by its slug or its id.")));
		target->tenant = ref->tenant;
	}
	else if (ref->kind == PD_REF_TENANT && !ref->is_current)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("module \"%s\" belongs to the landlord, not to a tenant",
						manifest->name),
				 errhint("Leave the tenant out, or write '@landlord'.")));
}

/*
 * pd_target_lock
 *		Keep others from changing the target's modules until the transaction
 *		ends.  Errors: 42704 when the tenant is gone, 55000 when it is not
 *		active.  Must be called inside pd_spi_begin.
 *
 * The landlord comes first in every path.  A tenant's change holds a share of
 * it, so that no module of the landlord that it rests on goes meanwhile.
 */
void
pd_target_lock(PdTarget *target, PdTargetLock lock)
{
	if (target->context == PD_TENANT)
	{
		pd_spi_query("SELECT FROM publicdigit.setting FOR KEY SHARE", NULL, 0);
		pd_lock_tenant(&target->tenant, PD_LOCK_CHANGE);
		if (lock != PD_TARGET_LOOK)
			pd_ensure_active(&target->tenant);
	}
	else if (lock != PD_TARGET_CHANGE)
		pd_spi_query("SELECT FROM publicdigit.setting FOR NO KEY UPDATE", NULL, 0);
	else
		pd_spi_query("SELECT FROM publicdigit.setting FOR UPDATE", NULL, 0);
}

/*
 * work_context
 *		Error context callback: what is done, with which module, for whom.
 */
static void
work_context(void *arg)
{
	PdTargetWork *work = arg;

	errcontext("%s of module \"%s\" version %s for %s", work->doing,
			   work->manifest->name, work->manifest->version,
			   pd_target_name(work->target));
}

/*
 * pd_target_begin_work
 *		Let errors tell of this work until pd_target_end_work.
 */
void
pd_target_begin_work(PdTargetWork *work, const char *doing,
					 const PdManifest *manifest, const PdTarget *target)
{
	work->doing = doing;
	work->manifest = manifest;
	work->target = target;
	work->callback.callback = work_context;
	work->callback.arg = work;
	work->callback.previous = error_context_stack;
	error_context_stack = &work->callback;
}

/*
 * pd_target_end_work
 *		Undo pd_target_begin_work.
 */
void
pd_target_end_work(PdTargetWork *work)
{
	error_context_stack = work->callback.previous;
}

/*
 * pd_target_tenant
 *		The tenant's id; NULL for the landlord.
 */
const pg_uuid_t *
pd_target_tenant(const PdTarget *target)
{
	return target->context == PD_TENANT ? &target->tenant.id : NULL;
}

/*
 * pd_target_schema
 *		The schema in which the target's tables are.
 */
const char *
pd_target_schema(const PdTarget *target)
{
	return target->context == PD_TENANT ?
		NameStr(target->tenant.schema) : PD_LANDLORD_SCHEMA;
}

/*
 * pd_target_name
 *		The target as messages name it.
 */
char *
pd_target_name(const PdTarget *target)
{
	return target->context == PD_TENANT ?
		psprintf("tenant \"%s\"", target->tenant.slug) : pstrdup("the landlord");
}
