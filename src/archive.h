/*-------------------------------------------------------------------------
 *
 * archive.h
 *	  Where the objects of an archived module lie.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_ARCHIVE_H
#define PUBLICDIGIT_ARCHIVE_H

#include "postgres.h"

#include "nodes/pg_list.h"

#include "target.h"

/* All must be called inside pd_spi_begin. */
extern char *pd_archive_schema(const PdTarget *target, int64 installation);
extern char *pd_archive_create(const PdTarget *target, int64 installation);
extern List *pd_archive_moves(const PdTarget *target, int64 installation, bool away);
extern char *pd_archive_drop(const PdTarget *target, int64 installation);
extern void pd_archive_drop_all(const PdTenant *tenant);

#endif							/* PUBLICDIGIT_ARCHIVE_H */
