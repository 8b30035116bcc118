package audit_test

import "github.com/postern-dev/postern/backends/postgres/audit"

type way struct {
	rule, name, sql string
	object          string // kind and name
	severity        audit.Severity
	who             string // separated by spaces
	effect          string // part of it
	untrusted       bool   // a client of the project writes its own SQL
}

var ways = []way{
	{"role-superuser", "account", `ALTER ROLE @login SUPERUSER`, "role N_app_a", audit.Critical, "N_app_a", "", false},
	{"role-superuser", "other", `ALTER ROLE @y SUPERUSER`, "role N_y", audit.Medium, "N_y", "", false},
	{"role-bypassrls", "account", `ALTER ROLE @app BYPASSRLS`, "role N_app", audit.Critical, "N_app N_app_a", "No policy holds", false},
	{"role-bypassrls", "other", `ALTER ROLE @y BYPASSRLS`, "role N_y", audit.Medium, "N_y", "", false},
	{"role-replication", "account", `ALTER ROLE @login REPLICATION`, "role N_app_a", audit.Critical, "N_app_a", "", false},
	{"role-createrole", "account", `ALTER ROLE @login CREATEROLE`, "role N_app_a", audit.Critical, "N_app_a", "", false},

	{"member-of-owner", "account", `GRANT @owner TO @app`, "membership N_app in N_owner", audit.Critical, "N_app_a", "switch off the protection of public.accounts, public.deals", false},
	{"member-of-owner", "through roles", `GRANT @owner TO @x`, "membership N_x in N_owner", audit.High, "N_y", "", false},
	{"member-of-owner", "noinherit", `ALTER ROLE @y NOINHERIT; GRANT @owner TO @y`, "membership N_y in N_owner", audit.High, "N_y", "", false},
	{"member-of-owner", "bypass", `ALTER ROLE @x BYPASSRLS; REVOKE @x FROM @y; GRANT @x TO @y`, "membership N_y in N_x", audit.High, "N_y", "BYPASSRLS", false},
	{"member-of-owner", "superuser", `ALTER ROLE @x SUPERUSER; REVOKE @x FROM @y; GRANT @x TO @y`, "membership N_y in N_x", audit.High, "N_y", "superuser N_x", false},
	{"member-of-owner", "of postern", `GRANT @posterns TO @y`, "membership N_y in postern_N", audit.High, "N_y", "redefine what policies call", false},
	{"member-of-account", "login", `GRANT @app TO @y`, "membership N_y in N_app", audit.High, "N_y", "", false},
	{"member-of-account", "role", `GRANT @app TO @x`, "membership N_x in N_app", audit.High, "N_y", "", false},
	{"member-of-account", "owner role", `GRANT @app TO @posterns; ALTER ROLE @posterns LOGIN`, "membership postern_N in N_app", audit.High, "*", "", false},
	{"predefined-role", "account", `GRANT pg_read_all_data TO @app`, "membership N_app in pg_read_all_data", audit.Critical, "N_app_a", "", false},
	{"predefined-role", "files", `GRANT pg_read_server_files TO @x`, "membership N_x in pg_read_server_files", audit.High, "N_y", "", false},
	{"predefined-role", "monitor", `GRANT pg_monitor TO @y`, "membership N_y in pg_monitor", audit.Low, "N_y", "", false},

	{"owner-not-bound", "login", `ALTER ROLE @owner LOGIN; ALTER TABLE deals NO FORCE ROW LEVEL SECURITY`, "table public.deals", audit.High, "N_owner", "", false},
	{"owner-not-bound", "account", `GRANT @owner TO @login; ALTER TABLE deals NO FORCE ROW LEVEL SECURITY`, "table public.deals", audit.Critical, "N_app_a", "", false},
	{"owner-not-bound", "undeclared", `ALTER ROLE @owner LOGIN; CREATE TABLE other (id int); ALTER TABLE other OWNER TO @owner; ALTER TABLE other ENABLE ROW LEVEL SECURITY`, "table public.other", audit.Medium, "N_owner", "", false},
	{"owner-login", "login", `ALTER ROLE @owner LOGIN`, "role N_owner", audit.Low, "N_owner", "public.accounts, public.deals", false},
	{"owner-login", "account", `ALTER TABLE deals OWNER TO @login`, "role N_app_a", audit.Critical, "N_app_a", "", false},

	{"row-security-off", "granted", `ALTER TABLE deals DISABLE ROW LEVEL SECURITY`, "table public.deals", audit.Critical, "N_app N_app_a", "all its rows", false},
	{"row-security-off", "policies alone", `CREATE TABLE other (id int); CREATE POLICY p ON other USING (false); GRANT SELECT ON other TO PUBLIC`, "table public.other", audit.High, "PUBLIC", "", false},
	{"row-security-no-policy", "granted", `CREATE TABLE other (id int); ALTER TABLE other ENABLE ROW LEVEL SECURITY; GRANT SELECT ON other TO @x`, "table public.other", audit.Info, "N_x N_y", "", false},
	{"child-unprotected", "granted", `CREATE TABLE child () INHERITS (deals); CREATE TABLE grandchild () INHERITS (child); GRANT SELECT ON grandchild TO @x`, "table public.grandchild", audit.Critical, "N_x N_y", "", false},
	{"child-unprotected", "not granted", `CREATE TABLE child () INHERITS (deals)`, "table public.child", audit.Medium, "", "", false},
	{"parent-unprotected", "granted", `CREATE TABLE above (LIKE deals); GRANT SELECT ON above TO PUBLIC; ALTER TABLE deals INHERIT above`, "table public.above", audit.Critical, "PUBLIC", "public.deals", false},
	{"relation-without-key", "dropped", `ALTER TABLE accounts DROP CONSTRAINT accounts_pkey`, "table public.accounts", audit.Critical, "N_app N_app_a", "deals.account", false},

	{"grant-public", "table", `GRANT SELECT, DELETE ON deals TO PUBLIC`, "table public.deals", audit.High, "PUBLIC", "DELETE, SELECT", false},
	{"grant-public", "column", `GRANT UPDATE (body) ON deals TO PUBLIC`, "table public.deals", audit.High, "PUBLIC", "UPDATE", false},
	{"grant-undeclared", "column", `GRANT SELECT (body) ON deals TO @x`, "table public.deals", audit.Medium, "N_x N_y", "SELECT", false},
	{"grant-undeclared", "passed on", `GRANT SELECT ON deals TO @x WITH GRANT OPTION; SET ROLE @x; GRANT SELECT ON deals TO @y; RESET ROLE`, "table public.deals", audit.Medium, "N_x N_y", "SELECT", false},
	{"grant-beyond-rows", "account", `GRANT TRUNCATE ON deals TO @app`, "table public.deals", audit.Critical, "N_app N_app_a", "empty it", false},
	{"grant-beyond-rows", "other", `GRANT TRIGGER ON deals TO @x`, "table public.deals", audit.High, "N_x N_y", "run code", false},
	{"grant-beyond-rows", "references", `GRANT REFERENCES ON deals TO PUBLIC`, "table public.deals", audit.Low, "PUBLIC", "foreign key", false},
	{"grant-option", "other", `GRANT SELECT ON deals TO @x WITH GRANT OPTION`, "table public.deals", audit.Medium, "N_x N_y", "SELECT", false},
	{"grant-whole-table", "account", `GRANT SELECT ON deals TO @app`, "table public.deals", audit.High, "N_app N_app_a", "SELECT", false},
	{"grant-whole-table", "other", `GRANT SELECT, UPDATE ON deals TO @x; GRANT SELECT (id), UPDATE (body) ON deals TO @x`, "table public.deals", audit.Medium, "N_x N_y", "SELECT, UPDATE", false},
	{"default-privileges", "public", `ALTER DEFAULT PRIVILEGES FOR ROLE @owner GRANT SELECT ON TABLES TO PUBLIC`, "default privilege tables made by N_owner", audit.High, "PUBLIC", "SELECT", false},
	{"default-privileges", "in a schema", `ALTER DEFAULT PRIVILEGES FOR ROLE @owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO @x`, "default privilege sequences made by N_owner in public", audit.Low, "N_x N_y", "USAGE", false},
	{"schema-create", "public", `GRANT CREATE ON SCHEMA public TO PUBLIC`, "schema public", audit.High, "PUBLIC", "", false},
	{"schema-create", "other", `GRANT CREATE ON SCHEMA public TO @x`, "schema public", audit.Low, "N_x N_y", "", false},
	{"schema-create", "postern", `GRANT CREATE ON SCHEMA postern TO @app`, "schema postern", audit.High, "N_app N_app_a", "", false},
	{"database-temporary", "account", `GRANT TEMPORARY ON DATABASE @database TO @app`, "database D", audit.Low, "N_app N_app_a", "", false},
	{"database-temporary", "untrusted", `GRANT TEMPORARY ON DATABASE @database TO PUBLIC`, "database D", audit.Medium, "PUBLIC", "", true},
	{"sequence-open", "update", `GRANT UPDATE ON SEQUENCE deals_id_seq TO @x`, "sequence public.deals_id_seq", audit.Medium, "N_x N_y", "set its numbers", false},
	{"sequence-open", "select", `GRANT SELECT ON SEQUENCE deals_id_seq TO PUBLIC`, "sequence public.deals_id_seq", audit.Low, "PUBLIC", "how many rows", false},
	{"large-object-open", "public", `SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC`, "large object 4711", audit.Medium, "PUBLIC", "", false},
	{"large-object-open", "other", `SELECT lo_create(4711), lo_create(4712); GRANT SELECT, UPDATE ON LARGE OBJECT 4711, 4712 TO @x`, "large object 4711, 4712", audit.Low, "N_x N_y", "", false},
	{"large-object-compat", "on", `ALTER DATABASE @database SET lo_compat_privileges = on`, "setting lo_compat_privileges", audit.High, "PUBLIC", "", false},
	{"setting-preset", "database", `ALTER DATABASE @database SET postern.claims = '{"id": "bob"}'`, "setting postern.claims of PUBLIC in D", audit.Critical, "PUBLIC", "taken for the user", false},
	{"setting-preset", "account", `ALTER ROLE @login SET postern.claims = '{"id": "bob"}'`, "setting postern.claims of N_app_a", audit.Critical, "N_app_a", "", false},
	{"setting-preset", "here", `ALTER ROLE @y IN DATABASE @database SET session_replication_role = replica`, "setting session_replication_role of N_y in D", audit.Medium, "N_y", "Triggers", false},
	{"generated-open", "passwords", `GRANT SELECT ON postern.passwords TO @x`, "table postern.passwords", audit.Critical, "N_x N_y", "try passwords", false},
	{"generated-open", "directory", `GRANT SELECT ON postern.history TO @x`, "table postern.history", audit.High, "N_x N_y", "SELECT", false},

	{"view-owner-rights", "superuser", `CREATE VIEW v AS SELECT * FROM deals; GRANT SELECT ON v TO @x`, "view public.v", audit.Critical, "N_x N_y", "past its policies", false},
	{"view-owner-rights", "view over view", `CREATE VIEW v AS SELECT * FROM deals; CREATE VIEW w AS SELECT * FROM v; CREATE VIEW u AS SELECT id FROM w; GRANT SELECT ON u TO PUBLIC`, "view public.v", audit.Critical, "PUBLIC", "through public.w, public.u", false},
	{"view-owner-rights", "invoker inside", `CREATE VIEW v AS SELECT * FROM deals; CREATE VIEW w WITH (security_invoker) AS SELECT * FROM v; CREATE VIEW u AS SELECT id FROM w; GRANT SELECT ON u, v TO @x`, "view public.v", audit.Critical, "N_x N_y", "", false},
	{"view-owner-rights", "bound owner", `CREATE VIEW v AS SELECT id FROM deals; ALTER VIEW v OWNER TO @app; GRANT SELECT ON v TO @x`, "view public.v", audit.Medium, "N_x N_y", "give to N_app", false},
	{"view-no-barrier", "where", `CREATE VIEW v AS SELECT id FROM deals WHERE id > 1; GRANT SELECT ON v TO @x`, "view public.v", audit.Medium, "N_x N_y", "", false},
	{"materialized-view", "direct", `CREATE MATERIALIZED VIEW m AS SELECT * FROM deals; GRANT SELECT ON m TO @x`, "materialized view public.m", audit.Critical, "N_x N_y", "public.deals", false},
	{"materialized-view", "over views", `CREATE VIEW v AS SELECT * FROM deals; CREATE MATERIALIZED VIEW m AS SELECT * FROM v; CREATE VIEW w AS SELECT * FROM m; GRANT SELECT ON w TO @x`, "materialized view public.m", audit.Critical, "N_x N_y", "through public.w", false},
	{"foreign-table", "account", foreign + `GRANT SELECT ON f TO @app`, "foreign table public.f", audit.High, "N_app N_app_a", "", false},
	{"foreign-table", "other", foreign + `GRANT SELECT ON f TO @x`, "foreign table public.f", audit.Medium, "N_x N_y", "", false},
	{"user-mapping-public", "any", foreign + `CREATE USER MAPPING FOR PUBLIC SERVER s`, "user mapping PUBLIC on s", audit.Medium, "PUBLIC", "", false},
	{"rule-on-table", "insert", `CREATE TABLE log (LIKE deals); CREATE RULE copy AS ON INSERT TO deals DO ALSO INSERT INTO log SELECT NEW.*`, "rule copy on public.deals", audit.High, "N_app N_app_a", "", false},
	{"rule-on-table", "reads it", `CREATE TABLE log (LIKE deals); CREATE RULE copy AS ON INSERT TO log DO ALSO UPDATE deals SET body = 'x'; GRANT INSERT ON log TO @x`, "rule copy on public.log", audit.High, "N_x N_y", "", false},
	{"publication-unfiltered", "table", `CREATE PUBLICATION p FOR TABLE deals; ALTER ROLE @y REPLICATION`, "publication p of public.deals", audit.High, "*", "", false},
	{"publication-unfiltered", "all tables", `CREATE PUBLICATION p FOR ALL TABLES; ALTER ROLE @y REPLICATION`, "publication p of public.accounts", audit.High, "*", "", false},

	{"function-definer", "names a table", `CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS 'SELECT count(*) FROM deals'`, "function public.f()", audit.Critical, "PUBLIC", "public.deals", false},
	{"function-definer", "body", `CREATE FUNCTION f(a int) RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM deals; END; REVOKE ALL ON FUNCTION f FROM PUBLIC; GRANT EXECUTE ON FUNCTION f TO @x`, "function public.f(a integer)", audit.Critical, "N_x N_y", "", false},
	{"function-definer", "dynamic", `CREATE FUNCTION f(q text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'BEGIN EXECUTE q; END'`, "function public.f(q text)", audit.High, "PUBLIC", "do not hold", false},
	{"function-definer", "of an account", `CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS 'SELECT count(*) FROM deals'; ALTER FUNCTION f OWNER TO @app`, "function public.f()", audit.Medium, "PUBLIC", "give to N_app", false},
	{"function-search-path", "none", `CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'`, "function public.f()", audit.High, "PUBLIC", "", false},
	{"function-search-path", "temporary first", `CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = public AS 'SELECT 1'`, "function public.f()", audit.High, "PUBLIC", "", false},
	{"function-search-path", "open schema", `CREATE SCHEMA open; GRANT CREATE ON SCHEMA open TO @x; CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = open, pg_temp AS 'SELECT 1'; ALTER FUNCTION f OWNER TO @x`, "function public.f()", audit.Medium, "PUBLIC", "", false},
	{"function-leakproof", "any", `CREATE FUNCTION f(text) RETURNS bool LANGUAGE sql LEAKPROOF AS 'SELECT true'`, "function public.f(text)", audit.Medium, "PUBLIC", "", false},
	{"generated-function", "redefined", `CREATE OR REPLACE FUNCTION postern.user_id() RETURNS text LANGUAGE sql STABLE AS $$SELECT 'bob'::text$$`, "function postern.user_id()", audit.Critical, "N_app N_app_a", "", false},
	{"generated-function", "unknown", `CREATE FUNCTION postern.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`, "function postern.mine()", audit.Medium, "postgres", "", false},
	{"trigger-foreign", "other", `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; ALTER FUNCTION f OWNER TO @x; CREATE TRIGGER t AFTER INSERT ON deals FOR EACH ROW EXECUTE FUNCTION f()`, "trigger t on public.deals", audit.High, "N_x N_y", "", false},

	{"policy-by-hand", "used", `CREATE POLICY p ON deals USING (true)`, "policy p on public.deals", audit.Critical, "N_app N_app_a", "", false},
	{"policy-by-hand", "not used", `CREATE POLICY p ON deals TO @x USING (true)`, "policy p on public.deals", audit.High, "", "", false},
	{"policy-by-hand", "restrictive", `CREATE POLICY p ON deals AS RESTRICTIVE USING (false)`, "policy p on public.deals", audit.Low, "N_app N_app_a", "", false},
	{"policy-changed", "using", `ALTER POLICY "postern_N_app_view" ON deals USING (true)`, "policy postern_N_app_view on public.deals", audit.Critical, "N_app N_app_a", "", false},
	{"policy-changed", "to all", `ALTER POLICY "postern_N_app_view" ON deals TO PUBLIC`, "policy postern_N_app_view on public.deals", audit.Critical, "N_app N_app_a", "", false},
	{"policy-setting", "direct", `CREATE POLICY p ON deals USING (owner = current_setting('app.user', true))`, "policy p on public.deals", audit.Medium, "N_app N_app_a", "", false},
	{"policy-setting", "by a function", `CREATE FUNCTION me() RETURNS text LANGUAGE sql AS $$SELECT current_setting('app.user')$$; CREATE POLICY p ON deals USING (owner = me())`, "policy p on public.deals", audit.Medium, "N_app N_app_a", "in public.me", false},
	{"policy-fails-open", "not distinct", `CREATE POLICY p ON deals USING (owner IS NOT DISTINCT FROM nullif(current_setting('app.user', true), ''))`, "policy p on public.deals", audit.High, "N_app N_app_a", "", false},
	{"policy-fails-open", "coalesce", `CREATE POLICY p ON deals USING (coalesce(owner = current_user, true))`, "policy p on public.deals", audit.High, "N_app N_app_a", "", false},
	{"policy-check-true", "update", `CREATE POLICY p ON deals FOR UPDATE USING (owner = current_user) WITH CHECK (true)`, "policy p on public.deals", audit.Medium, "N_app N_app_a", "", false},
	{"policy-check-true", "insert", `CREATE POLICY p ON deals FOR INSERT WITH CHECK (true)`, "policy p on public.deals", audit.Medium, "N_app N_app_a", "", false},
	{"policy-wider-write", "delete", `CREATE POLICY p ON deals FOR DELETE TO @app USING (true)`, "policy p on public.deals", audit.High, "N_app N_app_a", "DELETE", false},
	{"policy-wider-write", "blind", `CREATE POLICY p ON deals FOR UPDATE TO @x USING (owner = current_user)`, "policy p on public.deals", audit.Medium, "", "", false},

	{"key-oracle", "key", `CREATE TABLE other (id int PRIMARY KEY); ALTER TABLE other ENABLE ROW LEVEL SECURITY; GRANT INSERT ON other TO @x`, "table public.other", audit.Info, "N_x N_y", "other_pkey", false},
	{"foreign-key-cascade", "delete", `CREATE TABLE parents (id bigint PRIMARY KEY); GRANT DELETE ON parents TO @x; ALTER TABLE deals ADD CONSTRAINT fk FOREIGN KEY (payer) REFERENCES parents ON DELETE CASCADE`, "foreign key fk of public.deals", audit.Low, "N_x N_y", "", false},
}

const foreign = `CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (id int) SERVER s; `

// closed are the ways that an apply closes: the statements of the finding are
// tried in a transaction that is rolled back, and then the apply. The others
// are somebody else's objects.
var closed = map[string]bool{
	"role-superuser/account": true, "role-bypassrls/account": true, "role-replication/account": true, "role-createrole/account": true,
	"member-of-owner/account": true, "member-of-owner/of postern": true, "member-of-account/login": true, "member-of-account/role": true,
	"predefined-role/account": true, "owner-not-bound/login": true, "row-security-off/granted": true, "child-unprotected/granted": true,
	"child-unprotected/not granted": true, "grant-public/table": true, "grant-public/column": true, "grant-undeclared/column": true,
	"grant-undeclared/passed on": true, "grant-beyond-rows/account": true, "grant-beyond-rows/other": true, "grant-beyond-rows/references": true,
	"grant-option/other": true, "grant-whole-table/account": true, "grant-whole-table/other": true, "schema-create/public": true,
	"schema-create/postern": true, "database-temporary/account": true, "database-temporary/untrusted": true, "sequence-open/update": true,
	"sequence-open/select": true, "setting-preset/account": true, "generated-open/passwords": true, "generated-open/directory": true,
	"foreign-table/account": true, "generated-function/redefined": true, "policy-by-hand/used": true, "policy-by-hand/not used": true,
	"policy-by-hand/restrictive": true, "policy-changed/using": true, "policy-changed/to all": true, "policy-setting/direct": true,
	"policy-fails-open/coalesce": true, "policy-check-true/insert": true, "policy-wider-write/delete": true,
}
