/*-------------------------------------------------------------------------
 *
 * script_text.h
 *	  Where in a script something stands.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_SCRIPT_TEXT_H
#define PUBLICDIGIT_SCRIPT_TEXT_H

#include "postgres.h"

extern int	pd_script_line(const char *text, int location);
extern int	pd_script_skip_blanks(const char *text, int at);
extern int	pd_script_take_error_position(const char *text, int location);

#endif							/* PUBLICDIGIT_SCRIPT_TEXT_H */
