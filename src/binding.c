/*-------------------------------------------------------------------------
 *
 * binding.c
 *	  The setting publicdigit.context, which holds what is bound.
 *
 * The bound tenant lives in a setting, because guc.c gives it just the life
 * that it needs: SET LOCAL scope, savepoints, RESET ALL, DISCARD ALL, and a
 * copy in each parallel worker.  A C variable has none of these.  Anybody may
 * set the setting, so its value proves itself.  There are two kinds.
 *
 * use_tenant() and its kin make values that carry an HMAC under a key that
 * never leaves this backend: "b:" and the base64 form of Payload followed by
 * its HMAC.  Such a value is refused when it was read in another session.
 *
 * Other values are tokens (token.c).  They prove themselves to any session of
 * the role that they are for, and can be set by SET, in the startup packet, or
 * by a pooler.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "common/base64.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "binding.h"
#include "compat.h"
#include "hmac.h"
#include "key_file.h"
#include "redact.h"
#include "seal.h"
#include "token.h"

#define VALUE_PREFIX		"b:"
#define VALUE_PREFIX_LEN	2

/* Beyond this many values made, a backend forgets them and starts anew. */
#define CACHE_MAX_VALUES	10000

/* What is signed.  No padding: it goes into the HMAC as bytes. */
typedef struct Payload
{
	uint8		kind;
	uint8		scope;
	uint8		unused[2];
	Oid			role;
	pg_uuid_t	tenant;
} Payload;

typedef struct SignedPayload
{
	Payload		payload;
	uint8		hmac[PD_HMAC_LEN];
} SignedPayload;

StaticAssertDecl(sizeof(SignedPayload) == 24 + PD_HMAC_LEN,
				 "SignedPayload must not have padding");

#define VALUE_LEN \
	(VALUE_PREFIX_LEN + (sizeof(SignedPayload) + 2) / 3 * 4)

/* Values made so far; a value stays valid as long as the backend lives. */
typedef struct MadeValue
{
	Payload		payload;		/* hash key */
	char		value[VALUE_LEN + 1];
} MadeValue;

uint64		pd_epoch = 1;

static char *context_value = NULL;	/* the setting's text, owned by guc.c */
PdBinding	pd_bound;			/* what it stands for */
static bool report_context = false;
static HTAB *made_values = NULL;

/*
 * sign
 *		HMAC of a payload under this backend's own random key.
 */
static void
sign(const Payload *payload, uint8 *hmac)
{
	static uint8 key[PD_HMAC_LEN];
	static bool have_key = false;

	/* The key is made once and survives any rollback: nothing depends on it. */
	if (!have_key)
	{
		if (!pg_strong_random(key, sizeof(key)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random bytes")));
		have_key = true;
	}
	pd_hmac(key, sizeof(key), payload, sizeof(Payload), hmac);
}

/*
 * make_value
 *		The setting's value for a payload, signed when first asked for.
 */
static const char *
make_value(const Payload *payload)
{
	MadeValue  *made;
	SignedPayload signed_payload;
	char		value[VALUE_LEN + 1] = VALUE_PREFIX;
	int			len;

	if (made_values != NULL)
	{
		made = hash_search(made_values, payload, HASH_FIND, NULL);
		if (made != NULL)
			return made->value;
		if (hash_get_num_entries(made_values) >= CACHE_MAX_VALUES)
		{
			hash_destroy(made_values);
			made_values = NULL;
		}
	}
	if (made_values == NULL)
	{
		HASHCTL		ctl;

		ctl.keysize = sizeof(Payload);
		ctl.entrysize = sizeof(MadeValue);
		ctl.hcxt = TopMemoryContext;
		made_values = hash_create("publicdigit contexts", 64, &ctl,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	signed_payload.payload = *payload;
	sign(payload, signed_payload.hmac);
	len = pg_b64_encode((const void *) &signed_payload, sizeof(signed_payload),
						value + VALUE_PREFIX_LEN, VALUE_LEN - VALUE_PREFIX_LEN);
	if (len != VALUE_LEN - VALUE_PREFIX_LEN)
		elog(ERROR, "could not encode the bound tenant");

	made = hash_search(made_values, payload, HASH_ENTER, NULL);
	memcpy(made->value, value, sizeof(value));
	return made->value;
}

/*
 * read_value
 *		Decode a value and, unless told to trust it, verify that this backend
 *		made it.  False for anything else.
 */
static bool
read_value(const char *value, bool trust, Payload *payload)
{
	SignedPayload decoded;
	uint8		expected[PD_HMAC_LEN];
	MadeValue  *made;

	if (strlen(value) != VALUE_LEN ||
		strncmp(value, VALUE_PREFIX, VALUE_PREFIX_LEN) != 0 ||
		pg_b64_decode(value + VALUE_PREFIX_LEN, VALUE_LEN - VALUE_PREFIX_LEN,
					  (void *) &decoded, sizeof(decoded)) != sizeof(decoded))
		return false;

	*payload = decoded.payload;
	if (trust)
		return true;

	made = made_values == NULL ? NULL :
		hash_search(made_values, payload, HASH_FIND, NULL);
	if (made != NULL)
		return pd_equal_in_constant_time(made->value, value, VALUE_LEN);

	sign(payload, expected);
	return pd_equal_in_constant_time(expected, decoded.hmac, sizeof(expected));
}

/*
 * read_own
 *		What a value of this backend's making stands for; false, and why, for
 *		any other.
 *
 * Only the session itself can set one.  Other sources (ALTER ROLE, a function's
 * SET clause, the startup packet) bring a value from elsewhere, so it can only
 * be a forgery.  A parallel worker, which has another key, gets the leader's
 * settings, which the leader has verified.
 */
static bool
read_own(const char *value, GucSource source, PdBinding *binding)
{
	bool		from_leader = InitializingParallelWorker;
	Payload		payload;

	if ((source != PGC_S_SESSION && !from_leader) ||
		!read_value(value, from_leader, &payload))
	{
		GUC_check_errmsg("invalid value for parameter \"%s\"", "publicdigit.context");
		GUC_check_errdetail("Only a token, or a value that the extension itself has made in this session, is accepted.");
		GUC_check_errhint("Bind a tenant with SELECT publicdigit.use_tenant(...).");
		return false;
	}
	binding->kind = payload.kind;
	binding->scope = payload.scope;
	binding->role = payload.role;
	binding->tenant = payload.tenant;
	binding->expires = DT_NOEND;
	return true;
}

/*
 * read_token
 *		What a token stands for; false, and why, for one that does not let this
 *		session in.
 *
 * It comes by SET or, as an option of the connection, in the startup packet.
 * ALTER ROLE and the like would keep it for sessions to come.
 */
static bool
read_token(const char *value, GucSource source, PdBinding *binding)
{
	bool		from_leader = InitializingParallelWorker;
	PdToken		token;
	PdTokenFault fault = {NULL, NULL};

	pd_redact_activity(value);
	if (source != PGC_S_SESSION && source != PGC_S_CLIENT && !from_leader)
	{
		fault.detail = "A token is not accepted as a default of a role, a database or a function.";
		fault.hint = "Set it in the session, or in the options of the connection.";
	}
	else if (!IsTransactionState() || !OidIsValid(MyDatabaseId))
		fault.detail = "There is no database whose tenant it could bind.";
	else if (pd_token_read(value, from_leader, &token, &fault))
	{
		binding->kind = PD_BOUND_TENANT;
		binding->scope = PD_SCOPE_TOKEN;
		binding->role = token.role;
		binding->tenant = token.tenant;
		binding->expires = token.expires;
		return true;
	}

	GUC_check_errmsg("invalid token");
	GUC_check_errdetail("%s", fault.detail);
	if (fault.hint != NULL)
		GUC_check_errhint("%s", fault.hint);
	return false;
}

/*
 * ensure_not_sealed
 *		An error (55000) when a session sets something else than what it is
 *		sealed for.  The server itself sets what is no session's doing.  To raise
 *		an error here is not the habit of such hooks; guc.c is ready for it.
 */
static void
ensure_not_sealed(const PdBinding *binding, GucSource source)
{
	if (source == PGC_S_SESSION && !InitializingParallelWorker)
		pd_seal_ensure_may_bind(binding->kind, &binding->tenant);
}

/*
 * check_context
 *		GUC check hook: accept the empty value, and what proves itself.
 */
static bool
check_context(char **newval, void **extra, GucSource source)
{
	PdBinding	binding = {0};
	bool		is_own;

	if (*newval == NULL || **newval == '\0')
	{
		ensure_not_sealed(&binding, source);
		return true;
	}

	GUC_check_errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION);
	is_own = strchr(*newval, '.') == NULL;	/* base64 has no dots, a token has */
	if (!(is_own ? read_own(*newval, source, &binding) :
		  read_token(*newval, source, &binding)))
		return false;
	ensure_not_sealed(&binding, source);

	*extra = pd_guc_malloc(sizeof(PdBinding));
	if (*extra == NULL)
		return false;
	memcpy(*extra, &binding, sizeof(PdBinding));
	return true;
}

/*
 * assign_context
 *		GUC assign hook: take over what the check hook found.  Cannot fail.
 */
static void
assign_context(const char *newval, void *extra)
{
	pd_epoch++;
	/* The guard leaves out of the path what may not be used: find it anew. */
	assign_search_path(NULL, NULL);
	if (extra == NULL)
		MemSet(&pd_bound, 0, sizeof(pd_bound));
	else
		pd_bound = *(PdBinding *) extra;
}

/*
 * show_context
 *		GUC show hook: whether something is bound, and not the value.
 *
 * Only a pooler that is to put a token back later has a use for it.  Any other
 * value is worth nothing elsewhere.
 */
static const char *
show_context(void)
{
	switch (pd_bound.kind)
	{
		case PD_BOUND_TENANT:
			return report_context && pd_bound.scope == PD_SCOPE_TOKEN ? context_value : "tenant";
		case PD_BOUND_LANDLORD:
			return "landlord";
		case PD_BOUND_NOTHING:
			break;
	}
	return "";
}

/*
 * pd_binding_init
 *		Define the setting.  Called once, by _PG_init.
 *
 * A placeholder that was set before the library was loaded goes through the
 * check hook here; a forged one is dropped with a warning by guc.c.
 */
void
pd_binding_init(void)
{
	/* Whether a setting is reported is decided when it is defined. */
	if (pd_library_is_preloaded())
		DefineCustomBoolVariable("publicdigit.report_context",
								 "Reports publicdigit.context to clients, tokens in full, so that a pooler can put it back.",
								 NULL,
								 &report_context,
								 false,
								 PGC_POSTMASTER,
								 0,
								 NULL, NULL, NULL);

	/* NO_SHOW_ALL: pg_settings would show a token as the value to reset to. */
	DefineCustomStringVariable("publicdigit.context",
							   "What is bound: a tenant, the landlord, or nothing.",
							   "Set by publicdigit.use_tenant(), or to a token.",
							   &context_value,
							   "",
							   PGC_USERSET,
							   GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE | GUC_NO_SHOW_ALL |
							   (report_context ? GUC_REPORT : 0),
							   check_context,
							   assign_context,
							   show_context);
}

/*
 * set_context
 *		Set the setting as SET and SET LOCAL do.
 */
static void
set_context(const char *value, GucAction action)
{
	(void) set_config_option("publicdigit.context", value,
							 PGC_USERSET, PGC_S_SESSION, action, true, 0, false);
}

/*
 * action_for
 *		How the setting is set for a scope.
 */
static GucAction
action_for(PdBindingScope scope)
{
	return scope == PD_SCOPE_SCRIPT ? GUC_ACTION_SAVE :
		scope == PD_SCOPE_SESSION ? GUC_ACTION_SET : GUC_ACTION_LOCAL;
}

/*
 * pd_bind
 *		Bind the landlord or a tenant for a scope.  Error: 55000 under a seal
 *		for another tenant.
 *
 * PD_SCOPE_SCRIPT belongs to the caller's own GUC nest level, which ends it.
 */
void
pd_bind(PdBindingKind kind, PdBindingScope scope, const pg_uuid_t *tenant)
{
	Payload		payload = {0};

	payload.kind = kind;
	payload.scope = scope;
	payload.role = GetSessionUserId();
	if (tenant != NULL)
		payload.tenant = *tenant;
	set_context(make_value(&payload), action_for(scope));
}

/*
 * pd_bind_token
 *		Bind the tenant that a token names, for the transaction or the session.
 *		Errors: 28000, 55000 under a seal for another tenant.
 */
void
pd_bind_token(const char *token, PdBindingScope scope)
{
	set_context(token, action_for(scope));
}

/*
 * pd_unbind
 *		End every binding of the transaction and the session.  Error: 55000
 *		under a seal.
 */
void
pd_unbind(void)
{
	set_context("", GUC_ACTION_SET);
}
