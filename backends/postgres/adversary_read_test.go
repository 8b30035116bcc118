package postgres_test

import "testing"

const denied = "permission denied"

// TestTricksOfReaders: ann, with SQL of her own, wants to read bob's notes.
func TestTricksOfReaders(t *testing.T) {
	t.Parallel()
	s := vaulted(t, "readers")
	s.fool(t, s.begun(t), []trick{
		{name: "plain", sql: "SELECT body FROM vault.notes", want: "hers|"},
		{name: "always true", sql: "SELECT body FROM vault.notes WHERE owner = 'bob' OR true", want: "hers|"},
		{name: "union with itself", sql: "SELECT id, owner, body, code, '' FROM vault.notes UNION ALL TABLE ONLY vault.notes", fails: denied},
		{name: "row security off", sql: "SET row_security = off; SELECT body FROM vault.notes", fails: "would be affected by row-level security"},
		{name: "row security off for this transaction", sql: "SET LOCAL row_security = off; SELECT body FROM vault.notes", fails: "would be affected by row-level security"},
		{name: "hidden column", sql: "SELECT seal FROM vault.notes", fails: denied},
		{name: "whole row", sql: "SELECT n FROM vault.notes n", fails: denied},
		{name: "whole row as JSON", sql: "SELECT to_json(n) FROM vault.notes n", fails: denied},
		{name: "hidden column in WHERE", sql: "SELECT id FROM vault.notes WHERE seal LIKE 'C%'", fails: denied},
		{name: "hidden column in a join", sql: "SELECT x.seal FROM vault.notes AS x (id, owner, body, code, seal)", fails: denied},
		{name: "hidden column by NATURAL JOIN", sql: "SELECT 1 FROM vault.notes a NATURAL JOIN vault.notes b", fails: denied},
		{name: "system columns", sql: "SELECT ctid FROM vault.notes", fails: denied},
		{name: "by place", sql: "SELECT body FROM vault.notes WHERE ctid = '(0,2)'", fails: denied},
		{name: "copy of the table", sql: "COPY vault.notes TO STDOUT", fails: denied},
		{name: "copy of its columns", sql: "COPY vault.notes (id, owner, body) TO STDOUT", want: "*"},
		{name: "copy of a query", sql: "COPY (SELECT body FROM vault.notes) TO STDOUT", want: "*"},
		{name: "copy to a program", sql: "COPY (SELECT 1) TO PROGRAM 'cat'", fails: "external program"},
		{name: "copy from a file", sql: "COPY vault.notes (body) FROM '/etc/hostname'", fails: "from a file"},
		{name: "a function with a side effect in WHERE", sql: "SELECT body FROM vault.notes WHERE (1 / (CASE WHEN owner = 'bob' THEN 0 ELSE 1 END)) = 1", want: "hers|"},
		{name: "a cast that tells", sql: "SELECT body FROM vault.notes WHERE body::int = 1", fails: `"hers"`},
		{name: "a cast that tells, first by estimate", sql: "SET LOCAL enable_seqscan = off; SELECT body FROM vault.notes WHERE owner > '' AND body::xml IS DOCUMENT", want: "SET|SELECT 0|"},
		{name: "a set that is made first", sql: "WITH x AS MATERIALIZED (SELECT * FROM (SELECT id, owner, body FROM vault.notes) n) SELECT body FROM x", want: "hers|"},
		{name: "aggregates", sql: "SELECT count(*), max(body), string_agg(owner, '') FROM vault.notes", want: "1|hers|ann|"},
		{name: "the index alone", sql: "SET LOCAL enable_seqscan = off; SELECT min(code), max(code) FROM vault.notes", want: "SET|a1|a1|"},
		{name: "sample", sql: "SELECT body FROM vault.notes TABLESAMPLE SYSTEM (100)", want: "hers|"},
		{name: "lateral", sql: "SELECT n.body FROM generate_series(1, 3) g, LATERAL (SELECT body FROM vault.notes WHERE id = g OFFSET 0) n", want: "hers|"},
		{name: "explain", sql: "EXPLAIN (ANALYZE, VERBOSE, TIMING off) SELECT body FROM vault.notes WHERE body > 'A'", want: "*"},
		{name: "debug output", sql: "SET LOCAL client_min_messages = debug5; SET LOCAL debug_print_plan = on; SET LOCAL debug_print_rewritten = on; SELECT body FROM vault.notes", want: "*"},
		{name: "all plans forbidden", sql: "SET LOCAL jit = on; SET LOCAL jit_above_cost = 0; SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; SELECT body FROM vault.notes", want: "SET|SET|SET|SET|hers|"},
		{name: "parallel workers", sql: "SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SELECT body FROM vault.notes", want: "SET|SET|SET|hers|"},
		{name: "parallel at any cost, old name", sql: "SET force_parallel_mode = on; SELECT body FROM vault.notes", want: "SET|hers|", until: 16},
		{name: "parallel at any cost", sql: "SET debug_parallel_query = on; SELECT body FROM vault.notes", want: "SET|hers|", since: 16},
		{name: "cursor", sql: "DECLARE c CURSOR FOR SELECT body FROM vault.notes; FETCH ALL FROM c", want: "DECLARE CURSOR|hers|"},
		{name: "for update", sql: "SELECT body FROM vault.notes FOR UPDATE", want: "hers|"},
		{name: "for key share", sql: "SELECT body FROM vault.notes FOR KEY SHARE", want: "hers|"},
		{name: "statistics", sql: "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats WHERE tablename = 'notes'", want: "SELECT 0|"},
		{name: "statistics of several columns", sql: "SELECT most_common_vals::text FROM pg_stats_ext WHERE tablename = 'notes'", want: "SELECT 0|"},
		{name: "the statistics themselves", sql: "SELECT stavalues1::text FROM pg_statistic", fails: denied},
		{name: "the statistics of several columns themselves", sql: "SELECT stxdmcv::text FROM pg_statistic_ext_data", fails: denied},
		{name: "table beside it", sql: "SELECT body FROM vault.old", fails: denied},
		{name: "as an XML document", sql: "SELECT query_to_xml('SELECT * FROM vault.notes', true, true, '')", fails: denied},
		{name: "schema as an XML document", sql: "SELECT schema_to_xml('vault', true, true, '')", want: "*"},
		{name: "table as an XML document", sql: "SELECT table_to_xml('vault.notes', true, true, '')", fails: denied},
		{name: "full text search of a query", sql: "SELECT word FROM ts_stat('SELECT to_tsvector(''simple'', body) FROM vault.notes')", want: "hers|"},
		{name: "rewritten query", sql: "SELECT ts_rewrite('a', 'SELECT ''a''::tsquery, plainto_tsquery(''simple'', body) FROM vault.notes')", want: "'hers'|"},
		{name: "file", sql: "SELECT pg_read_file('postgresql.conf')", fails: denied},
		{name: "folder", sql: "SELECT pg_ls_dir('base')", fails: denied},
		{name: "file as a large object", sql: "SELECT lo_import('/etc/hostname')", fails: denied},
		{name: "information schema", sql: "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'vault' AND column_name = 'seal'", want: "0|"},
		{name: "signing keys", sql: "SELECT * FROM postern.keys", fails: denied},
		{name: "directory", sql: "SELECT * FROM postern.directory", fails: denied},
		{name: "password verifiers", sql: "SELECT * FROM postern.passwords", fails: denied},
		{name: "history", sql: "SELECT * FROM postern.history", fails: denied},
		{name: "passwords", sql: "SELECT rolpassword FROM pg_authid", fails: denied},
		{name: "block of code", sql: "DO $$ DECLARE r record; BEGIN FOR r IN SELECT id, owner, body FROM vault.notes LOOP RAISE NOTICE '%', r; END LOOP; END $$", want: "DO|"},
		{name: "snapshot of another", sql: "SELECT body FROM vault.notes WHERE pg_visible_in_snapshot('1'::xid8, pg_current_snapshot()) IS NOT NULL", want: "hers|"},
		{name: "isolation", sql: "ROLLBACK; BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; SELECT body FROM vault.notes", want: "ROLLBACK|BEGIN|SELECT 0|"},
		{name: "replication", sql: "SELECT pg_create_logical_replication_slot('s', 'pgoutput')", fails: "ERROR"},
		{name: "backup", sql: "SELECT pg_switch_wal()", fails: denied},
	})
}

// TestTricksWithObjects: ann wants to make something that works for her.
func TestTricksWithObjects(t *testing.T) {
	t.Parallel()
	s := vaulted(t, "objects")
	var tricks []trick
	for _, sql := range []string{
		"CREATE TEMP TABLE notes (id int)", "CREATE TEMP VIEW notes AS SELECT 1 AS id", "CREATE TEMP SEQUENCE s",
		"SELECT 1 AS id INTO TEMP mine", "CREATE TABLE pg_temp.mine (id int)",
		"CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
		"CREATE FUNCTION vault.leak(text) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'",
		"CREATE FUNCTION public.leak(text) RETURNS boolean COST 0.0001 LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END'",
		"CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
		"CREATE OPERATOR vault.@ (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
		"CREATE FUNCTION postern.user_id() RETURNS text LANGUAGE sql AS 'SELECT ''bob'''",
		"CREATE FUNCTION postern.user_id(int) RETURNS text LANGUAGE sql AS 'SELECT ''bob'''",
		"CREATE VIEW public.v AS SELECT body FROM vault.notes", "CREATE VIEW vault.v AS SELECT body FROM vault.notes",
		"CREATE MATERIALIZED VIEW public.v AS SELECT body FROM vault.notes",
		"CREATE TABLE public.notes (id int)", "CREATE TABLE vault.mine (id bigint REFERENCES vault.notes)",
		"CREATE TABLE vault.child () INHERITS (vault.notes)", "CREATE DOMAIN public.d AS text", "CREATE TYPE public.e AS ENUM ('a')",
		"CREATE AGGREGATE public.a (text) (SFUNC = textcat, STYPE = text)", "CREATE COLLATION public.c FROM \"C\"",
		"CREATE SCHEMA mine", "CREATE SCHEMA AUTHORIZATION CURRENT_USER", "CREATE EXTENSION postgres_fdw", "CREATE LANGUAGE plperlu",
		"CREATE PUBLICATION p FOR TABLE vault.notes", "CREATE FOREIGN DATA WRAPPER w", "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
		"CREATE TRIGGER t BEFORE INSERT ON vault.notes EXECUTE FUNCTION suppress_redundant_updates_trigger()",
		"CREATE RULE r AS ON SELECT TO vault.notes DO INSTEAD SELECT 1", "CREATE POLICY p ON vault.notes USING (true)",
		"CREATE INDEX ON vault.notes ((body || ''))", "CREATE STATISTICS public.s ON owner, body FROM vault.notes", "CREATE ROLE r", "CREATE DATABASE d",
		"CREATE CAST (text AS int) WITH INOUT",
	} {
		tricks = append(tricks, trick{name: sql, sql: sql, fails: "ERROR"})
	}
	s.fool(t, s.begun(t), tricks)
}
