/*-------------------------------------------------------------------------
 *
 * script_verify.h
 *	  What the queries of a verify script say.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SCRIPT_VERIFY_H
#define PUBLICDIGIT_SCRIPT_VERIFY_H

#include "postgres.h"

#include "tcop/dest.h"

extern DestReceiver *pd_verify_receiver(void);

#endif							/* PUBLICDIGIT_SCRIPT_VERIFY_H */
