/*-------------------------------------------------------------------------
 *
 * drift.c
 *	  What is otherwise than the installed versions would make it.
 *
 * What a target's schema holds is compared with what the same versions of its
 * modules make in an empty one (scratch.c).  That is made once in a call for
 * each set of versions, so that of thousands of tenants with the same modules
 * each costs a look at its catalogs.
 *
 * Each target is looked at in a subtransaction, which is rolled back: its lock
 * goes with it, and a call for all tenants holds up nobody for long.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "drift.h"
#include "fingerprint.h"
#include "module_object.h"
#include "scratch.h"
#include "spi.h"
#include "subtransaction.h"

PG_FUNCTION_INFO_V1(pd_check_drift);
PG_FUNCTION_INFO_V1(pd_check_drift_by_id);

/* What a set of versions makes. */
typedef struct Expected
{
	List	   *ids;			/* of int64 *: of the versions, in order */
	PdScratch  *scratch;
} Expected;

/* One call of check_drift(). */
typedef struct Check
{
	PdTarget	target;			/* that is looked at now */
	ReturnSetInfo *rsinfo;
	List	   *expected[2];	/* of Expected, by context */
} Check;

/*
 * describe
 *		What is true of an object, as a row shows it.
 */
static const char *
describe(const PdItem *item)
{
	return item->property[0] == '\0' ? item->value :
		psprintf("%s: %s", item->property, item->value);
}

/*
 * add_difference
 *		Add what differs: one of the items is NULL where it is not there.
 */
static List *
add_difference(List *differences, const PdItem *expected, const PdItem *actual)
{
	PdDifference *difference = palloc(sizeof(PdDifference));
	const PdItem *either = expected != NULL ? expected : actual;

	difference->module = either->module;
	/* An object that has lost or gained a property is there. */
	difference->difference = either->property[0] != '\0' ? "changed" :
		actual == NULL ? "missing" : expected == NULL ? "extra" : "changed";
	difference->object = either->object;
	difference->expected = expected == NULL ? NULL : describe(expected);
	difference->actual = actual == NULL ? NULL : describe(actual);
	return lappend(differences, difference);
}

/*
 * skip_object
 *		The place after an object that only one side has: it is one
 *		difference, with its properties and, where it is a whole one, its parts.
 */
static int
skip_object(List *items, int at)
{
	const PdItem *first = list_nth(items, at);
	bool		is_whole = strcmp(first->object, first->whole) == 0;

	if (first->property[0] != '\0')
		return at + 1;
	for (at++; at < list_length(items); at++)
	{
		const PdItem *item = list_nth(items, at);

		if (strcmp(item->whole, first->whole) != 0 ||
			(!is_whole && strcmp(item->object, first->object) != 0))
			break;
	}
	return at;
}

/*
 * compare
 *		The differences between two sorted lists of items.
 */
static List *
compare(List *expected, List *actual)
{
	List	   *differences = NIL;
	int			i = 0;
	int			j = 0;

	while (i < list_length(expected) || j < list_length(actual))
	{
		const PdItem *left = i < list_length(expected) ? list_nth(expected, i) : NULL;
		const PdItem *right = j < list_length(actual) ? list_nth(actual, j) : NULL;
		int			order = left == NULL ? 1 : right == NULL ? -1 :
			pd_item_compare(left, right);

		if (order < 0)
		{
			differences = add_difference(differences, left, NULL);
			i = skip_object(expected, i);
		}
		else if (order > 0)
		{
			differences = add_difference(differences, NULL, right);
			j = skip_object(actual, j);
		}
		else
		{
			if (strcmp(left->value, right->value) != 0)
				differences = add_difference(differences, left, right);
			i++;
			j++;
		}
	}
	return differences;
}

/*
 * failure_to
 *		The failure of a module, or NULL.
 */
static const PdScratchFailure *
failure_to(const PdScratch *scratch, const char *module)
{
	ListCell   *cell;

	foreach(cell, scratch->failures)
	{
		const PdScratchFailure *failure = lfirst(cell);

		if (module != NULL && strcmp(failure->module, module) == 0)
			return failure;
	}
	return NULL;
}

/*
 * add_failures
 *		Add a difference for each module that could not be installed anew.
 */
static List *
add_failures(List *differences, const PdScratch *scratch)
{
	ListCell   *cell;

	foreach(cell, scratch->failures)
	{
		const PdScratchFailure *failure = lfirst(cell);
		PdDifference *difference = palloc0(sizeof(PdDifference));

		difference->module = failure->module;
		difference->difference = "unchecked";
		difference->object = psprintf("module %s version %s", failure->module, failure->version);
		difference->actual = failure->message;
		differences = lappend(differences, difference);
	}
	return differences;
}

/*
 * without_failed
 *		Items less those of modules of which it is not known what they make.
 */
static List *
without_failed(List *items, const PdScratch *scratch)
{
	List	   *result = NIL;
	ListCell   *cell;

	if (scratch->failures == NIL)
		return items;
	foreach(cell, items)
	{
		const PdItem *item = lfirst(cell);

		if (failure_to(scratch, item->module) == NULL)
			result = lappend(result, (void *) item);
	}
	return result;
}

/*
 * installed_ids
 *		The versions that a target has, of int64 *, in order; that of a module
 *		which is disabled as a negative number.
 */
static List *
installed_ids(const PdTarget *target)
{
	List	   *ids = NIL;
	uint64		n;

	n = pd_spi_query("SELECT CASE WHEN status = 'disabled' THEN -version_id ELSE version_id END AS id"
					 " FROM publicdigit.installation"
					 " WHERE (tenant_id = $1 OR $1 IS NULL AND tenant_id IS NULL)"
					 " AND status <> 'archived' ORDER BY version_id",
					 PD_ARGS(pd_uuid(pd_target_tenant(target))));
	for (uint64 row = 0; row < n; row++)
	{
		int64	   *id = palloc(sizeof(int64));
		bool		isnull;

		*id = DatumGetInt64(pd_spi_datum(row, "id", &isnull));
		ids = lappend(ids, id);
	}
	return ids;
}

/*
 * load_versions
 *		The versions of ids, to be made again.
 */
static List *
load_versions(List *ids)
{
	List	   *versions = NIL;
	ListCell   *cell;

	foreach(cell, ids)
	{
		int64		id = *(int64 *) lfirst(cell);

		versions = lappend(versions, pd_scratch_module(pd_version_load(id < 0 ? -id : id), id < 0));
	}
	return versions;
}

/*
 * same_ids
 *		Are two lists of ids the same?
 */
static bool
same_ids(List *a, List *b)
{
	ListCell   *left;
	ListCell   *right;

	if (list_length(a) != list_length(b))
		return false;
	forboth(left, a, right, b)
	{
		if (*(int64 *) lfirst(left) != *(int64 *) lfirst(right))
			return false;
	}
	return true;
}

/*
 * expected_found
 *		What the versions of a target make, where one before it had them; else
 *		NULL.
 */
static const PdScratch *
expected_found(const Check *check, const PdTarget *target)
{
	List	   *ids = installed_ids(target);
	ListCell   *cell;

	foreach(cell, check->expected[target->context])
	{
		const Expected *expected = lfirst(cell);

		if (same_ids(expected->ids, ids))
			return expected->scratch;
	}
	return NULL;
}

/*
 * expected_made
 *		The same where none had them: made, and kept until the call ends.
 */
static const PdScratch *
expected_made(Check *check, const PdTarget *target)
{
	Expected   *expected = palloc(sizeof(Expected));

	expected->ids = installed_ids(target);
	expected->scratch = pd_scratch_make(target->context, load_versions(expected->ids));
	check->expected[target->context] = lappend(check->expected[target->context], expected);
	return expected->scratch;
}

/*
 * return_differences
 *		Add rows to the result.
 */
static void
return_differences(Check *check, List *differences)
{
	const PdTarget *target = &check->target;
	const char *tenant = target->context == PD_TENANT ? target->tenant.slug : NULL;
	ListCell   *cell;

	foreach(cell, differences)
	{
		const PdDifference *d = lfirst(cell);
		const char *columns[6] = {tenant, d->module, d->difference, d->object,
		d->expected, d->actual};
		Datum		values[6];
		bool		nulls[6];

		for (int i = 0; i < 6; i++)
		{
			nulls[i] = columns[i] == NULL;
			values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(columns[i]);
		}
		tuplestore_putvalues(check->rsinfo->setResult, check->rsinfo->setDesc, values, nulls);
	}
}

/*
 * connect
 *		Let what SPI allocates, and leaves as the current memory context, live
 *		until disconnect: a call for all tenants is one function call, and would
 *		keep what it has read of each.
 */
static void
connect(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

/*
 * disconnect
 *		Undo connect.
 */
static void
disconnect(void)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

/*
 * look_at_target
 *		Add the differences of one target to the result.
 *		Errors: 42704 when the tenant is gone, 55000 when it is archived.
 */
static void
look_at_target(void *arg)
{
	Check	   *check = arg;
	PdTarget   *target = &check->target;
	const PdScratch *expected;
	List	   *differences;

	connect();
	pd_target_lock(target, PD_TARGET_LOOK);
	if (target->context == PD_TENANT && target->tenant.status == PD_TENANT_ARCHIVED)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tenant \"%s\" is archived", target->tenant.slug),
				 errdetail("The privileges of the app role have been taken away."),
				 errhint("Call publicdigit.restore_tenant() first.")));
	expected = expected_found(check, target);
	if (expected == NULL)
	{
		/* It is to outlive the target. */
		disconnect();
		expected = expected_made(check, target);
		connect();
	}
	differences = compare(expected->items, without_failed(pd_items(target), expected));
	return_differences(check, add_failures(differences, expected));
	disconnect();
}

/*
 * check_target
 *		Look at one target, and let go of its lock and of memory.
 */
static void
check_target(Check *check)
{
	CHECK_FOR_INTERRUPTS();
	pd_do_and_undo(look_at_target, check);
}

/*
 * next_tenant
 *		The tenant that is not archived with the next slug; false after the last.
 */
static bool
next_tenant(const char *after, PdTenant *tenant)
{
	bool		found;

	connect();
	found = pd_spi_query("SELECT id FROM publicdigit.tenant"
						 " WHERE slug > $1 AND status <> 'archived' ORDER BY slug LIMIT 1",
						 PD_ARGS(pd_text(after))) > 0;
	if (found)
	{
		bool		isnull;
		pg_uuid_t	id = *DatumGetUUIDP(pd_spi_datum(0, "id", &isnull));

		if (!pd_tenant_by_id(&id, tenant))
			elog(ERROR, "a tenant is not there");
	}
	disconnect();
	return found;
}

/*
 * check_drift
 *		The common body: of one target, or of all (NULL).
 */
static Datum
check_drift(FunctionCallInfo fcinfo, const PdTenantRef *ref)
{
	Check		check = {{PD_LANDLORD}};
	PdTarget   *target = &check.target;
	PdSpi		spi;

	pd_catalog_set_up();
	InitMaterializedSRF(fcinfo, 0);
	check.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	pd_spi_begin(&spi);
	if (ref == NULL)
	{
		check_target(&check);
		target->context = PD_TENANT;
		while (next_tenant(target->tenant.slug, &target->tenant))
			check_target(&check);
	}
	else
	{
		target->context = ref->kind == PD_REF_LANDLORD ? PD_LANDLORD : PD_TENANT;
		target->tenant = ref->tenant;
		check_target(&check);
	}
	pd_spi_end(&spi);
	return (Datum) 0;
}

/*
 * check_drift(tenant text DEFAULT NULL) → SETOF record
 *		What is otherwise than the installed versions would make it; NULL means
 *		the landlord and all tenants but archived ones.
 *		Errors: 22023, 42704, 55000.
 */
Datum
pd_check_drift(PG_FUNCTION_ARGS)
{
	PdTenantRef ref;

	if (PG_ARGISNULL(0))
		return check_drift(fcinfo, NULL);
	pd_tenant_ref_from_text(fcinfo, 0, PD_ALLOW_LANDLORD, &ref);
	return check_drift(fcinfo, &ref);
}

/*
 * check_drift(tenant uuid) → SETOF record
 *		The same for one tenant.  Errors: 22004, 42704, 55000.
 */
Datum
pd_check_drift_by_id(PG_FUNCTION_ARGS)
{
	PdTenantRef ref;

	pd_tenant_ref_from_uuid(fcinfo, 0, &ref);
	return check_drift(fcinfo, &ref);
}

/*
 * of_module
 *		The items of a module; and, where others are given, of the objects that
 *		those are about.
 */
static List *
of_module(List *items, const char *module, List *others)
{
	List	   *result = NIL;
	int			at = 0;
	ListCell   *cell;

	foreach(cell, items)
	{
		PdItem	   *item = lfirst(cell);

		/* Both are sorted by what they are about. */
		while (at < list_length(others) &&
			   strcmp(((PdItem *) list_nth(others, at))->whole, item->whole) < 0)
			at++;
		if ((item->module != NULL && strcmp(item->module, module) == 0) ||
			(at < list_length(others) &&
			 strcmp(((PdItem *) list_nth(others, at))->whole, item->whole) == 0))
			result = lappend(result, item);
	}
	return result;
}

/*
 * pd_drift_compare
 *		The differences, of PdDifference, between what a version of a module
 *		would have made and what is there, whether it is installed or not.
 *		Other modules of the target count as they are installed.  *objects is
 *		set to what the version would make, of PdModuleObject.
 */
List *
pd_drift_compare(const PdTarget *target, PdVersion *version, List **objects)
{
	const char *module = version->source->manifest->name;
	List	   *versions = NIL;
	const PdScratch *scratch;
	List	   *expected;
	List	   *actual;
	List	   *differences;
	ListCell   *cell;

	foreach(cell, load_versions(installed_ids(target)))
	{
		PdScratchModule *installed = lfirst(cell);

		if (strcmp(installed->version->source->manifest->name, module) != 0)
			versions = lappend(versions, installed);
	}
	scratch = pd_scratch_make(target->context,
							  lappend(versions, pd_scratch_module(version, false)));
	*objects = NIL;
	foreach(cell, scratch->objects)
	{
		PdModuleObject *object = lfirst(cell);

		if (object->module != NULL && strcmp(object->module, module) == 0)
			*objects = lappend(*objects, object);
	}
	expected = of_module(scratch->items, module, NIL);
	actual = of_module(without_failed(pd_items(target), scratch), module, expected);
	differences = compare(expected, actual);
	foreach(cell, differences)
		((PdDifference *) lfirst(cell))->module = module;
	return add_failures(differences, scratch);
}
