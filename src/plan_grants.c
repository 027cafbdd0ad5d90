/*-------------------------------------------------------------------------
 *
 * plan_grants.c
 *	  What a change of one module takes from the app role, and what it gives it.
 *
 * What the app role loses is taken away first, before any script runs: under its
 * own name, and from the very table or view to which it was given, whatever the
 * scripts then rename or put in its place.  What it gets comes last.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "grants.h"
#include "plan_steps.h"
#include "spi.h"

/*
 * joined
 *		Statements as one text.
 */
static char *
joined(const List *statements)
{
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	foreach(cell, statements)
		appendStringInfo(&sql, "%s;\n", (char *) lfirst(cell));
	return sql.data;
}

/*
 * dropped_by_steps
 *		The names, as SQL spells them, of what the steps so far drop of what
 *		repeatable scripts and the installer have made.
 */
static List *
dropped_by_steps(const PdChange *change)
{
	List	   *scripts = NIL;
	List	   *names = NIL;
	ListCell   *cell;
	uint64		n;

	foreach(cell, change->steps)
	{
		const PdStep *step = lfirst(cell);

		if (step->kind == PD_STEP_DROP)
			scripts = lappend(scripts, step->script->migration);
	}
	if (scripts == NIL)
		return NIL;
	n = pd_spi_query("SELECT identity FROM publicdigit.module_object"
					 " WHERE installation_id = $1 AND migration = ANY ($2)"
					 " AND type IN ('table', 'view')",
					 PD_ARGS(pd_datum(INT8OID, Int64GetDatum(change->installed->id)),
							 pd_text_array(scripts)));
	for (uint64 row = 0; row < n; row++)
		names = lappend(names, pd_spi_text(row, "identity"));
	return names;
}

/*
 * pd_plan_add_revoke
 *		Take from the app role what the version that is there gives it and another
 *		manifest, or NULL, does not.
 */
void
pd_plan_add_revoke(PdChange *change, const PdManifest *kept)
{
	List	   *statements;

	/* While it is disabled, or in the archive, the app role has nothing of it. */
	if (change->installed == NULL || change->installed->status != PD_INSTALLED)
		return;
	statements = pd_revokes(change->from->source->manifest, kept,
							pd_target_schema(change->ledger->target));
	if (statements != NIL)
		pd_plan_add_step(change, PD_STEP_REVOKE, NULL, joined(statements));
}

/*
 * pd_plan_add_grant
 *		Give the app role what the version's manifest says; where nothing of that
 *		is to be seen yet, too: a script may make a table or view anew.
 */
void
pd_plan_add_grant(PdChange *change)
{
	if (change->installed != NULL && change->installed->status == PD_DISABLED)
		return;
	pd_plan_add_step(change, PD_STEP_GRANT, NULL,
					 joined(pd_grants_planned(change->to->source->manifest,
											  pd_target_schema(change->ledger->target),
											  dropped_by_steps(change))));
}
