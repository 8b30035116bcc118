package postgres_test

import "testing"

// TestTricksWithRoles: ann wants to be somebody else.
func TestTricksWithRoles(t *testing.T) {
	t.Parallel()
	s := vaulted(t, "roles")
	s.fool(t, s.begun(t), []trick{
		{name: "the account's role", sql: "SET ROLE roles_role; SELECT body FROM vault.notes", want: "SET|hers|"},
		{name: "the owner of postern", sql: "SET ROLE postern_roles", fails: denied},
		{name: "superuser", sql: "SET ROLE postgres", fails: denied},
		{name: "none", sql: "SET ROLE NONE; SELECT body FROM vault.notes", want: "SET|hers|"},
		{name: "session authorization", sql: "SET SESSION AUTHORIZATION postgres", fails: denied},
		{name: "session authorization of the account", sql: "SET SESSION AUTHORIZATION roles_role", fails: denied},
		{name: "role by a setting", sql: "SELECT set_config('role', 'postgres', false)", fails: denied},
		{name: "predefined role", sql: "SET ROLE pg_read_all_data", fails: denied},
		{name: "grant oneself a predefined role", sql: "GRANT pg_read_all_data TO CURRENT_USER", fails: "ERROR"},
		{name: "grant oneself the owner", sql: "GRANT postern_roles TO CURRENT_USER", fails: "ERROR"},
		{name: "grant the account on", sql: "GRANT roles_role TO pg_monitor", fails: "ERROR"},
		{name: "grant oneself on", sql: "GRANT roles_role_a TO pg_monitor", fails: "ERROR", since: 15},
		{name: "bypass", sql: "ALTER ROLE CURRENT_USER BYPASSRLS", fails: "ERROR"},
		{name: "superuser for oneself", sql: "ALTER ROLE CURRENT_USER SUPERUSER", fails: "ERROR"},
		{name: "create role for oneself", sql: "ALTER ROLE CURRENT_USER CREATEROLE", fails: "ERROR"},
		{name: "replication for oneself", sql: "ALTER ROLE CURRENT_USER REPLICATION", fails: "ERROR"},
		{name: "no end of the password", sql: "ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'", fails: "ERROR"},
		{name: "no limit of connections", sql: "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1", fails: "ERROR"},
		{name: "password of the account", sql: "ALTER ROLE roles_role PASSWORD 'x' LOGIN", fails: "ERROR"},
		{name: "settings of the account", sql: "ALTER ROLE roles_role SET search_path = x", fails: "ERROR"},
		{name: "identity as a default", sql: "ALTER ROLE CURRENT_USER SET postern.identity = 'x'", fails: denied},
		{name: "settings of the database", sql: "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET postern.identity = x', current_database()); END $$", fails: "must be owner"},
		{name: "pass privileges on", sql: "GRANT SELECT (id, owner, body) ON vault.notes TO PUBLIC; GRANT USAGE ON SCHEMA vault TO PUBLIC; SELECT has_column_privilege('pg_monitor', 'vault.notes', 'body', 'SELECT')", want: "GRANT|GRANT|f|"},
		{name: "pass functions on", sql: "GRANT EXECUTE ON FUNCTION postern.open(text) TO PUBLIC; SELECT has_function_privilege('pg_monitor', 'postern.open(text)', 'EXECUTE')", want: "GRANT|f|"},
		{name: "default privileges", sql: "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC", want: "ALTER DEFAULT PRIVILEGES|"},
		{name: "default privileges of the owner", sql: "ALTER DEFAULT PRIVILEGES FOR ROLE postern_roles GRANT ALL ON TABLES TO PUBLIC", fails: "ERROR"},
		{name: "own what others own", sql: "REASSIGN OWNED BY postern_roles TO CURRENT_USER", fails: denied},
		{name: "drop what others own", sql: "DROP OWNED BY postern_roles", fails: denied},
		{name: "the MAC by itself", sql: "SELECT postern.mac(7, 'v1.7.e30=')", fails: denied},
		{name: "who it is, by itself", sql: "SELECT postern.session()", fails: denied},
		{name: "the whole subject", sql: "SELECT postern.subject()", fails: denied},
		{name: "reset everything", sql: "RESET ALL; SELECT body FROM vault.notes", want: "RESET|SELECT 0|"},
		{name: "configuration of the server", sql: "ALTER SYSTEM SET row_security = off", fails: "ERROR"},
		{name: "load a library", sql: "LOAD '/tmp/x.so'", fails: "ERROR"},
		{name: "preload a library", sql: "SET session_preload_libraries = 'x'", fails: denied},
		{name: "end the superuser's sessions", sql: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'", fails: "ERROR"},
		{name: "queries of other roles", sql: "SELECT count(*) FROM pg_stat_activity WHERE usename = 'postgres' AND query NOT LIKE '<%'", want: "0|"},
	})
}
