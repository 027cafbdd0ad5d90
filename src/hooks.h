/*-------------------------------------------------------------------------
 *
 * hooks.h
 *	  The server's hooks: save, chain and dispatch.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_HOOKS_H
#define PUBLICDIGIT_HOOKS_H

#include "postgres.h"

#include "nodes/nodes.h"

extern void pd_hooks_init(void);
extern Node *pd_hooks_utility(void);

#endif							/* PUBLICDIGIT_HOOKS_H */
