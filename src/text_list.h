/*-------------------------------------------------------------------------
 *
 * text_list.h
 *	  Lists of char *.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_TEXT_LIST_H
#define PUBLICDIGIT_TEXT_LIST_H

#include "postgres.h"

#include "nodes/pg_list.h"

/*
 * pd_has_text
 *		Is a text among those of a list?
 */
static inline bool
pd_has_text(const List *texts, const char *text)
{
	ListCell   *cell;

	foreach(cell, texts)
	{
		if (strcmp(lfirst(cell), text) == 0)
			return true;
	}
	return false;
}

#endif							/* PUBLICDIGIT_TEXT_LIST_H */
