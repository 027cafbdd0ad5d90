/*-------------------------------------------------------------------------
 *
 * tenant_ref.h
 *	  What a tenant argument of an SQL function refers to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_TENANT_REF_H
#define PUBLICDIGIT_TENANT_REF_H

#include "postgres.h"

#include "fmgr.h"

#include "compat.h"
#include "registry.h"

typedef enum PdRefKind
{
	PD_REF_TENANT,
	PD_REF_LANDLORD,			/* @landlord */
	PD_REF_UNBOUND,				/* @current, and no tenant is bound */
	PD_REF_ALL					/* * */
} PdRefKind;

typedef struct PdTenantRef
{
	PdRefKind	kind;
	bool		is_current;		/* was written as @current */
	PdTenant	tenant;			/* where kind is PD_REF_TENANT */
} PdTenantRef;

/* What an argument may be besides a tenant. */
#define PD_ALLOW_LANDLORD	0x01
#define PD_ALLOW_UNBOUND	0x02
#define PD_ALLOW_ALL		0x04

extern void pd_tenant_ref_from_text(FunctionCallInfo fcinfo, int argno,
									int allow, PdTenantRef *ref);
extern void pd_tenant_ref_from_uuid(FunctionCallInfo fcinfo, int argno,
									PdTenantRef *ref);
pg_noreturn extern void pd_no_such_tenant(const char *named);
extern bool pd_reads_as_uuid(const char *text);

/*
 * The two SQL functions "name" (tenant as text) and "name" (tenant as uuid),
 * whose common body follows the macro.  They are two C functions, so that
 * neither has to ask, or be told wrongly, which type its argument has.
 */
#define PD_TENANT_FUNCTION(name, argno, allow) \
static Datum name##_impl(FunctionCallInfo fcinfo, const PdTenantRef *ref); \
PG_FUNCTION_INFO_V1(name); \
PG_FUNCTION_INFO_V1(name##_by_id); \
Datum \
name(PG_FUNCTION_ARGS) \
{ \
	PdTenantRef ref; \
	pd_tenant_ref_from_text(fcinfo, argno, allow, &ref); \
	return name##_impl(fcinfo, &ref); \
} \
Datum \
name##_by_id(PG_FUNCTION_ARGS) \
{ \
	PdTenantRef ref; \
	pd_tenant_ref_from_uuid(fcinfo, argno, &ref); \
	return name##_impl(fcinfo, &ref); \
} \
static Datum \
name##_impl(FunctionCallInfo fcinfo, const PdTenantRef *ref)

#endif							/* PUBLICDIGIT_TENANT_REF_H */
