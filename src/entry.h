/*-------------------------------------------------------------------------
 *
 * entry.h
 *	  Who may enter a tenant.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_ENTRY_H
#define PUBLICDIGIT_ENTRY_H

#include "postgres.h"

#include "registry.h"

extern void pd_ensure_may_enter(const PdTenant *tenant, Oid role, bool with_token);

#endif							/* PUBLICDIGIT_ENTRY_H */
