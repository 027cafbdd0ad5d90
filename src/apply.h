/*-------------------------------------------------------------------------
 *
 * apply.h
 *	  Carrying out what has been planned.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_APPLY_H
#define PUBLICDIGIT_APPLY_H

#include "postgres.h"

#include "plan.h"

/* Both must be called inside pd_spi_begin. */
extern int64 pd_installation_enter(const PdTarget *target, const PdVersion *version);
extern int	pd_apply(const PdTarget *target, const List *changes, int32 batch);

#endif							/* PUBLICDIGIT_APPLY_H */
