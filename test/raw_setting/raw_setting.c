/*-------------------------------------------------------------------------
 *
 * raw_setting.c
 *	  Shows a setting's value past its show hook.
 *
 * No SQL can read the value that use_tenant() gives publicdigit.context.  A
 * test of what would happen to somebody who could needs to read it all the
 * same.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(raw_setting);

/*
 * raw_setting(name text) → text
 *		The value as guc.c stores it.
 */
Datum
raw_setting(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(GetConfigOption(text_to_cstring(PG_GETARG_TEXT_PP(0)),
													 false, false)));
}
