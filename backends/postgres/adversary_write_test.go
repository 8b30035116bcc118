package postgres_test

import "testing"

const violates = "row-level security policy"

// TestTricksOfWriters: ann wants to change bob's notes, or take them.
func TestTricksOfWriters(t *testing.T) {
	t.Parallel()
	s := vaulted(t, "writers")
	tricks := []trick{
		{name: "update all", sql: "UPDATE vault.notes SET body = 'x'; COMMIT", want: "UPDATE 1|COMMIT|"},
		{name: "update without reading", sql: "UPDATE vault.notes SET body = 'x' WHERE true; COMMIT", want: "UPDATE 1|COMMIT|"},
		{name: "take over", sql: "UPDATE vault.notes SET owner = 'ann' RETURNING id; COMMIT", want: "1|COMMIT|"},
		{name: "give away", sql: "UPDATE vault.notes SET owner = 'bob'", fails: violates},
		{name: "hidden column", sql: "UPDATE vault.notes SET seal = 'x'", fails: denied},
		{name: "delete others", sql: "DELETE FROM vault.notes WHERE owner <> 'ann'; COMMIT", want: "DELETE 0|COMMIT|"},
		{name: "delete using itself", sql: "DELETE FROM vault.notes a USING vault.notes b WHERE b.owner = 'bob' RETURNING b.body", want: "DELETE 0|"},
		{name: "make for another", sql: "INSERT INTO vault.notes (owner, body) VALUES ('bob', 'x')", fails: violates},
		{name: "overwrite by a conflict", sql: "INSERT INTO vault.notes (id, owner, body) VALUES (2, 'ann', 'x') ON CONFLICT (id) DO UPDATE SET body = 'x', owner = 'ann'", fails: violates},
		{name: "read by a conflict", sql: "INSERT INTO vault.notes AS n (id, owner, body) VALUES (2, 'ann', 'x') ON CONFLICT (id) DO UPDATE SET code = n.body RETURNING n.code", fails: violates},
		{name: "conflict on another key", sql: "INSERT INTO vault.notes AS n (owner, body, code) VALUES ('ann', 'x', 'b2') ON CONFLICT (code) DO UPDATE SET body = 'x'", fails: violates},
		{name: "truncate", sql: "TRUNCATE vault.notes", fails: denied},
		{name: "truncate only", sql: "TRUNCATE ONLY vault.notes CASCADE", fails: denied},
		{name: "copy into", sql: "COPY vault.notes (owner, body) FROM STDIN", fails: "COPY FROM not supported with row-level security"},
		{name: "merge", sql: "MERGE INTO vault.notes n USING (VALUES (2)) v (id) ON n.id = v.id WHEN MATCHED THEN DELETE", want: "MERGE 0|", since: 15},
		{name: "merge that takes over", sql: "MERGE INTO vault.notes n USING (VALUES (2)) v (id) ON true WHEN MATCHED THEN UPDATE SET owner = 'ann'", fails: violates, since: 15},
		{name: "merge that gives away", sql: "MERGE INTO vault.notes n USING (VALUES (2)) v (id) ON true WHEN MATCHED THEN UPDATE SET owner = 'bob'", fails: violates, since: 15},
		{name: "merge that makes", sql: "MERGE INTO vault.notes n USING (VALUES (2)) v (id) ON false WHEN NOT MATCHED THEN INSERT (owner, body) VALUES ('bob', 'x')", fails: violates, since: 15},
		{name: "write with WITH", sql: "WITH x AS (UPDATE vault.notes SET body = body RETURNING body) SELECT body FROM x", want: "*"},
		{name: "disable row security", sql: "ALTER TABLE vault.notes DISABLE ROW LEVEL SECURITY", fails: "must be owner"},
		{name: "no force", sql: "ALTER TABLE vault.notes NO FORCE ROW LEVEL SECURITY", fails: "must be owner"},
		{name: "alter the policy", sql: `ALTER POLICY postern_writers_role_view ON vault.notes USING (true)`, fails: "must be owner"},
		{name: "drop the policy", sql: `DROP POLICY postern_writers_role_view ON vault.notes`, fails: "must be owner"},
		{name: "own the table", sql: "ALTER TABLE vault.notes OWNER TO CURRENT_USER", fails: "must be owner"},
		{name: "attach a table", sql: "ALTER TABLE vault.old INHERIT vault.notes", fails: "must be owner"},
		{name: "drop the table", sql: "DROP TABLE vault.notes", fails: "must be owner"},
		{name: "set back the sequence", sql: "SELECT setval('vault.notes_id_seq', 1)", fails: denied},
		{name: "read the sequence", sql: "SELECT last_value FROM vault.notes_id_seq", fails: denied},
		{name: "write a catalog", sql: "UPDATE pg_class SET relrowsecurity = false", fails: denied},
		{name: "write a key", sql: `INSERT INTO postern.keys VALUES (1, '\x00', '\x00')`, fails: denied},
		{name: "write the directory", sql: "INSERT INTO postern.directory (key, level) VALUES ('ann', 'superuser')", fails: denied},
		{name: "write the records", sql: "UPDATE postern.objects SET live = ''", fails: denied},
		{name: "write the history", sql: "DELETE FROM postern.history", fails: denied},
		{name: "replica", sql: "SET session_replication_role = replica", fails: denied},
		{name: "comment", sql: "COMMENT ON TABLE vault.notes IS 'x'", fails: "must be owner"},
		{name: "comment on the role", sql: "COMMENT ON ROLE writers_role IS NULL", fails: "ERROR"},
	}
	// One after the other: what one leaves in her own note, another must not meet.
	s.fool(t, s.begun(t), tricks)
}
