/*-------------------------------------------------------------------------
 *
 * domain.h
 *	  Host names of tenants.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_DOMAIN_H
#define PUBLICDIGIT_DOMAIN_H

#include "postgres.h"

#include "utils/uuid.h"

extern char *pd_normalize_domain(const char *domain);
extern void pd_insert_domain(const pg_uuid_t *tenant, const char *domain);

#endif							/* PUBLICDIGIT_DOMAIN_H */
