/*-------------------------------------------------------------------------
 *
 * script_cursor.c
 *	  Cursors while a module's script runs: its caller's stay as they are, and
 *	  it leaves none of its own.
 *
 * A cursor that a script leaves would run its query as whoever fetches from
 * it; one of the caller's could be closed and opened with another query, or
 * read.  The statements of SQL are refused (script_utility.c); PL/pgSQL has
 * ways of its own, which no hook sees.  So the caller's cursors are pinned,
 * by which nobody can close them, and looked at afterwards.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/portal.h"

#include "script_cursor.h"
#include "spi.h"

/* A cursor of the caller's, as it was. */
typedef struct NotedCursor
{
	Portal		portal;
	bool		was_pinned;
	uint64		position;
	bool		at_start;
	bool		at_end;
} NotedCursor;

/*
 * open_portals
 *		The portals that can be named.
 */
static List *
open_portals(void)
{
	List	   *portals = NIL;
	uint64		n = pd_spi_query("SELECT name FROM pg_cursors", NULL, 0);

	for (uint64 row = 0; row < n; row++)
		portals = lappend(portals, GetPortalByName(pd_spi_text(row, "name")));
	return portals;
}

/*
 * pd_script_note_cursors
 *		The cursors that are open before a script, for the functions below.
 *		Must be called inside pd_spi_begin.
 */
List *
pd_script_note_cursors(void)
{
	List	   *noted = NIL;
	ListCell   *cell;

	foreach(cell, open_portals())
	{
		NotedCursor *cursor = palloc(sizeof(NotedCursor));
		Portal		portal = lfirst(cell);

		cursor->portal = portal;
		cursor->was_pinned = portal->portalPinned;
		cursor->position = portal->portalPos;
		cursor->at_start = portal->atStart;
		cursor->at_end = portal->atEnd;
		noted = lappend(noted, cursor);
	}
	return noted;
}

/*
 * pd_script_hold_cursors
 *		Pin the cursors.  pd_script_release_cursors must follow, also after an
 *		error: some live on when a caller catches it.
 */
void
pd_script_hold_cursors(List *noted)
{
	ListCell   *cell;

	foreach(cell, noted)
		((NotedCursor *) lfirst(cell))->portal->portalPinned = true;
}

/*
 * pd_script_release_cursors
 *		Undo pd_script_hold_cursors.
 */
void
pd_script_release_cursors(List *noted)
{
	ListCell   *cell;

	foreach(cell, noted)
	{
		NotedCursor *cursor = lfirst(cell);

		cursor->portal->portalPinned = cursor->was_pinned;
	}
}

/*
 * pd_script_check_cursors
 *		An error (42501) where a script has left a cursor open, or has read
 *		from one of its caller's.  Must be called inside pd_spi_begin.
 */
void
pd_script_check_cursors(List *noted)
{
	bool		same = list_length(open_portals()) == list_length(noted);
	ListCell   *cell;

	foreach(cell, noted)
	{
		NotedCursor *cursor = lfirst(cell);

		if (cursor->portal->portalPos != cursor->position ||
			cursor->portal->atStart != cursor->at_start ||
			cursor->portal->atEnd != cursor->at_end)
			same = false;
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a module script may not leave a cursor open or use another's"),
				 errhint("Close in a function what it opens.")));
}
