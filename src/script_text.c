/*-------------------------------------------------------------------------
 *
 * script_text.c
 *	  Where in a script something stands.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"

#include "script_text.h"

/*
 * pd_script_line
 *		The line, from 1, of a byte offset.
 */
int
pd_script_line(const char *text, int location)
{
	int			line = 1;

	for (int i = 0; i < location && text[i] != '\0'; i++)
	{
		if (text[i] == '\n')
			line++;
	}
	return line;
}

/*
 * pd_script_skip_blanks
 *		Offset of the first byte that is neither white space nor comment.
 */
int
pd_script_skip_blanks(const char *text, int at)
{
	for (;;)
	{
		if (isspace((unsigned char) text[at]))
			at++;
		else if (text[at] == '-' && text[at + 1] == '-')
		{
			while (text[at] != '\0' && text[at] != '\n')
				at++;
		}
		else if (text[at] == '/' && text[at + 1] == '*')
		{
			int			depth = 0;

			do
			{
				if (text[at] == '/' && text[at + 1] == '*')
				{
					depth++;
					at += 2;
				}
				else if (text[at] == '*' && text[at + 1] == '/')
				{
					depth--;
					at += 2;
				}
				else
					at++;
			} while (depth > 0 && text[at] != '\0');
		}
		else
			return at;
	}
}

/*
 * pd_script_take_error_position
 *		For an error context callback while a script is parsed: the byte
 *		offset of the error's cursor, which is taken away since the client
 *		does not have the script; or location where there is no cursor.
 */
int
pd_script_take_error_position(const char *text, int location)
{
	int			position = geterrposition();

	if (position <= 0)
		return location;
	errposition(0);
	/* The cursor counts characters. */
	return pg_mbcharcliplen(text, strlen(text), position - 1);
}
