/*-------------------------------------------------------------------------
 *
 * publicdigit.c
 *	  Loading the library: settings, callbacks, hooks.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "binding.h"
#include "deferred.h"
#include "hooks.h"
#include "inval.h"
#include "key_file.h"
#include "plans.h"
#include "reference.h"
#include "registry.h"
#include "script_run.h"
#include "seal.h"
#include "search_path.h"
#include "tied.h"
#include "token.h"

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
	pd_key_file_init();			/* before a token may come along */
	pd_token_init();
	pd_binding_init();
	pd_search_path_init();
	pd_tied_init();
	pd_plans_init();
	MarkGUCPrefixReserved("publicdigit");

	pd_registry_init();
	pd_inval_init();
	pd_seal_init();
	pd_script_run_init();
	pd_deferred_init();
	pd_reference_init();
	pd_hooks_init();
}
