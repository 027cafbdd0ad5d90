/*-------------------------------------------------------------------------
 *
 * token.c
 *	  Tokens: who may bind which tenant, signed and for a while.
 *
 * Whoever holds the key, an application's server or issue_token(), says in a
 * token that a role may work as a tenant until a time.  Then not even SQL that
 * is run in the application's place can enter another tenant.
 *
 * The claims are "tenant" (its id), "role" (its name), "aud", "exp" and, where
 * wanted, "nbf"; others mean nothing here.  A token says who may come in, not
 * that the registry lets the role in: that is asked when the tenant is used,
 * so that a grant taken back and a suspension count at once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/json.h"

#include "binding.h"
#include "entry.h"
#include "json.h"
#include "jwt.h"
#include "tenant_ref.h"
#include "token.h"

/* Seconds between 1970, where JWT counts from, and PostgreSQL's epoch. */
#define EPOCH_OFFSET \
	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (double) SECS_PER_DAY)

static bool require_token = false;
static int	token_max_ttl = 3600;	/* s */
static char *token_audience = NULL;

/*
 * assign_require_token
 *		GUC assign hook: what is bound may not be used any more.
 */
static void
assign_require_token(bool newval, void *extra)
{
	pd_epoch++;
}

/*
 * pd_token_init
 *		Define the settings.  Called once, by _PG_init.
 */
void
pd_token_init(void)
{
	DefineCustomBoolVariable("publicdigit.require_token",
							 "Makes a token the only way to bind a tenant.",
							 NULL,
							 &require_token,
							 false,
							 PGC_SUSET,
							 0,
							 NULL, assign_require_token, NULL);

	/*
	 * A token in the startup packet is checked before what ALTER ROLE and ALTER
	 * DATABASE have set; so these two are the configuration's alone.
	 */
	DefineCustomIntVariable("publicdigit.token_max_ttl",
							"The longest time that a token may still be valid for.",
							NULL,
							&token_max_ttl,
							3600, 1, 365 * SECS_PER_DAY,
							PGC_SIGHUP,
							GUC_UNIT_S,
							NULL, NULL, NULL);
	DefineCustomStringVariable("publicdigit.token_audience",
							   "The audience that tokens must be for.",
							   "The database's name when it is empty.",
							   &token_audience,
							   "",
							   PGC_SIGHUP,
							   0,
							   NULL, NULL, NULL);
}

/*
 * pd_token_is_required
 *		Is publicdigit.require_token on?
 */
bool
pd_token_is_required(void)
{
	return require_token;
}

/*
 * audience
 *		The audience that tokens must be for.
 */
static char *
audience(void)
{
	return token_audience[0] != '\0' ? token_audience : get_database_name(MyDatabaseId);
}

/*
 * refuse
 *		Note why a token is refused; false.
 */
static bool
refuse(PdTokenFault *fault, const char *detail, const char *hint)
{
	fault->detail = detail;
	fault->hint = hint;
	return false;
}

/*
 * has_what_it_takes
 *		Can this server use tokens?  Else what it lacks.
 */
static bool
has_what_it_takes(PdTokenFault *fault)
{
	if (!pd_library_is_preloaded())
		return refuse(fault, "publicdigit is not in shared_preload_libraries.",
					  "Add publicdigit to shared_preload_libraries and restart the server.");
	if (pd_keys()[0].bytes != NULL)
		return true;
	if (pd_key_file_is_set())
		return refuse(fault, "The file that publicdigit.key_file names could not be used.",
					  "The server's log says why.  Mend the file and reload the configuration.");
	return refuse(fault, "publicdigit.key_file is not set.",
				  "Name a file with a key, and reload the configuration.");
}

/*
 * text_claim
 *		A claim that is a string; NULL where it is missing or something else.
 */
static char *
text_claim(Jsonb *claims, const char *name)
{
	JsonbValue	value;

	return pd_json_get(&claims->root, name, &value) ? pd_json_string(&value) : NULL;
}

/*
 * time_claim
 *		A claim that is a time, in seconds since 1970.  False where it is
 *		something else.
 */
static bool
time_claim(const JsonbValue *value, double *seconds)
{
	if (value->type != jbvNumeric)
		return false;
	*seconds = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												  NumericGetDatum(value->val.numeric)));
	return !isnan(*seconds);
}

/*
 * is_for_us
 *		Does the claim "aud", one text or an array of them, name our audience?
 */
static bool
is_for_us(Jsonb *claims, const char *wanted)
{
	JsonbValue	value;
	JsonbContainer *array;
	ListCell   *cell;

	if (!pd_json_get(&claims->root, "aud", &value))
		return false;
	array = pd_json_array(&value);
	if (array == NULL)
		return pd_json_string(&value) != NULL &&
			strcmp(pd_json_string(&value), wanted) == 0;
	foreach(cell, pd_json_elements(array))
	{
		char	   *element = pd_json_string(lfirst(cell));

		if (element != NULL && strcmp(element, wanted) == 0)
			return true;
	}
	return false;
}

/*
 * check_times
 *		Are the times of a token right, by this server's clock?
 */
static bool
check_times(Jsonb *claims, double expires, PdTokenFault *fault)
{
	double		now = GetCurrentTimestamp() / (double) USECS_PER_SEC + EPOCH_OFFSET;
	JsonbValue	value;
	double		from;

	if (expires <= now)
		return refuse(fault, "It has expired.", "Issue a new one.");
	if (expires > now + token_max_ttl)
		return refuse(fault,
					  psprintf("It is valid for longer than publicdigit.token_max_ttl, which is %d seconds.",
							   token_max_ttl),
					  "Issue one with an earlier \"exp\", in seconds.");
	if (!pd_json_get(&claims->root, "nbf", &value))
		return true;
	if (!time_claim(&value, &from))
		return refuse(fault, "Its claim \"nbf\" is no number of seconds since 1970.", NULL);
	if (from > now)
		return refuse(fault, "It is not valid yet.",
					  "Compare the clocks of this server and of the one that issued it.");
	return true;
}

/*
 * pd_token_read
 *		Read a token, checking claim by claim; false, and why, for one that
 *		does not let this session in.
 *
 * With "verified" it has been checked before, by the leader of this parallel
 * worker.  May be called where the server allows no error.
 */
bool
pd_token_read(const char *text, bool verified, PdToken *token,
			  PdTokenFault *fault)
{
	Jsonb	   *claims;
	JsonbValue	value;
	double		expires;
	char	   *tenant;
	char	   *role;
	const char *why = NULL;

	if (!verified && !has_what_it_takes(fault))
		return refuse(fault, psprintf("This server cannot check it: %s", fault->detail),
					  fault->hint);

	claims = pd_jwt_claims(text, verified ? NULL : pd_keys(), &why);
	if (claims == NULL)
		return refuse(fault, why,
					  "Pass the token whole.  It is signed with HS256 and the key in publicdigit.key_file, as publicdigit.issue_token() does.");

	tenant = text_claim(claims, "tenant");
	if (tenant == NULL || !pd_reads_as_uuid(tenant))
		return refuse(fault, "Its claim \"tenant\" is missing or no tenant's id.",
					  "Write the tenant's id, not its slug.");
	token->tenant = *DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(tenant)));

	if (!pd_json_get(&claims->root, "exp", &value) || !time_claim(&value, &expires))
		return refuse(fault, "Its claim \"exp\" is missing or no number of seconds since 1970.",
					  NULL);
	role = text_claim(claims, "role");
	if (role == NULL)
		return refuse(fault, "Its claim \"role\" is missing or no text.", NULL);
	token->role = get_role_oid(role, true);

	if (!verified)
	{
		if (token->role != GetSessionUserId())
			return refuse(fault, psprintf("It is for role \"%s\".", role),
						  "Log in as the role that the token is for.");
		if (!is_for_us(claims, audience()))
			return refuse(fault, psprintf("Its claim \"aud\" does not name \"%s\".", audience()),
						  "The audience is publicdigit.token_audience, or else the database's name.");
		if (!check_times(claims, expires, fault))
			return false;
	}
	token->expires = (TimestampTz) rint((expires - EPOCH_OFFSET) * USECS_PER_SEC);
	return true;
}

/*
 * add_time
 *		Append a time claim.
 */
static void
add_time(StringInfo json, const char *name, TimestampTz time)
{
	appendStringInfo(json, ",\"%s\":" INT64_FORMAT, name,
					 (int64) (time / USECS_PER_SEC + (int64) EPOCH_OFFSET));
}

/*
 * make_token
 *		A token for a role and a tenant, signed with the key of now.
 */
static char *
make_token(const pg_uuid_t *tenant, Oid role, TimestampTz from, TimestampTz until)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfo(&json, "{\"tenant\":\"%s\",\"role\":",
					 DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(tenant))));
	escape_json(&json, GetUserNameFromId(role, false));
	appendStringInfoString(&json, ",\"aud\":");
	escape_json(&json, audience());
	add_time(&json, "nbf", from);
	add_time(&json, "exp", until);
	appendStringInfoChar(&json, '}');
	return pd_jwt_sign(json.data, &pd_keys()[0]);
}

/*
 * pd_token_ensure_possible
 *		An error (55000) when this server lacks what tokens need.
 */
void
pd_token_ensure_possible(void)
{
	PdTokenFault fault;

	if (!has_what_it_takes(&fault))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tokens cannot be used on this server"),
				 errdetail("%s", fault.detail),
				 errhint("%s", fault.hint)));
}

/*
 * issue_token(tenant, ttl, role DEFAULT NULL) → text
 *		A token with which a role, that of this session when null, can work as
 *		a tenant for a while.  Errors: 22004, 22023, 42704, 42501, 55000.
 */
PD_TENANT_FUNCTION(pd_issue_token, 0, 0)
{
	Oid			role = PG_ARGISNULL(2) ? GetSessionUserId() :
		get_role_oid(NameStr(*PG_GETARG_NAME(2)), false);
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz until;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ttl must not be null")));
	pd_token_ensure_possible();

	until = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
													TimestampTzGetDatum(now),
													PG_GETARG_DATUM(1)));
	if (until - now < USECS_PER_SEC ||
		until - now > (int64) token_max_ttl * USECS_PER_SEC)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ttl must be between 1 second and %d seconds", token_max_ttl),
				 errhint("Write an interval such as '5 minutes'; the longest time is the setting publicdigit.token_max_ttl.")));

	pd_ensure_active(&ref->tenant);
	pd_ensure_may_enter(&ref->tenant, role, true);
	PG_RETURN_TEXT_P(cstring_to_text(make_token(&ref->tenant.id, role, now, until)));
}
