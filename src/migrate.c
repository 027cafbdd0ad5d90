/*-------------------------------------------------------------------------
 *
 * migrate.c
 *	  Migrations of a tenant, or of the landlord, whatever their modules: what is
 *	  pending, all of it forward, and batches back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "apply.h"
#include "install.h"
#include "spi.h"

PG_FUNCTION_INFO_V1(pd_migrate_landlord);
PG_FUNCTION_INFO_V1(pd_rollback_landlord);
PG_FUNCTION_INFO_V1(pd_pending_migrations);
PG_FUNCTION_INFO_V1(pd_pending_migrations_by_id);

/*
 * batches_argument
 *		How many batches are to be undone.  Errors: 22004, 22023.
 */
static int32
batches_argument(FunctionCallInfo fcinfo, int argno)
{
	int32		batches;

	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("batches must not be null")));
	batches = PG_GETARG_INT32(argno);
	if (batches < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batches must be at least 1"),
				 errdetail("It is %d.", batches)));
	return batches;
}

/*
 * modules_behind
 *		Names of the target's modules that are not in the highest registered
 *		version: the others have nothing to resolve.
 */
static List *
modules_behind(const PdTarget *target)
{
	List	   *modules = NIL;
	uint64		n;

	n = pd_spi_query("SELECT i.module::text AS module FROM publicdigit.installation AS i"
					 " WHERE (i.tenant_id = $1 OR $1 IS NULL AND i.tenant_id IS NULL)"
					 " AND i.status <> 'archived'"
					 " AND i.version_id <> (SELECT v.id FROM publicdigit.module_version AS v"
					 "  WHERE v.module = i.module"
					 "  ORDER BY v.version::text ~ '^[0-9.]+-', v.version DESC LIMIT 1)"
					 " ORDER BY i.module",
					 PD_ARGS(pd_uuid(pd_target_tenant(target))));
	for (uint64 row = 0; row < n; row++)
		modules = lappend(modules, pd_spi_text(row, "module"));
	return modules;
}

/*
 * runs_scripts
 *		Does a change more than take privileges away and give them?
 */
static bool
runs_scripts(const PdChange *change)
{
	ListCell   *cell;

	foreach(cell, change->steps)
	{
		PdStepKind	kind = ((PdStep *) lfirst(cell))->kind;

		if (kind != PD_STEP_REVOKE && kind != PD_STEP_GRANT)
			return true;
	}
	return false;
}

/*
 * tell_of_versions
 *		A notice for each module that has got to another version without a
 *		script, of which the result and the history say nothing.
 */
static void
tell_of_versions(const PdTarget *target, const List *changes)
{
	ListCell   *cell;

	foreach(cell, changes)
	{
		const PdChange *change = lfirst(cell);

		if (change->from != NULL && !runs_scripts(change))
			ereport(NOTICE,
					(errmsg("module \"%s\" went from version %s to %s for %s without a script",
							change->installed->module, change->installed->version,
							change->to->source->manifest->version, pd_target_name(target))));
	}
}

/*
 * migrate
 *		Bring every installed module to the highest version that stands
 *		together with the others; returns how many migrations were applied.
 *
 * One after another, since what the one requires may take another along.
 */
static int
migrate(const PdTarget *target)
{
	int32		batch = pd_ledger_next_batch(target);
	int			count = 0;
	ListCell   *cell;

	foreach(cell, modules_behind(target))
	{
		List	   *changes = pd_plan_migrate(target, lfirst(cell));

		count += pd_apply(target, changes, batch);
		tell_of_versions(target, changes);
	}
	return count;
}

/*
 * migrate_landlord() → integer
 *		Apply what is pending of the landlord's modules.
 *		Errors: 55000, 2BP01, PD001, PD002, PD003, and those of the scripts.
 */
Datum
pd_migrate_landlord(PG_FUNCTION_ARGS)
{
	PdTarget	target = {PD_LANDLORD};
	int			count;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_target_lock(&target, PD_TARGET_CHANGE);
	count = migrate(&target);
	pd_spi_end(&spi);
	PG_RETURN_INT32(count);
}

/*
 * ensure_tenant
 *		An error (22023) for the landlord, which has a function of its own.
 */
static void
ensure_tenant(const PdTenantRef *ref, const char *function)
{
	if (ref->kind == PD_REF_LANDLORD)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tenant \"%s\" is not allowed here", "@landlord"),
				 errhint("For the landlord call publicdigit.%s().", function)));
}

/*
 * migrate_tenant(tenant) → integer
 *		Apply what is pending of a tenant's modules.
 *		Errors: 22004, 22023, 42704, those of migrate_landlord.
 */
PD_TENANT_FUNCTION(pd_migrate_tenant, 0, PD_ALLOW_LANDLORD)
{
	PdTarget	target = {PD_TENANT, ref->tenant};
	int			count;
	PdSpi		spi;

	ensure_tenant(ref, "migrate_landlord");
	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_target_lock(&target, PD_TARGET_CHANGE);
	count = migrate(&target);
	pd_spi_end(&spi);
	PG_RETURN_INT32(count);
}

/* The two ledgers have the same columns. */
#define BATCHES_OF(ledger) \
	"SELECT DISTINCT l.batch FROM publicdigit." ledger " AS l" \
	" JOIN publicdigit.installation AS i ON i.id = l.installation_id" \
	" WHERE (i.tenant_id = $1 OR $1 IS NULL AND i.tenant_id IS NULL)" \
	" AND i.status <> 'archived'" \
	" ORDER BY l.batch DESC LIMIT $2"

/*
 * last_batches
 *		The target's last batches of which something is applied, the last first.
 */
static List *
last_batches(const PdTarget *target, int32 count)
{
	PdArg		args[] = {
		pd_uuid(pd_target_tenant(target)),
		pd_datum(INT4OID, Int32GetDatum(count))
	};
	List	   *batches = NIL;
	uint64		n;

	n = target->context == PD_TENANT ?
		pd_spi_query(BATCHES_OF("tenant_migration"), args, lengthof(args)) :
		pd_spi_query(BATCHES_OF("landlord_migration"), args, lengthof(args));
	for (uint64 row = 0; row < n; row++)
	{
		bool		isnull;

		batches = lappend_int(batches, DatumGetInt32(pd_spi_datum(row, "batch", &isnull)));
	}
	return batches;
}

/*
 * rollback
 *		Undo the last batches; returns how many migrations that were.
 *
 * Each is found and planned when the one after it is undone: what comes back of
 * repeatable scripts may make up a batch that had none left.  That every migration
 * can be undone is found out before the first script runs.
 */
static int
rollback(const PdTarget *target, int32 batches)
{
	List	   *last = last_batches(target, batches);
	int			count = 0;

	pd_plan_ensure_undoable(target, last);
	for (int32 n = 0; n < batches; n++)
	{
		int32		batch;

		CHECK_FOR_INTERRUPTS();
		last = last_batches(target, 1);
		if (last == NIL)
			break;
		if (n > 0)
			pd_plan_ensure_undoable(target, last);
		batch = linitial_int(last);
		count += pd_apply(target, pd_plan_rollback(target, batch), batch);
	}
	return count;
}

/*
 * rollback_landlord(batches DEFAULT 1) → integer
 *		Undo the landlord's last batches of migrations.
 *		Errors: 22004, 22023, 55000, 2BP01, PD002, and those of the scripts.
 */
Datum
pd_rollback_landlord(PG_FUNCTION_ARGS)
{
	PdTarget	target = {PD_LANDLORD};
	int32		batches = batches_argument(fcinfo, 0);
	int			count;
	PdSpi		spi;

	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_target_lock(&target, PD_TARGET_CHANGE);
	count = rollback(&target, batches);
	pd_spi_end(&spi);
	PG_RETURN_INT32(count);
}

/*
 * rollback_tenant(tenant, batches DEFAULT 1) → integer
 *		Undo a tenant's last batches of migrations.
 *		Errors: 42704, those of rollback_landlord.
 */
PD_TENANT_FUNCTION(pd_rollback_tenant, 0, PD_ALLOW_LANDLORD)
{
	PdTarget	target = {PD_TENANT, ref->tenant};
	int32		batches = batches_argument(fcinfo, 1);
	int			count;
	PdSpi		spi;

	ensure_tenant(ref, "rollback_landlord");
	pd_catalog_set_up();
	pd_spi_begin(&spi);
	pd_target_lock(&target, PD_TARGET_CHANGE);
	count = rollback(&target, batches);
	pd_spi_end(&spi);
	PG_RETURN_INT32(count);
}

/*
 * pending
 *		What the highest versions have that is not applied, for a tenant, the
 *		landlord or (NULL) all; and, with no migration, a higher version of which
 *		all scripts are applied.
 *
 * Which versions are outdated shows in the list of versions alone, and whether an
 * installation has one by its number, however many migrations there are.  Where two
 * versions have the same scripts, the heads of two chains are the same, and the
 * scripts are not compared.
 */
static void
pending(FunctionCallInfo fcinfo, const PdTenantRef *ref)
{
	static const char *const columns[] = {
		"context", "tenant_id", "tenant", "module", "migration", "version"
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		is_landlord = ref != NULL && ref->kind == PD_REF_LANDLORD;
	uint64		n;
	PdSpi		spi;

	InitMaterializedSRF(fcinfo, 0);
	pd_spi_begin(&spi);
	n = pd_spi_query("WITH version AS MATERIALIZED ("
					 " SELECT id, module, head, version,"
					 "  rank() OVER (PARTITION BY module ORDER BY version) AS place,"
					 "  row_number() OVER (PARTITION BY module"
					 "   ORDER BY version::text ~ '^[0-9.]+-', version DESC) = 1 AS is_highest"
					 " FROM publicdigit.module_version),"
					 " outdated AS MATERIALIZED ("
					 " SELECT v.id, h.id AS version_id, h.head, h.version"
					 " FROM version AS v"
					 " JOIN version AS h ON h.module = v.module AND h.is_highest AND h.place > v.place),"
					 " behind AS MATERIALIZED ("
					 " SELECT i.id, i.context, i.tenant_id, i.module, o.version_id, o.version,"
					 "  i.head = o.head AS has_all"
					 " FROM publicdigit.installation AS i JOIN outdated AS o ON o.id = i.version_id"
					 " WHERE i.status <> 'archived'"
					 " AND ($1 IS NULL OR i.tenant_id = $1) AND (NOT $2 OR i.tenant_id IS NULL)),"
					 " missing AS ("
					 " SELECT b.id, s.migration"
					 " FROM behind AS b"
					 " JOIN publicdigit.module_script AS s ON s.version_id = b.version_id"
					 "  AND s.kind IN ('up', 'repeatable', 'installer')"
					 " LEFT JOIN publicdigit.tenant_migration AS a"
					 "  ON a.installation_id = b.id AND a.migration = s.migration"
					 " LEFT JOIN publicdigit.landlord_migration AS l"
					 "  ON l.installation_id = b.id AND l.migration = s.migration"
					 " WHERE NOT b.has_all AND coalesce(a.statements, l.statements) IS DISTINCT FROM s.statements"
					 " AND (s.kind <> 'up' OR coalesce(a.migration, l.migration) IS NULL))"
					 " SELECT b.context, b.tenant_id, t.slug AS tenant, b.module,"
					 "  m.migration, b.version::text AS version"
					 " FROM behind AS b LEFT JOIN missing AS m ON m.id = b.id"
					 " LEFT JOIN publicdigit.tenant AS t ON t.id = b.tenant_id"
					 " ORDER BY t.slug NULLS FIRST, b.module, m.migration COLLATE \"C\"",
					 PD_ARGS(pd_uuid(ref != NULL && ref->kind == PD_REF_TENANT ? &ref->tenant.id : NULL),
							 pd_datum(BOOLOID, BoolGetDatum(is_landlord))));
	for (uint64 row = 0; row < n; row++)
	{
		Datum		values[lengthof(columns)];
		bool		nulls[lengthof(columns)];

		for (int i = 0; i < lengthof(columns); i++)
			values[i] = pd_spi_datum(row, columns[i], &nulls[i]);
		/* SPI's row has type name where the result's has text, and so on. */
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	pd_spi_end(&spi);
}

/*
 * pending_migrations(tenant text DEFAULT NULL) → setof record
 *		What the highest registered versions have that is not applied.
 *		Errors: 42704, 55000.
 */
Datum
pd_pending_migrations(PG_FUNCTION_ARGS)
{
	PdTenantRef ref;

	pd_catalog_set_up();
	if (PG_ARGISNULL(0))
		pending(fcinfo, NULL);
	else
	{
		pd_tenant_ref_from_text(fcinfo, 0, PD_ALLOW_LANDLORD, &ref);
		pending(fcinfo, &ref);
	}
	return (Datum) 0;
}

/*
 * pending_migrations(tenant uuid) → setof record
 *		The same for a tenant.  Errors: 22004, 42704.
 */
Datum
pd_pending_migrations_by_id(PG_FUNCTION_ARGS)
{
	PdTenantRef ref;

	pd_catalog_set_up();
	pd_tenant_ref_from_uuid(fcinfo, 0, &ref);
	pending(fcinfo, &ref);
	return (Datum) 0;
}
