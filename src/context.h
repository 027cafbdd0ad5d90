/*-------------------------------------------------------------------------
 *
 * context.h
 *	  The bound tenant, checked at the point of use.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_CONTEXT_H
#define PUBLICDIGIT_CONTEXT_H

#include "postgres.h"

#include "binding.h"

extern const PdBinding *pd_binding_check(uint64 *epoch);
extern const PdBinding *pd_binding_to_use(void);
extern bool pd_binding_is_held(void);
extern void pd_report_no_tenant(void);

#endif							/* PUBLICDIGIT_CONTEXT_H */
