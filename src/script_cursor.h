/*-------------------------------------------------------------------------
 *
 * script_cursor.h
 *	  Cursors while a module's script runs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SCRIPT_CURSOR_H
#define PUBLICDIGIT_SCRIPT_CURSOR_H

#include "postgres.h"

#include "nodes/pg_list.h"

extern List *pd_script_note_cursors(void);
extern void pd_script_hold_cursors(List *noted);
extern void pd_script_release_cursors(List *noted);
extern void pd_script_check_cursors(List *noted);

#endif							/* PUBLICDIGIT_SCRIPT_CURSOR_H */
