/*-------------------------------------------------------------------------
 *
 * domain.c
 *	  Host names of tenants: add_domain, remove_domain, find_tenant.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/formatting.h"

#include "catalog.h"
#include "domain.h"
#include "spi.h"
#include "tenant_ref.h"

/* RFC 1035: a host name has at most 253 characters. */
#define DOMAIN_MAX	253

PG_FUNCTION_INFO_V1(pd_remove_domain);
PG_FUNCTION_INFO_V1(pd_find_tenant);

/*
 * is_label
 *		Is this a label of a host name: letters, digits, underscores, and
 *		hyphens inside?
 */
static bool
is_label(const char *label, size_t len)
{
	if (len == 0 || len > 63 || label[len - 1] == '-' || label[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (!((label[i] >= 'a' && label[i] <= 'z') ||
			  (label[i] >= '0' && label[i] <= '9') ||
			  label[i] == '-' || label[i] == '_'))
			return false;
	}
	return true;
}

/*
 * is_host
 *		Is this a host name, in lower case?
 */
static bool
is_host(const char *name)
{
	if (strlen(name) > DOMAIN_MAX)
		return false;
	for (;;)
	{
		const char *dot = strchrnul(name, '.');

		if (!is_label(name, dot - name))
			return false;
		if (*dot == '\0')
			return true;
		name = dot + 1;
	}
}

/*
 * why_no_domain
 *		What is wrong with a domain, for an error's detail.
 */
static const char *
why_no_domain(const char *name)
{
	if (name[0] == '\0')
		return "It is empty.";
	if (strchr(name, '/') != NULL)
		return "It is a URL.";
	if (strchr(name, ':') != NULL)
		return "It has a port, or is an address.";
	if (strlen(name) > DOMAIN_MAX)
		return psprintf("It is longer than %d bytes.", DOMAIN_MAX);
	return "Between its dots stand 1 to 63 letters, digits, underscores, and hyphens that neither begin nor end it.";
}

/*
 * pd_normalize_domain
 *		A domain as it is stored: in lower case, without a dot at its end.
 *		An error (22023) for what is no host name, nor one after "*.".
 */
char *
pd_normalize_domain(const char *domain)
{
	char	   *name = asc_tolower(domain, strlen(domain));
	size_t		len = strlen(name);

	if (len > 1 && name[len - 1] == '.')
		name[--len] = '\0';

	if (len > DOMAIN_MAX || !is_host(strncmp(name, "*.", 2) == 0 ? name + 2 : name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is not a domain", domain),
				 errdetail("%s", why_no_domain(name)),
				 errhint("Write the host name alone, such as \"acme.example\", or \"*.acme.example\" for all below it; an international name in its \"xn--\" form.")));
	return name;
}

/*
 * pd_insert_domain
 *		Give a tenant a domain.  Must be called inside pd_spi_begin.
 *		Errors: 22023, 42710.
 */
void
pd_insert_domain(const pg_uuid_t *tenant, const char *domain)
{
	char	   *name = pd_normalize_domain(domain);

	if (pd_spi_query("INSERT INTO publicdigit.domain (domain, tenant_id) VALUES ($1, $2)"
					 " ON CONFLICT (domain) DO NOTHING",
					 PD_ARGS(pd_text(name), pd_uuid(tenant))) > 0)
		return;

	/* The tenant itself may have it already; that is no error's business. */
	if (pd_spi_query("SELECT FROM publicdigit.domain WHERE domain = $1 AND tenant_id = $2",
					 PD_ARGS(pd_text(name), pd_uuid(tenant))) > 0)
		ereport(NOTICE,
				(errmsg("the tenant has domain \"%s\" already", name)));
	else
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("domain \"%s\" already belongs to another tenant", name),
				 errhint("The view publicdigit.domains tells to which.")));
}

/*
 * text_argument
 *		An argument of type text; 22004 for null.
 */
static char *
text_argument(FunctionCallInfo fcinfo, int argno, const char *name)
{
	if (PG_ARGISNULL(argno))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return text_to_cstring(PG_GETARG_TEXT_PP(argno));
}

/*
 * add_domain(tenant, domain)
 *		Errors: 22004, 42704, 22023, 42710.
 */
PD_TENANT_FUNCTION(pd_add_domain, 0, 0)
{
	char	   *domain = text_argument(fcinfo, 1, "domain");
	PdSpi		spi;

	pd_spi_begin(&spi);
	pd_insert_domain(&ref->tenant.id, domain);
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * remove_domain(domain)
 *		Errors: 22004, 22023, 42704.
 */
Datum
pd_remove_domain(PG_FUNCTION_ARGS)
{
	char	   *domain = pd_normalize_domain(text_argument(fcinfo, 0, "domain"));
	PdSpi		spi;

	pd_spi_begin(&spi);
	if (pd_spi_query("DELETE FROM publicdigit.domain WHERE domain = $1",
					 PD_ARGS(pd_text(domain))) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("domain \"%s\" is not registered", domain),
				 errhint("The view publicdigit.domains lists them.")));
	pd_spi_end(&spi);
	PG_RETURN_VOID();
}

/*
 * host_without_port
 *		A Host header's host, in lower case, without port and last dot.
 */
static char *
host_without_port(const char *header)
{
	char	   *host = asc_tolower(header, strlen(header));
	char	   *colon;
	size_t		len;

	/* An IPv6 address has colons of its own, and is nobody's domain. */
	colon = strchr(host, ':');
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
		*colon = '\0';
	len = strlen(host);
	if (len > 1 && host[len - 1] == '.')
		host[len - 1] = '\0';
	return host;
}

/*
 * find_tenant(host) → uuid
 *		The tenant of a host name: an exact domain first, then the wildcard
 *		with the most labels; null when there is none.  Errors: 22004.
 */
Datum
pd_find_tenant(PG_FUNCTION_ARGS)
{
	char	   *host = host_without_port(text_argument(fcinfo, 0, "host"));
	pg_uuid_t  *found = NULL;
	char	   *rest;
	PdSpi		spi;

	pd_catalog_set_up();
	if (!is_host(host))
		PG_RETURN_NULL();

	pd_spi_begin(&spi);
	for (char *name = host; found == NULL && name != NULL;)
	{
		if (pd_spi_query("SELECT tenant_id FROM publicdigit.domain WHERE domain = $1",
						 PD_ARGS(pd_text(name))) > 0)
		{
			bool		isnull;

			found = SPI_palloc(sizeof(pg_uuid_t));
			*found = *DatumGetUUIDP(pd_spi_datum(0, "tenant_id", &isnull));
		}
		rest = strchr(name == host ? host : name + 2, '.');
		name = rest == NULL ? NULL : psprintf("*%s", rest);
	}
	pd_spi_end(&spi);

	if (found == NULL)
		PG_RETURN_NULL();
	PG_RETURN_UUID_P(found);
}
