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

/* Must be called inside pd_spi_begin. */
extern int	pd_apply(const PdTarget *target, const List *changes, int32 batch);

#endif							/* PUBLICDIGIT_APPLY_H */
