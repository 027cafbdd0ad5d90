/*-------------------------------------------------------------------------
 *
 * errors.h
 *	  SQLSTATE codes of our own.
 *
 * Everything else uses PostgreSQL's codes; doc/errors.md lists which stands
 * for what.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_ERRORS_H
#define PUBLICDIGIT_ERRORS_H

#include "utils/elog.h"

/* A table that a tenant module made breaks a golden rule. */
#define ERRCODE_PD_GOLDEN_RULE		MAKE_SQLSTATE('P', 'D', '0', '0', '1')

/* A registered version or applied script has other content now. */
#define ERRCODE_PD_CHECKSUM			MAKE_SQLSTATE('P', 'D', '0', '0', '2')

/* A migration's verify script failed. */
#define ERRCODE_PD_VERIFY			MAKE_SQLSTATE('P', 'D', '0', '0', '3')

/* A module was to be registered strictly, and its scripts have hazards. */
#define ERRCODE_PD_LINT				MAKE_SQLSTATE('P', 'D', '0', '0', '4')

#endif							/* PUBLICDIGIT_ERRORS_H */
