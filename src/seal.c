/*-------------------------------------------------------------------------
 *
 * seal.c
 *	  A switch that holds until the transaction ends.
 *
 * The setting publicdigit.context can be taken away by RESET, and goes back to
 * what it was with ROLLBACK TO; the seal lives apart from it, and from
 * subtransactions.  Whoever uses what is bound finds it in the way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "registry.h"
#include "seal.h"

static bool is_sealed = false;
static pg_uuid_t sealed_tenant;

/*
 * end_seal
 *		Transaction callback: it ends with the top-level transaction.
 */
static void
end_seal(XactEvent event, void *arg)
{
	/* Deferred triggers run before the first two, and still under it. */
	if (is_sealed &&
		(event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE ||
		 event == XACT_EVENT_ABORT))
	{
		is_sealed = false;
		pd_epoch++;
	}
}

/*
 * pd_seal_init
 *		Called once, by _PG_init.
 */
void
pd_seal_init(void)
{
	RegisterXactCallback(end_seal, NULL);
}

/*
 * pd_seal
 *		Allow no other tenant until the top-level transaction ends.
 */
void
pd_seal(const pg_uuid_t *tenant)
{
	sealed_tenant = *tenant;
	is_sealed = true;
	pd_epoch++;
}

/*
 * pd_is_sealed
 */
bool
pd_is_sealed(void)
{
	return is_sealed;
}

/*
 * pd_seal_allows
 *		May this be bound, or used, as far as the seal goes?
 */
bool
pd_seal_allows(PdBindingKind kind, const pg_uuid_t *tenant)
{
	return !is_sealed || pd_is_tenant(kind, tenant, &sealed_tenant);
}

/*
 * pd_seal_ensure_may_bind
 *		An error (55000) when the transaction is sealed for another tenant.
 */
void
pd_seal_ensure_may_bind(PdBindingKind kind, const pg_uuid_t *tenant)
{
	PdTenant	sealed;

	if (pd_seal_allows(kind, tenant))
		return;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 pd_tenant_by_id(&sealed_tenant, &sealed) ?
			 errmsg("the transaction is sealed for tenant \"%s\"", sealed.slug) :
			 errmsg("the transaction is sealed for a tenant"),
			 errdetail("The tenant was bound with seal => true."),
			 errhint("End the transaction before you work for another one.")));
}
