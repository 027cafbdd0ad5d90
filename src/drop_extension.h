/*-------------------------------------------------------------------------
 *
 * drop_extension.h
 *	  What keeps the extension from being dropped by accident.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_DROP_EXTENSION_H
#define PUBLICDIGIT_DROP_EXTENSION_H

#include "postgres.h"

#include "nodes/parsenodes.h"

/* Called by hooks.c. */
extern void pd_ensure_may_drop(const DropStmt *drop);

#endif							/* PUBLICDIGIT_DROP_EXTENSION_H */
