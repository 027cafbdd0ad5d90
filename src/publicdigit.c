/*-------------------------------------------------------------------------
 *
 * publicdigit.c
 *	  Loading the library: settings, invalidation callbacks, hooks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "binding.h"
#include "hooks.h"
#include "plans.h"
#include "registry.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

/*
 * _PG_init
 *		Called when the library is loaded: by the postmaster when it is in
 *		shared_preload_libraries, else by the first call of a function of ours
 *		in a session.
 */
void
_PG_init(void)
{
	pd_binding_init();
	pd_plans_init();
	MarkGUCPrefixReserved("publicdigit");
	pd_registry_init();
	pd_hooks_init();
}
