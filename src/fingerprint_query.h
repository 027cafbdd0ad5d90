/*-------------------------------------------------------------------------
 *
 * fingerprint_query.h
 *	  The query by which fingerprint.c reads the catalogs.
 *
 * Given are the OIDs of what is in the schema by itself:
 *
 *	$1	tables, views, sequences	$2	functions	$3	types
 *	$4	classes of the others		$5	their OIDs
 *	$6	owner, $7 app and $8 admin role
 *
 * A row is a property of such an object (class, parent), or of what is part of
 * it (sub, name).  It never goes by a schema: the catalogs hold the rows of all
 * tenants, and each join finds its rows by an index on an OID.
 *
 *-------------------------------------------------------------------------
 */
#ifndef PUBLICDIGIT_FINGERPRINT_QUERY_H
#define PUBLICDIGIT_FINGERPRINT_QUERY_H

/* A role by what it is here, so that it may have another name elsewhere. */
#define ROLE(oid) \
	"CASE pg_get_userbyid(" oid ") WHEN $6 THEN '@owner' WHEN $7 THEN '@app'" \
	" WHEN $8 THEN '@admin' ELSE quote_ident(pg_get_userbyid(" oid ")::text) END"

#define ROLE_OR_PUBLIC(oid) \
	"CASE WHEN " oid " = 0 THEN 'PUBLIC' ELSE " ROLE(oid) " END"

#define SORTED(array) \
	"(SELECT string_agg(e, ', ' ORDER BY e COLLATE \"C\") FROM unnest(" array ") AS e)"

#define YES_NO(condition)	"CASE WHEN " condition " THEN 'yes' ELSE 'no' END"

/* Of triggers and rules. */
#define STATE(enabled) \
	"CASE " enabled " WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled'" \
	" WHEN 'R' THEN 'replica' ELSE 'always' END"

/* Tables, views and sequences, those of columns too. */
#define RELATIONS \
	" SELECT 'pg_class'::regclass, r.parent, r.sub, c.relname," \
	"  'pg_class'::regclass, c.oid, c.relowner, c.relacl," \
	"  CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::\"char\"," \
	"  CASE WHEN c.relkind IN ('v', 'm') THEN btrim(pg_get_viewdef(c.oid))" \
	"   WHEN c.relkind = 'p' THEN 'PARTITION BY ' || pg_get_partkeydef(c.oid)" \
	"   WHEN c.relkind = 'S' THEN (SELECT concat('AS ', format_type(s.seqtypid, NULL)," \
	"     ' START ', s.seqstart, ' INCREMENT ', s.seqincrement, ' MINVALUE ', s.seqmin," \
	"     ' MAXVALUE ', s.seqmax, ' CACHE ', s.seqcache," \
	"     CASE WHEN s.seqcycle THEN ' CYCLE' END)" \
	"    FROM pg_sequence AS s WHERE s.seqrelid = c.oid)" \
	"   ELSE 'present' END" \
	" FROM relation AS r JOIN pg_class AS c ON c.oid = r.oid"

/* The index of a key is told by the key. */
#define INDEXES \
	" SELECT 'pg_class'::regclass, i.indrelid, 'index', i.relname," \
	"  'pg_class'::regclass, i.oid, 0::oid, NULL::aclitem[], NULL::\"char\"," \
	"  concat_ws(' ', pg_get_indexdef(i.oid, 0, true)," \
	"   CASE WHEN NOT i.indisvalid THEN 'INVALID' END," \
	"   CASE WHEN i.indisclustered THEN 'CLUSTER' END," \
	"   CASE WHEN i.indisreplident THEN 'REPLICA IDENTITY' END)" \
	" FROM \"index\" AS i WHERE i.oid NOT IN (SELECT k.conindid FROM key AS k)"

/* A constraint 'n' is told by its column. */
#define CONSTRAINTS \
	" SELECT 'pg_class'::regclass, k.conrelid, 'constraint', k.conname," \
	"  'pg_constraint'::regclass, k.oid, 0, NULL, NULL, pg_get_constraintdef(k.oid)" \
	" FROM pg_constraint AS k" \
	" WHERE k.conrelid = ANY ($1) AND k.contype IN ('c', 'f', 'p', 'u', 'x')" \
	" UNION ALL" \
	" SELECT 'pg_type'::regclass, k.contypid, 'constraint', k.conname," \
	"  'pg_constraint'::regclass, k.oid, 0, NULL, NULL, pg_get_constraintdef(k.oid)" \
	" FROM pg_constraint AS k WHERE k.contypid = ANY ($3) AND k.contype = 'c'"

#define TRIGGERS \
	" SELECT 'pg_class'::regclass, t.tgrelid, 'trigger', t.tgname," \
	"  'pg_trigger'::regclass, t.oid, 0, NULL, NULL, pg_get_triggerdef(t.oid, true)" \
	" FROM pg_trigger AS t WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal"

#define POLICIES \
	" SELECT 'pg_class'::regclass, p.polrelid, 'policy', p.polname," \
	"  'pg_policy'::regclass, p.oid, 0, NULL, NULL," \
	"  concat('AS ', CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END," \
	"   ' FOR ', CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT'" \
	"    WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END," \
	"   ' TO ', (SELECT string_agg(s.role, ', ' ORDER BY s.role COLLATE \"C\") FROM" \
	"    (SELECT " ROLE_OR_PUBLIC("e") " AS role FROM unnest(p.polroles) AS e) AS s)," \
	"   ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')'," \
	"   ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')" \
	" FROM pg_policy AS p WHERE p.polrelid = ANY ($1)"

#define RULES \
	" SELECT 'pg_class'::regclass, r.ev_class, 'rule', r.rulename," \
	"  'pg_rewrite'::regclass, r.oid, 0, NULL, NULL, pg_get_ruledef(r.oid, true)" \
	" FROM pg_rewrite AS r WHERE r.ev_class = ANY ($1) AND r.rulename <> '_RETURN'"

#define FUNCTIONS \
	" SELECT 'pg_proc'::regclass, p.oid, NULL, NULL," \
	"  'pg_proc'::regclass, p.oid, p.proowner, p.proacl, 'f'," \
	"  coalesce('RETURNS ' || pg_get_function_result(p.oid), 'present')" \
	" FROM pg_proc AS p WHERE p.oid = ANY ($2)"

#define TYPES \
	" SELECT 'pg_type'::regclass, t.oid, NULL, NULL," \
	"  'pg_type'::regclass, t.oid, t.typowner, t.typacl, 'T'," \
	"  CASE t.typtype WHEN 'd' THEN concat('DOMAIN OVER ', format_type(t.typbasetype, t.typtypmod)," \
	"    ' COLLATE ' || nullif(t.typcollation, 0)::regcollation::text)" \
	"   WHEN 'e' THEN (SELECT format('ENUM (%s)'," \
	"     string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder))" \
	"    FROM pg_enum AS e WHERE e.enumtypid = t.oid)" \
	"   WHEN 'c' THEN (SELECT format('COMPOSITE (%s)', string_agg(concat(quote_ident(a.attname)," \
	"     ' ', format_type(a.atttypid, a.atttypmod)," \
	"     ' COLLATE ' || nullif(a.attcollation, 0)::regcollation::text), ', ' ORDER BY a.attnum))" \
	"    FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0" \
	"     AND NOT a.attisdropped)" \
	"   WHEN 'r' THEN (SELECT concat_ws(' ', 'RANGE OF', format_type(r.rngsubtype, NULL)," \
	"     'COLLATE ' || nullif(r.rngcollation, 0)::regcollation::text," \
	"     'DIFF ' || nullif(r.rngsubdiff, 0)::regproc::text," \
	"     'CANONICAL ' || nullif(r.rngcanonical, 0)::regproc::text)" \
	"    FROM pg_range AS r WHERE r.rngtypid = t.oid)" \
	"   ELSE 'present' END" \
	" FROM pg_type AS t WHERE t.oid = ANY ($3)"

/* By to_jsonb() where versions of the server name a column differently. */
#define OTHERS \
	" SELECT o.class::regclass, o.oid, NULL, NULL, o.class::regclass, o.oid," \
	"  coalesce(s.stxowner, c.collowner, d.dictowner, f.cfgowner, 0), NULL, NULL," \
	"  CASE WHEN s.oid IS NOT NULL THEN concat(" \
	"    " SORTED("s.stxkind::text[]") ", ' ON '," \
	"    concat_ws(', ', (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname)" \
	"      FROM pg_attribute AS a WHERE a.attrelid = s.stxrelid" \
	"       AND a.attnum = ANY (s.stxkeys::int2[]))," \
	"     array_to_string(pg_get_statisticsobjdef_expressions(s.oid), ', '))," \
	"    ' FROM ', s.stxrelid::regclass)" \
	"   WHEN c.oid IS NOT NULL THEN concat_ws(' ', c.collprovider," \
	"    CASE WHEN NOT c.collisdeterministic THEN 'nondeterministic' END," \
	"    c.collcollate, c.collctype," \
	"    coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale')," \
	"    to_jsonb(c) ->> 'collicurules')" \
	"   WHEN d.oid IS NOT NULL THEN concat_ws(' ', 'TEMPLATE'," \
	"    (SELECT quote_ident(tmplname) FROM pg_ts_template AS t WHERE t.oid = d.dicttemplate)," \
	"    d.dictinitoption)" \
	"   WHEN f.oid IS NOT NULL THEN (SELECT string_agg(concat(m.maptokentype, ': '," \
	"     m.mapdict::regdictionary), ', ' ORDER BY m.maptokentype, m.mapseqno)" \
	"    FROM pg_ts_config_map AS m WHERE m.mapcfg = f.oid)" \
	"   ELSE 'present' END" \
	" FROM unnest($4::oid[], $5::oid[]) AS o (class, oid)" \
	" LEFT JOIN pg_statistic_ext AS s ON o.class = 'pg_statistic_ext'::regclass AND s.oid = o.oid" \
	" LEFT JOIN pg_collation AS c ON o.class = 'pg_collation'::regclass AND c.oid = o.oid" \
	" LEFT JOIN pg_ts_dict AS d ON o.class = 'pg_ts_dict'::regclass AND d.oid = o.oid" \
	" LEFT JOIN pg_ts_config AS f ON o.class = 'pg_ts_config'::regclass AND f.oid = o.oid"

/*
 * What these have in common.  Most tables have the same privileges, so lists of
 * them are taken apart once each.
 */
#define COMMON \
	" SELECT class, parent, sub, name, '' AS property, value FROM thing" \
	" UNION ALL" \
	" SELECT class, parent, sub, name, 'owner', " ROLE("owner") " FROM thing WHERE owner <> 0" \
	" UNION ALL" \
	" SELECT t.class, t.parent, t.sub, t.name, 'grant to ' || g.grantee, g.privileges" \
	" FROM thing AS t JOIN acl AS a ON a.owner = t.owner AND a.acltype = t.acltype" \
	"  AND a.acl IS NOT DISTINCT FROM t.acl" \
	" JOIN \"grant\" AS g ON g.n = a.n" \
	" UNION ALL" \
	" SELECT t.class, t.parent, t.sub, t.name, 'comment', d.description" \
	" FROM thing AS t JOIN pg_description AS d" \
	"  ON d.objoid = t.oid AND d.classoid = t.catalog AND d.objsubid = 0"

/*
 * A list of VALUES beside each column would be one branch, and five times as
 * slow: the executor makes its expressions ready anew for each row.
 */
#define COLUMN_PROPERTY(property, value, condition) \
	" UNION ALL SELECT 'pg_class'::regclass, parent, 'column', name, '" property "', " value \
	" FROM \"column\" WHERE " condition

#define COLUMNS \
	" SELECT 'pg_class'::regclass, parent, 'column', name, ''," \
	"  format_type(atttypid, atttypmod) || CASE WHEN NOT attnotnull THEN ''" \
	"   WHEN (parent, attnum) IN (SELECT n.parent, n.attnum FROM not_valid AS n)" \
	"   THEN ' NOT NULL NOT VALID' ELSE ' NOT NULL' END" \
	/* NOT IN is looked up in a hash table; IN is a join that formats types again and again */ \
	" FROM \"column\"" \
	" WHERE parent NOT IN (SELECT oid FROM whole WHERE relkind NOT IN ('r', 'p', 'f'))" \
	COLUMN_PROPERTY("collation", "attcollation::regcollation::text", \
					"attcollation NOT IN (0, 'pg_catalog.default'::regcollation)") \
	COLUMN_PROPERTY("identity", "CASE attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END", \
					"attidentity <> ''") \
	COLUMN_PROPERTY("storage", "CASE attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'" \
		" ELSE 'main' END", "attlen = -1 AND attstorage <> 'x'") \
	COLUMN_PROPERTY("compression", "CASE attcompression WHEN 'p' THEN 'pglz' ELSE 'lz4' END", \
					"attcompression <> ''") \
	COLUMN_PROPERTY("statistics", "attstattarget::text", "attstattarget <> -1") \
	/* the server's own count, in its newest minor versions */ \
	COLUMN_PROPERTY("options", "(SELECT string_agg(e, ', ' ORDER BY e COLLATE \"C\")" \
		" FROM unnest(attoptions) AS e WHERE NOT starts_with(e, 'pg_attver='))", \
		"cardinality(attoptions) > 1 OR NOT starts_with(attoptions[1], 'pg_attver=')") \
	" UNION ALL" \
	" SELECT 'pg_class'::regclass, c.parent, 'column', c.name," \
	"  CASE WHEN c.attgenerated = '' THEN 'default' ELSE 'generated' END," \
	"  pg_get_expr(d.adbin, d.adrelid)" \
	"  || CASE c.attgenerated WHEN 's' THEN ' STORED' WHEN 'v' THEN ' VIRTUAL' ELSE '' END" \
	" FROM \"column\" AS c JOIN pg_attrdef AS d ON d.adrelid = c.parent AND d.adnum = c.attnum" \
	" WHERE c.atthasdef" \
	" UNION ALL" \
	" SELECT 'pg_class'::regclass, c.parent, 'column', c.name," \
	"  'grant to ' || " ROLE_OR_PUBLIC("x.grantee") "," \
	"  string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END," \
	"   ', ' ORDER BY x.privilege_type)" \
	" FROM \"column\" AS c CROSS JOIN LATERAL aclexplode(c.attacl) AS x" \
	" WHERE c.attacl IS NOT NULL" \
	" GROUP BY c.parent, c.name, x.grantee" \
	" UNION ALL" \
	" SELECT 'pg_class'::regclass, a.attrelid, 'column', a.attname, 'comment', d.description" \
	" FROM pg_description AS d JOIN pg_attribute AS a" \
	"  ON a.attrelid = d.objoid AND a.attnum = d.objsubid" \
	" WHERE d.classoid = 'pg_class'::regclass AND d.objoid = ANY ($1) AND d.objsubid > 0"

#define RELATION_PROPERTY(property, value, condition) \
	" UNION ALL SELECT 'pg_class'::regclass, oid, NULL, NULL, '" property "', " value \
	" FROM whole WHERE " condition

#define RELATION_PROPERTIES \
	" SELECT 'pg_class'::regclass, oid, NULL, NULL, 'row-level security'," \
	"  CASE WHEN relrowsecurity THEN 'enabled' ELSE 'disabled' END" \
	" FROM whole WHERE relkind IN ('r', 'p')" \
	RELATION_PROPERTY("row-level security forced", YES_NO("relforcerowsecurity"), \
					  "relkind IN ('r', 'p')") \
	RELATION_PROPERTY("logged", YES_NO("relpersistence = 'p'"), "relkind IN ('r', 'S')") \
	RELATION_PROPERTY("options", SORTED("reloptions"), "reloptions IS NOT NULL") \
	RELATION_PROPERTY("replica identity", "CASE relreplident WHEN 'f' THEN 'full'" \
		" WHEN 'i' THEN 'index' ELSE 'nothing' END", \
		"relkind IN ('r', 'p') AND relreplident <> 'd'") \
	RELATION_PROPERTY("tablespace", "(SELECT s.spcname::text FROM pg_tablespace AS s" \
		" WHERE s.oid = reltablespace)", "reltablespace <> 0") \
	RELATION_PROPERTY("access method", "(SELECT m.amname::text FROM pg_am AS m WHERE m.oid = relam)", \
					  "relam <> 0") \
	RELATION_PROPERTY("of type", "reloftype::regtype::text", "reloftype <> 0") \
	RELATION_PROPERTY("partition", "pg_get_expr(relpartbound, oid)", "relpartbound IS NOT NULL") \
	" UNION ALL" \
	" SELECT 'pg_class'::regclass, i.inhrelid, NULL, NULL, 'parents'," \
	"  string_agg(i.inhparent::regclass::text, ', '" \
	"   ORDER BY i.inhparent::regclass::text COLLATE \"C\")" \
	" FROM pg_inherits AS i WHERE i.inhrelid = ANY ($1) GROUP BY i.inhrelid" \
	" UNION ALL" \
	" SELECT 'pg_class'::regclass, c.oid, NULL, NULL, 'toast options', " SORTED("t.reloptions") \
	" FROM whole AS c JOIN pg_class AS t ON t.oid = c.reltoastrelid" \
	" WHERE t.reloptions IS NOT NULL"

/* A key's index, and whether triggers and rules, those of foreign keys too, are on. */
#define PART_PROPERTIES \
	" SELECT 'pg_class'::regclass, k.conrelid, 'constraint', k.conname, 'index'," \
	"  concat_ws(', ', " SORTED("i.reloptions") "," \
	"   CASE WHEN i.indisclustered THEN 'CLUSTER' END," \
	"   CASE WHEN i.indisreplident THEN 'REPLICA IDENTITY' END)" \
	" FROM \"index\" AS i JOIN key AS k ON k.conindid = i.oid" \
	" WHERE i.reloptions IS NOT NULL OR i.indisclustered OR i.indisreplident" \
	" UNION ALL" \
	" SELECT 'pg_class'::regclass, t.tgrelid, 'trigger', t.tgname, 'state', " \
	STATE("t.tgenabled") \
	" FROM pg_trigger AS t WHERE t.tgrelid = ANY ($1) AND NOT t.tgisinternal" \
	" UNION ALL" \
	" SELECT 'pg_class'::regclass, k.conrelid, 'constraint', k.conname, 'state'," \
	"  string_agg(DISTINCT " STATE("t.tgenabled") ", ', ')" \
	" FROM pg_constraint AS k JOIN pg_trigger AS t ON t.tgconstraint = k.oid" \
	" WHERE k.conrelid = ANY ($1) AND k.contype = 'f' AND t.tgisinternal AND t.tgenabled <> 'O'" \
	" GROUP BY k.conrelid, k.conname" \
	" UNION ALL" \
	" SELECT 'pg_class'::regclass, r.ev_class, 'rule', r.rulename, 'state', " \
	STATE("r.ev_enabled") \
	" FROM pg_rewrite AS r WHERE r.ev_class = ANY ($1) AND r.rulename <> '_RETURN'"

#define FUNCTION_PROPERTIES \
	" SELECT 'pg_proc'::regclass, p.oid, NULL, NULL, v.property, v.value" \
	" FROM pg_proc AS p CROSS JOIN LATERAL (VALUES" \
	"  ('arguments', nullif(pg_get_function_arguments(p.oid), ''))," \
	"  ('language', (SELECT l.lanname::text FROM pg_language AS l WHERE l.oid = p.prolang))," \
	"  ('body', CASE WHEN p.prokind <> 'a'" \
	"    THEN coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) END)," \
	"  ('library', p.probin)," \
	"  ('kind', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate'" \
	"    WHEN 'w' THEN 'window function' ELSE 'function' END)," \
	"  ('volatility', CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable'" \
	"    ELSE 'volatile' END)," \
	"  ('security definer', " YES_NO("p.prosecdef") ")," \
	"  ('strict', " YES_NO("p.proisstrict") ")," \
	"  ('leakproof', " YES_NO("p.proleakproof") ")," \
	"  ('parallel', CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted'" \
	"    ELSE 'unsafe' END)," \
	"  ('cost', p.procost::text), ('rows', nullif(p.prorows, 0)::text)," \
	"  ('support', nullif(p.prosupport::oid, 0)::regproc::text)," \
	"  ('settings', " SORTED("p.proconfig") ")," \
	"  ('aggregate', (SELECT concat_ws(' ', a.aggtransfn, format_type(a.aggtranstype, NULL)," \
	"     a.aggfinalfn, a.aggcombinefn, a.agginitval)" \
	"    FROM pg_aggregate AS a WHERE a.aggfnoid = p.oid))) AS v (property, value)" \
	" WHERE p.oid = ANY ($2)"

#define TYPE_PROPERTIES \
	" SELECT 'pg_type'::regclass, t.oid, NULL, NULL, v.property, v.value" \
	" FROM pg_type AS t CROSS JOIN LATERAL (VALUES" \
	"  ('default', coalesce(pg_get_expr(t.typdefaultbin, 0), t.typdefault))," \
	"  ('not null', CASE WHEN t.typtype = 'd' THEN " YES_NO("t.typnotnull") " END)" \
	" ) AS v (property, value)" \
	" WHERE t.oid = ANY ($3)"

#define PD_FINGERPRINT_QUERY \
	"WITH relation (parent, sub, oid) AS (" \
	" SELECT r, NULL::text, r FROM unnest($1::oid[]) AS r" \
	" UNION ALL" \
	" SELECT d.refobjid, 'sequence', s.oid" \
	" FROM pg_depend AS d JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'" \
	" WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY ($1)" \
	"  AND d.refobjsubid > 0 AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')" \
	"), whole AS MATERIALIZED (" \
	" SELECT * FROM pg_class AS c WHERE c.oid = ANY ($1)" \
	"), \"index\" AS MATERIALIZED (" \
	" SELECT i.indrelid, i.indisvalid, i.indisclustered, i.indisreplident," \
	"  c.oid, c.relname, c.reloptions" \
	" FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE i.indrelid = ANY ($1)" \
	"), key AS MATERIALIZED (" \
	" SELECT k.conrelid, k.conname, k.conindid FROM pg_constraint AS k" \
	" WHERE k.conrelid = ANY ($1) AND k.contype IN ('p', 'u', 'x')" \
	"), \"column\" AS MATERIALIZED (" \
	" SELECT a.attrelid AS parent, a.attname AS name, a.attnum, a.atttypid, a.atttypmod," \
	"  a.attlen, a.attcollation, a.attstorage, a.attnotnull, a.attidentity, a.attcompression," \
	"  a.attstattarget, a.attoptions, a.atthasdef, a.attgenerated, a.attacl" \
	" FROM pg_attribute AS a" \
	" WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped" \
	"  AND a.attrelid NOT IN (SELECT oid FROM whole WHERE relkind = 'S')" \
	"), not_valid (parent, attnum) AS MATERIALIZED (" \
	" SELECT k.conrelid, k.conkey[1] FROM pg_constraint AS k" \
	" WHERE k.conrelid = ANY ($1) AND k.contype = 'n' AND NOT k.convalidated" \
	"), thing (class, parent, sub, name, catalog, oid, owner, acl, acltype, value) AS (" \
	RELATIONS " UNION ALL" INDEXES " UNION ALL" CONSTRAINTS " UNION ALL" TRIGGERS \
	" UNION ALL" POLICIES " UNION ALL" RULES " UNION ALL" FUNCTIONS " UNION ALL" TYPES \
	" UNION ALL" OTHERS \
	"), acl AS MATERIALIZED (" \
	" SELECT row_number() OVER () AS n, a.* FROM" \
	"  (SELECT DISTINCT owner, acltype, acl FROM thing WHERE acltype IS NOT NULL) AS a" \
	"), \"grant\" AS MATERIALIZED (" \
	" SELECT a.n, CASE WHEN x.grantee = a.owner THEN 'owner'" \
	"   ELSE " ROLE_OR_PUBLIC("x.grantee") " END AS grantee," \
	"  string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END," \
	"   ', ' ORDER BY x.privilege_type) AS privileges" \
	" FROM acl AS a" \
	" CROSS JOIN LATERAL aclexplode(coalesce(a.acl, acldefault(a.acltype, a.owner))) AS x" \
	" GROUP BY a.n, a.owner, x.grantee" \
	") SELECT class::oid AS class, parent, sub, quote_ident(name) AS name, property, value" \
	" FROM (" COMMON " UNION ALL" COLUMNS " UNION ALL" RELATION_PROPERTIES \
	" UNION ALL" PART_PROPERTIES " UNION ALL" FUNCTION_PROPERTIES \
	" UNION ALL" TYPE_PROPERTIES ") AS item (class, parent, sub, name, property, value)" \
	" WHERE value IS NOT NULL"

#endif							/* PUBLICDIGIT_FINGERPRINT_QUERY_H */
