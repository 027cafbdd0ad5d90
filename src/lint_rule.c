/*-------------------------------------------------------------------------
 *
 * lint_rule.c
 *	  The rules of the lint: name, severity and the safe way; and the list of
 *	  what was found.
 *
 * A rule's name is what module.json accepts it by, so it never changes.  An
 * error loses data, cannot be run, or will be refused by the installer.  A
 * warning makes others wait for longer than a moment, or takes away what the
 * application that runs may still use.
 *
 * All scripts of an upgrade run in one transaction, for one tenant after the
 * other.  A lock is therefore held until a tenant's upgrade ends, and what
 * PostgreSQL can only do outside a transaction is no safe way here: hints do
 * not advise CONCURRENTLY in a script.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "lint_rule.h"
#include "script_text.h"

static const PdLintRule rules[PD_LINT_RULES] = {
	[PD_LINT_DROP_TABLE] = {"drop_table", PD_SEVERITY_ERROR,
	"Release an application that no longer uses the table first, and keep a dump of it; drop it in a later version."},
	[PD_LINT_DROP_COLUMN] = {"drop_column", PD_SEVERITY_ERROR,
	"Release an application that no longer uses the column first; drop it in a later version."},
	[PD_LINT_DROP_SEQUENCE] = {"drop_sequence", PD_SEVERITY_ERROR,
	"Drop it in a later version than the one that stops drawing from it; its position is lost."},
	[PD_LINT_DROP_CASCADE] = {"drop_cascade", PD_SEVERITY_ERROR,
	"Leave CASCADE out, and drop what depends on it by name, so that the script says what is lost."},
	[PD_LINT_TRUNCATE] = {"truncate", PD_SEVERITY_ERROR,
	"DELETE with a WHERE clause that says which rows are meant."},
	[PD_LINT_DELETE_WITHOUT_WHERE] = {"delete_without_where", PD_SEVERITY_ERROR,
	"Add a WHERE clause that says which rows are meant."},
	[PD_LINT_NOT_NULL_WITHOUT_DEFAULT] = {"not_null_without_default", PD_SEVERITY_ERROR,
	"Give the column a DEFAULT; or add it without NOT NULL, fill it, and set NOT NULL in a later version."},

	[PD_LINT_UPDATE_WITHOUT_WHERE] = {"update_without_where", PD_SEVERITY_WARNING,
	"Add a WHERE clause that leaves out the rows that are right already; fill large tables in batches, outside the module."},
	[PD_LINT_CHANGE_TYPE] = {"change_type", PD_SEVERITY_WARNING,
	"A longer varchar, varchar to text and a larger precision of the same numeric scale need no rewrite. Otherwise add a new column, fill it, let the application write both, and drop the old one in a later version."},
	[PD_LINT_VOLATILE_DEFAULT] = {"volatile_default", PD_SEVERITY_WARNING,
	"Add the column without a default, set the default in a second ALTER TABLE, and fill the rows that are there with UPDATE ... WHERE."},
	[PD_LINT_FILLED_COLUMN] = {"filled_column", PD_SEVERITY_WARNING,
	"Add a plain column, let the application or a trigger fill it, and fill the rows that are there with UPDATE ... WHERE; or upgrade in a maintenance window."},
	[PD_LINT_SET_NOT_NULL] = {"set_not_null", PD_SEVERITY_WARNING,
	"Add CHECK (column IS NOT NULL) NOT VALID in one version, VALIDATE CONSTRAINT in the next, and SET NOT NULL in a third, which then reads no row."},
	[PD_LINT_CHECK_CONSTRAINT] = {"check_constraint", PD_SEVERITY_WARNING,
	"Add it NOT VALID, and VALIDATE CONSTRAINT in the next version."},
	[PD_LINT_FOREIGN_KEY] = {"foreign_key", PD_SEVERITY_WARNING,
	"Add it NOT VALID, and VALIDATE CONSTRAINT in the next version."},
	[PD_LINT_UNIQUE_CONSTRAINT] = {"unique_constraint", PD_SEVERITY_WARNING,
	"CREATE UNIQUE INDEX lets others read meanwhile; add the constraint USING INDEX in the next version. For large tables upgrade in a maintenance window."},
	[PD_LINT_EXCLUSION_CONSTRAINT] = {"exclusion_constraint", PD_SEVERITY_WARNING,
	"There is no way to add one without building its index; for large tables upgrade in a maintenance window."},
	[PD_LINT_VALIDATE_AT_ONCE] = {"validate_at_once", PD_SEVERITY_WARNING,
	"Leave VALIDATE CONSTRAINT to the next version, and upgrade to the two one after the other."},
	[PD_LINT_DOMAIN_CONSTRAINT] = {"domain_constraint", PD_SEVERITY_WARNING,
	"ADD CONSTRAINT ... NOT VALID holds for new values and reads no table; validate it in a maintenance window."},
	[PD_LINT_CREATE_INDEX] = {"create_index", PD_SEVERITY_WARNING,
	"A module script cannot build one concurrently. Where the tenants' tables are small, accept it; for large ones upgrade in a maintenance window."},
	[PD_LINT_REWRITE_TABLE] = {"rewrite_table", PD_SEVERITY_WARNING,
	"Upgrade in a maintenance window."},
	[PD_LINT_REFRESH_MATERIALIZED_VIEW] = {"refresh_materialized_view", PD_SEVERITY_WARNING,
	"REFRESH MATERIALIZED VIEW CONCURRENTLY lets others read meanwhile, and may run in a script; it needs a unique index."},
	[PD_LINT_ATTACH_PARTITION] = {"attach_partition", PD_SEVERITY_WARNING,
	"Give the table a valid CHECK constraint that implies its bounds in an earlier version, and a default partition one that excludes them: then no row is read."},
	[PD_LINT_DETACH_PARTITION] = {"detach_partition", PD_SEVERITY_WARNING,
	"A module script cannot detach concurrently. Keep the transaction short: detach in a version that does no more."},
	[PD_LINT_CREATE_PARTITION] = {"create_partition", PD_SEVERITY_WARNING,
	"CREATE TABLE ... (LIKE parent INCLUDING ALL), then ALTER TABLE ... ATTACH PARTITION, which lets others read and write the parent."},
	[PD_LINT_CREATE_TRIGGER] = {"create_trigger", PD_SEVERITY_WARNING,
	"Nobody writes to the table until the upgrade ends: keep the version's other steps short."},
	[PD_LINT_DISABLE_TRIGGER] = {"disable_trigger", PD_SEVERITY_WARNING,
	"What is written meanwhile is not checked later. Enable it again in the same script, and mend the rows yourself."},
	[PD_LINT_LOCK_TABLE] = {"lock_table", PD_SEVERITY_WARNING,
	"Leave it out where the statements after it take the lock they need themselves; the lock is held until the upgrade ends."},

	[PD_LINT_RENAME_TABLE] = {"rename_table", PD_SEVERITY_WARNING,
	"Make a new name of it by a view, release an application that uses it, and rename in a later version."},
	[PD_LINT_RENAME_COLUMN] = {"rename_column", PD_SEVERITY_WARNING,
	"Add a new column, let the application write both, fill the new one, and drop the old one in a later version."},
	[PD_LINT_RENAME_OBJECT] = {"rename_object", PD_SEVERITY_WARNING,
	"Make a second one of the new name, and drop the old one in a later version."},
	[PD_LINT_DROP_CONSTRAINT] = {"drop_constraint", PD_SEVERITY_WARNING,
	"Make sure that the application keeps the rule from now on; what it writes meanwhile may keep the constraint from coming back."},
	[PD_LINT_DROP_INDEX] = {"drop_index", PD_SEVERITY_WARNING,
	"See in pg_stat_user_indexes that no tenant's copy of it is used; a module script cannot drop one concurrently."},
	[PD_LINT_DROP_TRIGGER] = {"drop_trigger", PD_SEVERITY_WARNING,
	"Release an application that does without what the trigger does first."},
	[PD_LINT_DROP_VIEW] = {"drop_view", PD_SEVERITY_WARNING,
	"Release an application that no longer uses the view first; CREATE OR REPLACE VIEW changes one."},
	[PD_LINT_DROP_FUNCTION] = {"drop_function", PD_SEVERITY_WARNING,
	"Release an application that no longer calls it first; CREATE OR REPLACE changes one."},
	[PD_LINT_DROP_TYPE] = {"drop_type", PD_SEVERITY_WARNING,
	"Release an application that no longer uses the type first."},
	[PD_LINT_RENAME_ENUM_VALUE] = {"rename_enum_value", PD_SEVERITY_WARNING,
	"Add a new value, release an application that knows both, and let the old one stand."},
	[PD_LINT_ADD_ENUM_VALUE] = {"add_enum_value", PD_SEVERITY_INFO,
	"The value can be used from the next transaction on, so that no script of this upgrade can write it, and no down script can take it away."},

	[PD_LINT_TENANT_ID_MISSING] = {"tenant_id_missing", PD_SEVERITY_ERROR,
	"Give the table a column: tenant_id uuid. The installer adds NOT NULL, default and row-level security."},
	[PD_LINT_TENANT_ID_TYPE] = {"tenant_id_type", PD_SEVERITY_ERROR,
	"Write tenant_id uuid."},
	[PD_LINT_TENANT_ID_NULL] = {"tenant_id_null", PD_SEVERITY_ERROR,
	"Write tenant_id uuid; the installer adds NOT NULL."},
	[PD_LINT_TENANT_ID_DEFAULT] = {"tenant_id_default", PD_SEVERITY_ERROR,
	"Leave the default away; the installer lets the column default to publicdigit.current_tenant_id()."},
	[PD_LINT_FOREIGN_KEY_NULLS_TENANT] = {"foreign_key_nulls_tenant", PD_SEVERITY_ERROR,
	"Name the other columns: ON DELETE SET NULL (column); there is no such list for ON UPDATE, where CASCADE and NO ACTION are left."},
	[PD_LINT_ROW_SECURITY_OFF] = {"row_security_off", PD_SEVERITY_ERROR,
	"Remove the command; the tables of a module are always protected."},
	[PD_LINT_TENANT_POLICY] = {"tenant_policy", PD_SEVERITY_ERROR,
	"Leave the policy as the installer makes it, and add policies of other names."},
	[PD_LINT_SECURITY_DEFINER] = {"security_definer", PD_SEVERITY_ERROR,
	"Add SET search_path = pg_catalog, pg_temp, and qualify the names in the function."},
	[PD_LINT_SECURITY_INVOKER] = {"security_invoker", PD_SEVERITY_ERROR,
	"Write CREATE VIEW ... WITH (security_invoker = true), each time that the view is replaced, too."},
	[PD_LINT_GRANT] = {"grant", PD_SEVERITY_ERROR,
	"List what the app role may do under \"grants\" in module.json, and the views that it may read under \"views\"."},
	[PD_LINT_TRANSACTION_CONTROL] = {"transaction_control", PD_SEVERITY_ERROR,
	"Remove the statement: all scripts of a module run in one transaction."},
	[PD_LINT_COPY] = {"copy", PD_SEVERITY_ERROR,
	"Use INSERT with a list of VALUES."},
	[PD_LINT_CONCURRENTLY] = {"concurrently", PD_SEVERITY_ERROR,
	"Leave CONCURRENTLY out: all scripts of a module run in one transaction. Where others cannot wait, upgrade in a maintenance window."},
	[PD_LINT_MAINTENANCE] = {"maintenance", PD_SEVERITY_ERROR,
	"Remove the statement, and run it outside the module."},
	[PD_LINT_SESSION_SETTING] = {"session_setting", PD_SEVERITY_ERROR,
	"Remove the statement: scripts run as the owner role, with the path of the module's own schema and the tenant bound."},
	[PD_LINT_CHANGE_OWNER] = {"change_owner", PD_SEVERITY_ERROR,
	"Leave the owner as it is; a module's objects belong to the owner role."},
	[PD_LINT_SET_SCHEMA] = {"set_schema", PD_SEVERITY_ERROR,
	"Objects stay in the schema that they were made in."},
	[PD_LINT_REFUSED_STATEMENT] = {"refused_statement", PD_SEVERITY_ERROR,
	"A script makes, alters and fills the tables of its own schema; run the statement outside the module."},
	[PD_LINT_TENANT_SCHEMA] = {"tenant_schema", PD_SEVERITY_ERROR,
	"Leave the schema out: for each tenant the script runs with the path of that tenant's own schema."},
	[PD_LINT_REFERENCE_REGISTRY] = {"reference_registry", PD_SEVERITY_ERROR,
	"Leave the foreign key out: row-level security and the column's default keep tenant_id right, and publicdigit.drop_tenant() drops a tenant's tables with it."},
	[PD_LINT_REFERENCE_LANDLORD] = {"reference_landlord", PD_SEVERITY_INFO,
	"Use publicdigit.reference_landlord() in place of the foreign key: each install and uninstall of a tenant locks the landlord's table, and each delete there searches the tables of all tenants."},
	[PD_LINT_MISSING_REQUIREMENT] = {"missing_requirement", PD_SEVERITY_WARNING,
	"Name the module under \"requires\" in module.json: the script fails where it is not installed, and without the key nothing keeps it from being uninstalled."},
	[PD_LINT_CHANGED_MIGRATION] = {"changed_migration", PD_SEVERITY_ERROR,
	"Put the script back and write a new migration: where it is applied every upgrade would stop."},
	[PD_LINT_LOST_MIGRATION] = {"lost_migration", PD_SEVERITY_ERROR,
	"A version carries every migration up to it, under the same name; where this one is applied no upgrade leads to a version without it."},
	[PD_LINT_DROP_ON_UNINSTALL] = {"drop_on_uninstall", PD_SEVERITY_ERROR,
	"Write \"on_uninstall\" as the version before has it.  Left out, it means \"drop\"."},
};

/*
 * pd_lint_rule
 *		A rule.
 */
const PdLintRule *
pd_lint_rule(PdLintRuleId id)
{
	return &rules[id];
}

/*
 * pd_severity_name
 *		What users call a severity.
 */
const char *
pd_severity_name(PdSeverity severity)
{
	switch (severity)
	{
		case PD_SEVERITY_INFO:
			return "info";
		case PD_SEVERITY_WARNING:
			return "warning";
		case PD_SEVERITY_ERROR:
			return "error";
	}
	return NULL;				/* keep compiler quiet */
}

/*
 * pd_lock_name
 *		What SQL calls a lock mode.
 */
const char *
pd_lock_name(LOCKMODE lock)
{
	static const char *const names[MaxLockMode + 1] = {
		[AccessShareLock] = "ACCESS SHARE",
		[RowShareLock] = "ROW SHARE",
		[RowExclusiveLock] = "ROW EXCLUSIVE",
		[ShareUpdateExclusiveLock] = "SHARE UPDATE EXCLUSIVE",
		[ShareLock] = "SHARE",
		[ShareRowExclusiveLock] = "SHARE ROW EXCLUSIVE",
		[ExclusiveLock] = "EXCLUSIVE",
		[AccessExclusiveLock] = "ACCESS EXCLUSIVE",
	};

	return names[lock];
}

/*
 * pd_lint_report
 *		Add a finding at the present statement; nothing for a migration that
 *		the version does not add.
 *
 * lock is the mode that the statement takes on object, which is kind and name
 * as in: table "members".
 */
void
pd_lint_report(PdLint *lint, PdLintRuleId rule, LOCKMODE lock,
			   const char *object, const char *format,...)
{
	MemoryContext old;
	PdLintFinding *finding;
	StringInfoData message;
	const char *content = lint->script->content;

	if (!lint->is_new)
		return;
	old = MemoryContextSwitchTo(lint->memory);
	initStringInfo(&message);
	for (;;)
	{
		va_list		args;
		int			needed;

		va_start(args, format);
		needed = appendStringInfoVA(&message, format, args);
		va_end(args);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}

	finding = palloc(sizeof(PdLintFinding));
	finding->rule = rule;
	finding->script = lint->script;
	finding->line = pd_script_line(content,
								   pd_script_skip_blanks(content, lint->location));
	finding->lock = lock;
	finding->object = pstrdup(object);
	finding->message = message.data;
	lint->findings = lappend(lint->findings, finding);
	MemoryContextSwitchTo(old);
}

/*
 * pd_lint_retract
 *		Take back what a later statement has mended.
 */
void
pd_lint_retract(PdLint *lint, PdLintRuleId rule, const char *object)
{
	ListCell   *cell;

	foreach(cell, lint->findings)
	{
		PdLintFinding *finding = lfirst(cell);

		if (finding->rule == rule && strcmp(finding->object, object) == 0)
			lint->findings = foreach_delete_current(lint->findings, cell);
	}
}
