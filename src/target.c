/*-------------------------------------------------------------------------
 *
 * target.c
 *	  For whom a module is installed: a tenant or the landlord.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "compat.h"
#include "spi.h"
#include "target.h"
#include "tenant.h"

/*
 * pd_target_resolve
 *		The target that a tenant argument means for a module of a context.
 *		Errors: 22023 where the two do not go together, 55000 where a tenant
 *		is needed and none is bound.
 */
void
pd_target_resolve(const PdTenantRef *ref, const char *module,
				  PdContextKind context, PdTarget *target)
{
	MemSet(target, 0, sizeof(PdTarget));
	target->context = context;

	if (context == PD_TENANT)
	{
		if (ref->kind == PD_REF_UNBOUND)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("no tenant is bound"),
					 errdetail("Module \"%s\" belongs to tenants.", module),
					 errhint("Name the tenant, or bind one with publicdigit.use_tenant() first.")));
		if (ref->kind == PD_REF_LANDLORD)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("module \"%s\" belongs to tenants, not to the landlord",
							module),
					 errhint("Name a tenant by its slug or its id.")));
		target->tenant = ref->tenant;
	}
	else if (ref->kind == PD_REF_TENANT && !ref->is_current)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("module \"%s\" belongs to the landlord, not to a tenant",
						module),
				 errhint("Write '@landlord' in the tenant's place.")));
}

/*
 * What the target's changes rest on: which installations there are, which
 * transaction has written them, and how many of their seeds have run.  A tenant's
 * are its own and the landlord's; the landlord's are everybody's.  A version's id
 * only ever grows.
 */
#define REGISTRY_STATE \
	"SELECT concat((SELECT max(id) FROM publicdigit.module_version)," \
	"  string_agg(concat(' ', i.id, ':', i.xmin, ':'," \
	"   (SELECT count(*) FROM publicdigit.seed AS s WHERE s.installation_id = i.id))," \
	"   '' ORDER BY i.id)) AS state" \
	" FROM publicdigit.installation AS i" \
	" WHERE i.tenant_id = $1 OR i.tenant_id IS NULL OR $1 IS NULL"

/*
 * ensure_current
 *		An error (40001) where the transaction does not see the registry as it is
 *		now: it reads under an older snapshot, and somebody has changed modules
 *		since.  To be called with the target locked.
 *
 * A lock does not tell: nobody writes the rows that are locked.  Scripts, too,
 * would run under that snapshot, and miss rows.
 */
static void
ensure_current(const PdTarget *target)
{
	PdArg		tenant = pd_uuid(pd_target_tenant(target));
	char	   *seen;

	if (!IsolationUsesXactSnapshot())
		return;
	pd_spi_query(REGISTRY_STATE, &tenant, 1);
	seen = pd_spi_text(0, "state");
	pd_spi_query_latest(REGISTRY_STATE, &tenant, 1);
	if (strcmp(seen, pd_spi_text(0, "state")) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to a concurrent change of modules"),
				 errdetail("This transaction reads the registry as it was before that change."),
				 errhint("The transaction might succeed if retried.")));
}

/*
 * report_read_only
 *		Raise 25006: the server would name a statement of ours that the caller
 *		does not know.
 */
pg_noreturn static void
report_read_only(PdTargetLock lock)
{
	ereport(ERROR,
			(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
			 lock == PD_TARGET_LOOK ?
			 errmsg("cannot compare modules in a read-only transaction") :
			 errmsg("cannot change modules in a read-only transaction"),
			 lock == PD_TARGET_LOOK ?
			 errdetail("What modules should be is found out by installing them anew, which is rolled back.") : 0,
			 errhint("Use a transaction that is READ WRITE, on the primary server.")));
}

/*
 * pd_target_lock
 *		Keep others from changing the target's modules until the transaction
 *		ends.  Errors: 42704 when the tenant is gone, 55000 when it is not
 *		active, 25006 in a read-only transaction, 40001 when the transaction's
 *		snapshot is older than another one's change of modules.  Must be called
 *		inside pd_spi_begin.
 *
 * Locks come in one order: the landlord's, the tenant's, and then those of the
 * modules and versions that are worked with (see pd_version_load).  A tenant's
 * change holds a share of the landlord's, so that no module of the landlord that
 * it rests on goes meanwhile.
 */
void
pd_target_lock(PdTarget *target, PdTargetLock lock)
{
	if (lock == PD_TARGET_READ)
	{
		if (target->context == PD_TENANT)
			pd_ensure_active(&target->tenant);
		return;
	}
	if (XactReadOnly)
		report_read_only(lock);
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
	ensure_current(target);
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
