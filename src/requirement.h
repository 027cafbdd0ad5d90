/*-------------------------------------------------------------------------
 *
 * requirement.h
 *	  What registered modules require of each other.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_REQUIREMENT_H
#define PUBLICDIGIT_REQUIREMENT_H

#include "postgres.h"

#include "manifest.h"

/* Must be called inside pd_spi_begin. */
extern void pd_requirements_check(const PdManifest *manifest);

#endif							/* PUBLICDIGIT_REQUIREMENT_H */
