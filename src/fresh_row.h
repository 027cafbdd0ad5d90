/*-------------------------------------------------------------------------
 *
 * fresh_row.h
 *	  Rows of system catalogs as they are now.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_FRESH_ROW_H
#define PUBLICDIGIT_FRESH_ROW_H

#include "postgres.h"

#include "access/attnum.h"
#include "access/htup.h"

extern HeapTuple pd_fresh_row(Oid catalog, Oid index, AttrNumber oid_attno,
							  Oid objectId);
extern Oid	pd_fresh_oid(Oid catalog, Oid index, AttrNumber oid_attno,
						 Oid objectId, AttrNumber attno);
extern Oid	pd_fresh_namespace(Oid classId, Oid objectId);

#endif							/* PUBLICDIGIT_FRESH_ROW_H */
