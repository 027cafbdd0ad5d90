/*-------------------------------------------------------------------------
 *
 * seal.h
 *	  A switch that holds until the transaction ends.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SEAL_H
#define PUBLICDIGIT_SEAL_H

#include "postgres.h"

#include "binding.h"

extern void pd_seal_init(void);
extern void pd_seal(const pg_uuid_t *tenant);
extern bool pd_is_sealed(void);
extern bool pd_seal_allows(PdBindingKind kind, const pg_uuid_t *tenant);
extern void pd_seal_ensure_may_bind(PdBindingKind kind, const pg_uuid_t *tenant);

#endif							/* PUBLICDIGIT_SEAL_H */
