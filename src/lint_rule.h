/*-------------------------------------------------------------------------
 *
 * lint_rule.h
 *	  The rules of the lint, and what they find: shared by the files of the
 *	  lint alone.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_LINT_RULE_H
#define PUBLICDIGIT_LINT_RULE_H

#include "postgres.h"

#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

#include "module_source.h"

typedef enum PdSeverity
{
	PD_SEVERITY_INFO,			/* advice */
	PD_SEVERITY_WARNING,		/* locks, or breaks code that runs */
	PD_SEVERITY_ERROR			/* loses data, or will be refused */
} PdSeverity;

/* In the order of doc/lint.md. */
typedef enum PdLintRuleId
{
	/* Hazards: what is lost. */
	PD_LINT_DROP_TABLE,
	PD_LINT_DROP_COLUMN,
	PD_LINT_DROP_SEQUENCE,
	PD_LINT_DROP_CASCADE,
	PD_LINT_TRUNCATE,
	PD_LINT_DELETE_WITHOUT_WHERE,
	PD_LINT_NOT_NULL_WITHOUT_DEFAULT,
	/* Hazards: what locks for as long as the table is read or written. */
	PD_LINT_UPDATE_WITHOUT_WHERE,
	PD_LINT_CHANGE_TYPE,
	PD_LINT_VOLATILE_DEFAULT,
	PD_LINT_FILLED_COLUMN,
	PD_LINT_SET_NOT_NULL,
	PD_LINT_CHECK_CONSTRAINT,
	PD_LINT_FOREIGN_KEY,
	PD_LINT_UNIQUE_CONSTRAINT,
	PD_LINT_EXCLUSION_CONSTRAINT,
	PD_LINT_VALIDATE_AT_ONCE,
	PD_LINT_DOMAIN_CONSTRAINT,
	PD_LINT_CREATE_INDEX,
	PD_LINT_REWRITE_TABLE,
	PD_LINT_REFRESH_MATERIALIZED_VIEW,
	PD_LINT_ATTACH_PARTITION,
	PD_LINT_DETACH_PARTITION,
	PD_LINT_CREATE_PARTITION,
	PD_LINT_CREATE_TRIGGER,
	PD_LINT_DISABLE_TRIGGER,
	PD_LINT_LOCK_TABLE,
	/* Hazards: what running code misses. */
	PD_LINT_RENAME_TABLE,
	PD_LINT_RENAME_COLUMN,
	PD_LINT_RENAME_OBJECT,
	PD_LINT_DROP_CONSTRAINT,
	PD_LINT_DROP_INDEX,
	PD_LINT_DROP_TRIGGER,
	PD_LINT_DROP_VIEW,
	PD_LINT_DROP_FUNCTION,
	PD_LINT_DROP_TYPE,
	PD_LINT_RENAME_ENUM_VALUE,
	PD_LINT_ADD_ENUM_VALUE,
	/* Golden rules, and what no script may run. */
	PD_LINT_TENANT_ID_MISSING,
	PD_LINT_TENANT_ID_TYPE,
	PD_LINT_TENANT_ID_NULL,
	PD_LINT_TENANT_ID_DEFAULT,
	PD_LINT_FOREIGN_KEY_NULLS_TENANT,
	PD_LINT_ROW_SECURITY_OFF,
	PD_LINT_TENANT_POLICY,
	PD_LINT_SECURITY_DEFINER,
	PD_LINT_SECURITY_INVOKER,
	PD_LINT_GRANT,
	PD_LINT_TRANSACTION_CONTROL,
	PD_LINT_COPY,
	PD_LINT_CONCURRENTLY,
	PD_LINT_MAINTENANCE,
	PD_LINT_SESSION_SETTING,
	PD_LINT_CHANGE_OWNER,
	PD_LINT_SET_SCHEMA,
	PD_LINT_REFUSED_STATEMENT,
	PD_LINT_TENANT_SCHEMA,
	PD_LINT_REFERENCE_REGISTRY,
	PD_LINT_REFERENCE_LANDLORD,
	PD_LINT_MISSING_REQUIREMENT,
	PD_LINT_CHANGED_MIGRATION,
	PD_LINT_LOST_MIGRATION,
	PD_LINT_DROP_ON_UNINSTALL
} PdLintRuleId;

#define PD_LINT_RULES	(PD_LINT_DROP_ON_UNINSTALL + 1)

typedef struct PdLintRule
{
	const char *name;
	PdSeverity	severity;
	const char *hint;			/* the safe way */
} PdLintRule;

typedef struct PdLintFinding
{
	PdLintRuleId rule;
	const PdScript *script;		/* or what stands for the manifest */
	int			line;
	LOCKMODE	lock;			/* NoLock where none is worth a word */
	char	   *object;			/* what is locked, and what it is called */
	char	   *message;
} PdLintFinding;

/* What a version has made itself so far, so that nobody uses it yet. */
typedef struct PdLintObject
{
	ObjectType	type;
	char	   *table;			/* of a trigger or constraint, else NULL */
	char	   *name;
} PdLintObject;

/* A CHECK (COLUMN IS NOT NULL) that a migration has made. */
typedef struct PdLintCheck
{
	char	   *table;
	char	   *column;
	char	   *constraint;
	bool		is_valid;
} PdLintCheck;

/* A version that is being linted. */
typedef struct PdLint
{
	const PdModuleSource *source;
	MemoryContext memory;		/* of all that the lists hold */
	bool		is_upgrade;		/* a lower version is registered */
	bool		is_new;			/* this version adds the migration */
	const PdScript *script;
	int			location;		/* byte offset of the statement */
	int			error_location; /* of the error, where the script does not parse */
	List	   *objects;		/* of PdLintObject */
	List	   *checks;			/* of PdLintCheck */
	List	   *uses;			/* of tables, for lint_use.c alone */
	List	   *own;			/* names of relations that any script makes, of char * */
	List	   *findings;		/* of PdLintFinding */
} PdLint;

/* lint_rule.c */
extern const PdLintRule *pd_lint_rule(PdLintRuleId id);
extern const char *pd_severity_name(PdSeverity severity);
extern const char *pd_lock_name(LOCKMODE lock);
extern void pd_lint_report(PdLint *lint, PdLintRuleId rule, LOCKMODE lock,
						   const char *object, const char *format,...) pg_attribute_printf(5, 6);
extern void pd_lint_retract(PdLint *lint, PdLintRuleId rule, const char *object);

/* lint_made.c */
extern char *pd_lint_name(const PdLint *lint, const RangeVar *relation);
extern void pd_lint_note(PdLint *lint, ObjectType type, const char *table, const char *name);
extern void pd_lint_forget(PdLint *lint, ObjectType type, const char *table, const char *name);
extern bool pd_lint_has_made(const PdLint *lint, ObjectType type, const char *table, const char *name);
extern void pd_lint_note_check(PdLint *lint, const char *table, const char *column,
							   const Constraint *constraint);
extern void pd_lint_validate_check(PdLint *lint, const char *table, const char *constraint);
extern void pd_lint_forget_check(PdLint *lint, const char *table, const char *constraint);
extern bool pd_lint_is_checked(const PdLint *lint, const char *table, const char *column);

/* lint_column.c */
extern bool pd_lint_is_tenant_table(const PdLint *lint, const RangeVar *relation);
extern void pd_lint_tenant_column(PdLint *lint, const char *table, const ColumnDef *column);
extern void pd_lint_added_column(PdLint *lint, const char *table, const ColumnDef *column,
								 LOCKMODE lock);
extern void pd_lint_added_constraint(PdLint *lint, const char *table, const char *column,
									 const Constraint *constraint, LOCKMODE lock);
extern void pd_lint_foreign_key(PdLint *lint, const char *table, const char *column,
								const Constraint *key);

/* lint_table.c */
extern void pd_lint_create_table(PdLint *lint, const CreateStmt *stmt);
extern void pd_lint_create_table_as(PdLint *lint, const IntoClause *into, const SelectStmt *query);
extern void pd_lint_alter_table(PdLint *lint, const AlterTableStmt *stmt);

/* lint_schema.c */
extern void pd_lint_tenant_schema(PdLint *lint, Node *stmt);

/* lint_use.c */
extern void pd_lint_note_uses(PdLint *lint, Node *stmt);
extern void pd_lint_report_uses(PdLint *lint);

/* lint_statement.c, lint_refused.c, lint_drop.c */
extern void pd_lint_statement(PdLint *lint, Node *stmt);
extern bool pd_lint_refused(PdLint *lint, Node *stmt);
extern void pd_lint_drop(PdLint *lint, const DropStmt *stmt);
extern void pd_lint_rename(PdLint *lint, const RenameStmt *stmt);
extern void pd_lint_truncate(PdLint *lint, const TruncateStmt *stmt);

#endif							/* PUBLICDIGIT_LINT_RULE_H */
