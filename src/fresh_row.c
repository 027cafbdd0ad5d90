/*-------------------------------------------------------------------------
 *
 * fresh_row.c
 *	  Rows of system catalogs as they are now.
 *
 * An object access hook runs before what the statement has made and altered is
 * visible to the caches; SnapshotSelf sees it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_namespace.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "fresh_row.h"

/*
 * find
 *		A copy of an object's row, found by its OID; NULL when it is gone.
 */
static HeapTuple
find(Relation rel, Oid index, AttrNumber oid_attno, Oid objectId)
{
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, oid_attno, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(objectId));
	scan = systable_beginscan(rel, index, true, SnapshotSelf, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		tuple = heap_copytuple(tuple);
	systable_endscan(scan);
	return tuple;
}

/*
 * pd_fresh_row
 *		A copy of an object's row in a catalog; NULL when it is gone.
 */
HeapTuple
pd_fresh_row(Oid catalog, Oid index, AttrNumber oid_attno, Oid objectId)
{
	Relation	rel = table_open(catalog, AccessShareLock);
	HeapTuple	tuple = find(rel, index, oid_attno, objectId);

	table_close(rel, AccessShareLock);
	return tuple;
}

/*
 * pd_fresh_oid
 *		A column of such a row that is an OID; InvalidOid when it is gone.
 */
Oid
pd_fresh_oid(Oid catalog, Oid index, AttrNumber oid_attno, Oid objectId,
			 AttrNumber attno)
{
	Relation	rel = table_open(catalog, AccessShareLock);
	HeapTuple	tuple = find(rel, index, oid_attno, objectId);
	Oid			value = InvalidOid;
	bool		isnull;

	if (HeapTupleIsValid(tuple))
		value = DatumGetObjectId(heap_getattr(tuple, attno,
											  RelationGetDescr(rel), &isnull));
	table_close(rel, AccessShareLock);
	return value;
}

/*
 * pd_fresh_namespace
 *		The schema of an object, also of one that has just been made;
 *		InvalidOid for what has none.
 */
Oid
pd_fresh_namespace(Oid classId, Oid objectId)
{
	AttrNumber	attno;

	if (classId == NamespaceRelationId)
		return objectId;
	if (!is_objectclass_supported(classId))
		return InvalidOid;
	attno = get_object_attnum_namespace(classId);
	if (attno == InvalidAttrNumber)
		return InvalidOid;
	return pd_fresh_oid(classId, get_object_oid_index(classId),
						get_object_attnum_oid(classId), objectId, attno);
}
