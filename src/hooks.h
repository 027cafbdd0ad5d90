/*-------------------------------------------------------------------------
 *
 * hooks.h
 *	  The server's hooks: save, chain and dispatch.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_HOOKS_H
#define PUBLICDIGIT_HOOKS_H

extern void pd_hooks_init(void);

#endif							/* PUBLICDIGIT_HOOKS_H */
