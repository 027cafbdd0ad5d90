/*-------------------------------------------------------------------------
 *
 * binding.h
 *	  The setting publicdigit.context, which holds what is bound.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_BINDING_H
#define PUBLICDIGIT_BINDING_H

#include "postgres.h"

#include "utils/timestamp.h"
#include "utils/uuid.h"

typedef enum PdBindingKind
{
	PD_BOUND_NOTHING,
	PD_BOUND_LANDLORD,
	PD_BOUND_TENANT
} PdBindingKind;

typedef enum PdBindingScope
{
	PD_SCOPE_TRANSACTION,
	PD_SCOPE_SESSION,
	PD_SCOPE_SCRIPT,			/* while a module's script runs */
	PD_SCOPE_TOKEN				/* as long as the setting has the token */
} PdBindingScope;

typedef struct PdBinding
{
	PdBindingKind kind;
	PdBindingScope scope;
	Oid			role;			/* session user that it was made for */
	pg_uuid_t	tenant;			/* zeroes unless kind is PD_BOUND_TENANT */
	TimestampTz expires;		/* of a token; else DT_NOEND */
} PdBinding;

/* Is a tenant bound, and is it this one? */
static inline bool
pd_is_tenant(PdBindingKind kind, const pg_uuid_t *bound, const pg_uuid_t *tenant)
{
	return kind == PD_BOUND_TENANT && memcmp(bound, tenant, UUID_LEN) == 0;
}

/* Moves whenever what is bound, or whether it may be used, may have changed. */
extern uint64 pd_epoch;

/* For pd_binding() alone. */
extern PdBinding pd_bound;

/*
 * pd_binding
 *		What is bound now, as the setting has it.
 */
static inline const PdBinding *
pd_binding(void)
{
	return &pd_bound;
}

extern void pd_binding_init(void);
extern void pd_bind(PdBindingKind kind, PdBindingScope scope,
					const pg_uuid_t *tenant);
extern void pd_bind_token(const char *token, PdBindingScope scope);
extern void pd_unbind(void);

#endif							/* PUBLICDIGIT_BINDING_H */
