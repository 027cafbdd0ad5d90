/*-------------------------------------------------------------------------
 *
 * binding.c
 *	  The setting publicdigit.context, which holds what is bound.
 *
 * The bound tenant lives in a setting, because guc.c gives it just the life
 * that it needs: SET LOCAL scope, savepoints, RESET ALL, DISCARD ALL, and a
 * copy in each parallel worker.  A C variable has none of these.  Anybody may
 * set the setting, so its value proves itself: it carries an HMAC under a key
 * that never leaves this backend.  A value that was read in another session,
 * or made up, is refused.
 *
 * A value is "b:" and the base64 form of Payload followed by its HMAC.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/parallel.h"
#include "common/base64.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "binding.h"
#include "compat.h"

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
	uint8		hmac[PG_SHA256_DIGEST_LENGTH];
} SignedPayload;

StaticAssertDecl(sizeof(SignedPayload) == 24 + PG_SHA256_DIGEST_LENGTH,
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
static PdBinding bound;			/* what it stands for */
static HTAB *made_values = NULL;

/*
 * sign
 *		HMAC-SHA256 of a payload under this backend's own random key.
 */
static void
sign(const Payload *payload, uint8 *hmac)
{
	static uint8 key[PG_SHA256_DIGEST_LENGTH];
	static bool have_key = false;
	pg_hmac_ctx *ctx;

	/* The key is made once and survives any rollback: nothing depends on it. */
	if (!have_key)
	{
		if (!pg_strong_random(key, sizeof(key)))
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate random bytes")));
		have_key = true;
	}

	ctx = pg_hmac_create(PG_SHA256);
	if (ctx == NULL ||
		pg_hmac_init(ctx, key, sizeof(key)) < 0 ||
		pg_hmac_update(ctx, (const uint8 *) payload, sizeof(Payload)) < 0 ||
		pg_hmac_final(ctx, hmac, PG_SHA256_DIGEST_LENGTH) < 0)
	{
		pg_hmac_free(ctx);
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute HMAC")));
	}
	pg_hmac_free(ctx);
}

/*
 * equal_in_constant_time
 *		Compare two strings of bytes without telling by time where they differ.
 */
static bool
equal_in_constant_time(const void *a, const void *b, size_t len)
{
	const volatile uint8 *x = a;
	const volatile uint8 *y = b;
	uint8		difference = 0;

	for (size_t i = 0; i < len; i++)
		difference |= x[i] ^ y[i];
	return difference == 0;
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
	uint8		expected[PG_SHA256_DIGEST_LENGTH];
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
		return equal_in_constant_time(made->value, value, VALUE_LEN);

	sign(payload, expected);
	return equal_in_constant_time(expected, decoded.hmac, sizeof(expected));
}

/*
 * check_context
 *		GUC check hook: accept the empty value, and values of this backend's
 *		making that a session sets for itself.
 *
 * The other sources (ALTER ROLE, ALTER DATABASE, a function's SET clause, the
 * startup packet, the configuration file) bring a value from outside this
 * session, so that it can only be a forgery.  A parallel worker gets the
 * leader's settings, which the leader has verified; it has another key.
 */
static bool
check_context(char **newval, void **extra, GucSource source)
{
	bool		from_leader = InitializingParallelWorker;
	Payload		payload;
	PdBinding  *binding;

	if (*newval == NULL || **newval == '\0')
		return true;

	if ((source != PGC_S_SESSION && !from_leader) ||
		!read_value(*newval, from_leader, &payload))
	{
		GUC_check_errcode(ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION);
		GUC_check_errmsg("invalid value for parameter \"%s\"", "publicdigit.context");
		GUC_check_errdetail("Only a value that the extension itself has made in this session is accepted.");
		GUC_check_errhint("Bind a tenant with SELECT publicdigit.use_tenant(...).");
		return false;
	}

	binding = pd_guc_malloc(sizeof(PdBinding));
	if (binding == NULL)
		return false;
	binding->kind = payload.kind;
	binding->scope = payload.scope;
	binding->role = payload.role;
	binding->tenant = payload.tenant;
	*extra = binding;
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
	if (extra == NULL)
		MemSet(&bound, 0, sizeof(bound));
	else
		bound = *(PdBinding *) extra;
}

/*
 * show_context
 *		GUC show hook: whether something is bound, and not the value.
 *
 * A value is worth nothing elsewhere, yet there is no use in showing it.
 */
static const char *
show_context(void)
{
	switch (bound.kind)
	{
		case PD_BOUND_TENANT:
			return "tenant";
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
	/* Set by use_tenant() and its kin alone; see check_context. */
	DefineCustomStringVariable("publicdigit.context",
							   "What is bound: a tenant, the landlord, or nothing.",
							   "Set by publicdigit.use_tenant(); other values are refused.",
							   &context_value,
							   "",
							   PGC_USERSET,
							   GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							   check_context,
							   assign_context,
							   show_context);
}

/*
 * pd_binding
 *		What is bound now, as the setting has it.
 */
const PdBinding *
pd_binding(void)
{
	return &bound;
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
 * pd_bind
 *		Bind the landlord or a tenant for a scope.
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

	set_context(make_value(&payload),
				scope == PD_SCOPE_SCRIPT ? GUC_ACTION_SAVE :
				scope == PD_SCOPE_SESSION ? GUC_ACTION_SET : GUC_ACTION_LOCAL);
}

/*
 * pd_unbind
 *		End every binding of the transaction and the session.
 */
void
pd_unbind(void)
{
	set_context("", GUC_ACTION_SET);
}
