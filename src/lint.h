/*-------------------------------------------------------------------------
 *
 * lint.h
 *	  What is hazardous in the scripts of a module's new version.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_LINT_H
#define PUBLICDIGIT_LINT_H

#include "postgres.h"

#include "module_source.h"

extern void pd_lint_module(const PdModuleSource *source, bool strict);

#endif							/* PUBLICDIGIT_LINT_H */
