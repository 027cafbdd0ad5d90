/*-------------------------------------------------------------------------
 *
 * resolver.h
 *	  Which versions a target has to go to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_RESOLVER_H
#define PUBLICDIGIT_RESOLVER_H

#include "postgres.h"

#include "target.h"
#include "version.h"

/*
 * Must be called inside pd_spi_begin, after the target was locked; the result,
 * of PdVersion, lives as long as that lasts.
 */
extern List *pd_resolve(const PdTarget *target, const char *module,
						const char *version);

#endif							/* PUBLICDIGIT_RESOLVER_H */
