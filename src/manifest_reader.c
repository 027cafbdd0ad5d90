/*-------------------------------------------------------------------------
 *
 * manifest_reader.c
 *	  Values of a manifest's keys, and what is wrong with them.
 *
 * Each error names the file, the key with the way to it, and the value, and
 * says what to write instead.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "manifest_reader.h"

/*
 * pd_bad_value
 *		Raise 22023 for a key whose value breaks a rule.
 *
 * rule completes "The value is X, but "; hint is a sentence.
 */
void
pd_bad_value(const PdReader *reader, const char *key, const JsonbValue *value,
			 const char *rule, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value of key \"%s%s\" in %s",
					reader->prefix, key, reader->file),
			 errdetail("The value is %s, but %s.", pd_json_show(value), rule),
			 errhint("%s", hint)));
}

/*
 * pd_bad_key
 *		Raise 22023 for a key of a nested object, where keys are names.
 *
 * Arguments are as for pd_bad_value.
 */
void
pd_bad_key(const PdReader *reader, const PdJsonPair *pair, const char *rule,
		   const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid key \"%s%s\" in %s",
					reader->prefix, pair->key, reader->file),
			 errdetail("The value is %s, but %s.", pd_json_show(&pair->value), rule),
			 errhint("%s", hint)));
}

/*
 * pd_ensure_known_keys
 *		Raise for a key of an object that is not among those listed.
 */
void
pd_ensure_known_keys(const PdReader *reader, const char *const *known)
{
	ListCell   *lc;

	foreach(lc, pd_json_pairs(reader->object))
	{
		const PdJsonPair *pair = lfirst(lc);
		StringInfoData list;
		bool		found = false;

		initStringInfo(&list);
		for (const char *const *key = known; *key != NULL && !found; key++)
		{
			found = strcmp(*key, pair->key) == 0;
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", *key);
		}
		if (!found)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown key \"%s%s\" in %s",
							reader->prefix, pair->key, reader->file),
					 errdetail("The value is %s; keys that can stand there are: %s.",
							   pd_json_show(&pair->value), list.data),
					 errhint("Remove the key, or correct its spelling.")));
	}
}

/*
 * pd_get_string
 *		A key's text; NULL where the key is missing.
 */
char *
pd_get_string(const PdReader *reader, const char *key)
{
	JsonbValue	value;
	char	   *text;

	if (!pd_json_get(reader->object, key, &value))
		return NULL;
	text = pd_json_string(&value);
	if (text == NULL)
		pd_bad_value(reader, key, &value, "it must be a string",
					 "Write the value between double quotes.");
	return text;
}

/*
 * pd_require_string
 *		A key's text, with the value for errors; raises where the key is
 *		missing.
 *
 * rule is a sentence that says why it must be there.
 */
char *
pd_require_string(const PdReader *reader, const char *key, const char *rule,
				  JsonbValue *value)
{
	char	   *text = pd_get_string(reader, key);

	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("key \"%s%s\" is missing in %s",
						reader->prefix, key, reader->file),
				 errdetail("%s", rule),
				 errhint("Add the key.")));
	pd_json_get(reader->object, key, value);
	return text;
}

/*
 * pd_get_object
 *		A reader of the object that a key holds; false where the key is
 *		missing.
 */
bool
pd_get_object(const PdReader *reader, const char *key, PdReader *nested)
{
	JsonbValue	value;

	if (!pd_json_get(reader->object, key, &value))
		return false;
	nested->file = reader->file;
	nested->prefix = psprintf("%s.", key);
	nested->object = pd_json_object(&value);
	if (nested->object == NULL)
		pd_bad_value(reader, key, &value, "it must be an object",
					 "Write {\"NAME\": VALUE, ...}, or leave the key out.");
	return true;
}
