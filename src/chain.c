/*-------------------------------------------------------------------------
 *
 * chain.c
 *	  Checksums of scripts, and the chain over those that are applied.
 *
 * A script has two checksums.  The one that people see is over its text, with
 * line ends as LF.  The other is over its statements alone: over the tokens that
 * the server's own scanner finds, each as it is written, with one blank between
 * them.  Where only the first differs, somebody has edited a comment or the
 * layout, and what would run is the same.
 *
 * An installation keeps the head of a chain over the statements of what is
 * applied to it, and a version that over all it has.  Whether anything is
 * pending is told by comparing the two; and a ledger in which a row has been
 * changed, added or left out no longer leads to the head that is kept.
 *
 * The form of all of them is for ever: what an older version of the extension
 * has kept is compared with what a newer one computes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/keywords.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "parser/parser.h"
#include "parser/scanner.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "chain.h"
#include "compat.h"

/*
 * pd_checksum
 *		SHA-256 of a text's bytes in UTF-8, whatever the database's encoding.
 */
char *
pd_checksum(const char *text)
{
	char	   *utf8;
	bytea	   *hash;
	char		hex[2 * 32 + 1];

	utf8 = pg_server_to_any(text, strlen(text), PG_UTF8);
	/* A text and a bytea are laid out alike. */
	hash = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea,
											   PointerGetDatum(cstring_to_text(utf8))));
	hex[hex_encode(VARDATA_ANY(hash), VARSIZE_ANY_EXHDR(hash), hex)] = '\0';
	return psprintf("sha256:%s", hex);
}

/*
 * with_unix_line_ends
 *		A copy of a text with each CR LF made LF: what a checkout on another
 *		system changes is no change of the script.
 */
static char *
with_unix_line_ends(const char *text)
{
	char	   *copy = palloc(strlen(text) + 1);
	char	   *to = copy;

	for (const char *from = text; *from != '\0'; from++)
	{
		if (from[0] == '\r' && from[1] == '\n')
			continue;
		*to++ = *from;
	}
	*to = '\0';
	return copy;
}

/*
 * pd_checksum_of_script
 *		The checksum of a script's text.
 */
char *
pd_checksum_of_script(const char *content)
{
	return pd_checksum(with_unix_line_ends(content));
}

/*
 * pd_checksum_of_statements
 *		The checksum of a script's statements.  Errors: 42601 and the like, for
 *		what is no token.
 */
char *
pd_checksum_of_statements(const char *content)
{
	core_yy_extra_type extra;
	core_yyscan_t scanner;
	core_YYSTYPE value;
	YYLTYPE		location;
	StringInfoData tokens;
	char	   *result;

	scanner = scanner_init(with_unix_line_ends(content), &extra, &ScanKeywords,
						   ScanKeywordTokens);
	/* As scripts run (see pd_script_execute). */
	extra.standard_conforming_strings = true;
	extra.backslash_quote = BACKSLASH_QUOTE_SAFE_ENCODING;
	extra.escape_string_warning = false;

	initStringInfo(&tokens);
	while (core_yylex(&value, &location, scanner) != 0)
	{
		CHECK_FOR_INTERRUPTS();
		/* The scanner puts a zero byte after the token that it has found. */
		appendStringInfo(&tokens, "%s ", extra.scanbuf + location);
	}
	scanner_finish(scanner);
	result = pd_checksum(tokens.data);
	pfree(tokens.data);
	return result;
}

/*
 * pd_chain_next
 *		The head of a chain once one more migration is in it.
 */
char *
pd_chain_next(const char *head, const char *migration, const char *statements)
{
	return pd_checksum(psprintf("%s\n%s %s", head, statements, migration));
}
