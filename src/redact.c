/*-------------------------------------------------------------------------
 *
 * redact.c
 *	  Tokens in the text of statements, which others can read.
 *
 * Sessions of one role see each other's statements in pg_stat_activity, and
 * those of a pool are all of one role.  A token that stands in a statement's
 * text is hidden there as soon as it has been read; a parameter of a prepared
 * statement, or of the startup packet, never stands there at all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/memutils.h"

#include "redact.h"

/*
 * hide
 *		A copy of a text with asterisks for a part of it; NULL where it has no
 *		such part.
 */
static char *
hide(const char *text, const char *secret)
{
	const char *found = strstr(text, secret);
	size_t		len = strlen(secret);
	char	   *copy;

	if (found == NULL || len == 0)
		return NULL;
	copy = pstrdup(text);
	for (; found != NULL; found = strstr(found + len, secret))
		memset(copy + (found - text), '*', len);
	return copy;
}

/*
 * pd_redact_activity
 *		Hide a secret in the text of the client's statement, where
 *		pg_stat_activity, and the log of an error, show it.
 */
void
pd_redact_activity(const char *secret)
{
	uint64		query_id = pgstat_get_my_query_id();
	MemoryContext old = CurrentMemoryContext;
	char	   *copy;

	if (debug_query_string == NULL)
		return;
	/* There it lives as long as the text; a background worker has no such place. */
	if (MessageContext != NULL)
		MemoryContextSwitchTo(MessageContext);
	copy = hide(debug_query_string, secret);
	MemoryContextSwitchTo(old);
	if (copy == NULL)
		return;
	if (MessageContext != NULL)
		debug_query_string = copy;
	pgstat_report_activity(STATE_RUNNING, copy);
	pgstat_report_query_id(query_id, true);
}

/*
 * pd_redact_statement
 *		The text of a statement for hooks that keep it: that of SET
 *		publicdigit.context without its value.
 */
const char *
pd_redact_statement(const PlannedStmt *statement, const char *text)
{
	VariableSetStmt *set = (VariableSetStmt *) statement->utilityStmt;
	A_Const    *value;
	char	   *copy;

	if (!IsA(set, VariableSetStmt) || set->kind != VAR_SET_VALUE ||
		pg_strcasecmp(set->name, "publicdigit.context") != 0 ||
		!IsA(linitial(set->args), A_Const))
		return text;
	value = linitial_node(A_Const, set->args);
	if (value->isnull || !IsA(&value->val, String))
		return text;
	copy = hide(text, strVal(&value->val));
	return copy == NULL ? text : copy;
}
