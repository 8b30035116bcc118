package audit

// Rule is one kind of way past the protection.
type Rule struct {
	Name     string
	Severity Severity // the worst that it reports
	Summary  string   // one sentence
	Reason   string   // why it is a way past the protection
	Example  string   // SQL that makes one
	Fix      string   // what ends it, in words
	detect   func(*search)
}

// Rules are all rules, in the order of docs/audit.md.
func Rules() []Rule { return rules[:] }

var rules = [...]Rule{
	{
		"role-superuser", Critical, "A login is a superuser.",
		"No policy and no grant holds for superusers. Critical on what the project declares; of others somebody should know. The one that the server was made with is trusted: info.",
		"ALTER ROLE app_a SUPERUSER", "ALTER ROLE … NOSUPERUSER", roleSuperuser,
	},
	{
		"role-bypassrls", Critical, "A login has BYPASSRLS.", "No policy holds for it.",
		"ALTER ROLE app_a BYPASSRLS", "ALTER ROLE … NOBYPASSRLS", roleBypassRLS,
	},
	{
		"role-replication", Critical, "A login has REPLICATION.", "Replication copies files and published tables past all policies.",
		"ALTER ROLE app_a REPLICATION", "ALTER ROLE … NOREPLICATION", roleReplication,
	},
	{
		"role-createrole", Critical, "A login has CREATEROLE.",
		"Before PostgreSQL 16 it may make itself a member of any role that is no superuser; since then of those that it administers.",
		"ALTER ROLE app_a CREATEROLE", "ALTER ROLE … NOCREATEROLE", roleCreateRole,
	},
	{
		"member-of-owner", Critical, "A login can become a role that is past policies.",
		"Members have the rights of a role, or take them by SET ROLE (NOINHERIT keeps nobody from it) or by granting it to themselves: of a table's owner, a superuser, a role with BYPASSRLS, or the owner of what policies call. Memberships count through others.",
		"GRANT owner TO clerk", "REVOKE … FROM …", memberOfOwner,
	},
	{
		"member-of-account", High, "A role has the rights of an account that the project does not give it.",
		"The account's policies hold for its members too.",
		"GRANT app TO clerk", "REVOKE … FROM …", memberOfAccount,
	},
	{
		"predefined-role", Critical, "A login is a member of a role that Postgres comes with.",
		"Some of them read files or run programs of the server, read every table without a grant, or see other sessions' queries. Critical for accounts.",
		"GRANT pg_read_all_data TO clerk", "REVOKE … FROM …", predefinedRole,
	},
	{
		"owner-not-bound", Critical, "Policies do not hold for a table's owner, and somebody can log in as it.",
		`Row-level security leaves owners out unless it is forced. High where the project says owner = "bound", info where it says "exempt", medium on tables that are not declared, critical where an account is or becomes the owner.`,
		"ALTER TABLE t NO FORCE ROW LEVEL SECURITY", "ALTER TABLE … FORCE ROW LEVEL SECURITY", ownerNotBound,
	},
	{
		"owner-login", Critical, "The owner of a protected table can log in.",
		"An owner can switch row security off, forced or not. Critical for accounts.",
		"ALTER ROLE owner LOGIN", "ALTER ROLE … NOLOGIN", ownerLogin,
	},
	{
		"row-security-off", Critical, "A table has policies, or is declared, and row security is off.",
		"Without it policies are not asked, and whoever has a grant reaches all rows.",
		"ALTER TABLE t DISABLE ROW LEVEL SECURITY", "ALTER TABLE … ENABLE ROW LEVEL SECURITY", rowSecurityOff,
	},
	{
		"row-security-no-policy", Info, "Row security is on, and no policy gives anybody a row.",
		"Nobody but the owner sees anything: a grant there is without effect, until somebody adds a policy.",
		"ALTER TABLE t ENABLE ROW LEVEL SECURITY", "REVOKE … ON …", rowSecurityNoPolicy,
	},
	{
		"child-unprotected", Critical, "A partition or child of a protected table has no row security.",
		"Policies of a parent hold for whoever names the parent. Critical where others have a grant on the child.",
		"CREATE TABLE p PARTITION OF t …; GRANT SELECT ON p TO clerk", "ALTER TABLE … ENABLE ROW LEVEL SECURITY", childUnprotected,
	},
	{
		"parent-unprotected", Critical, "A protected table is a child of one without row security.",
		"Whoever names the parent reads the child's rows under the parent's policies alone.",
		"ALTER TABLE t INHERIT everything; GRANT SELECT ON everything TO clerk", "REVOKE … ON the parent", parentUnprotected,
	},
	{
		"relation-without-key", Critical, "Nothing keeps a to-one relation of a condition from leading to two records.",
		"Postgres takes either of two records with one key for the related one.",
		"ALTER TABLE accounts DROP CONSTRAINT accounts_pkey", "ALTER TABLE … ADD UNIQUE (…)", relationWithoutKey,
	},
	{
		"grant-public", High, "PUBLIC has a grant on a protected table.", "Any login of the server has it.",
		"GRANT SELECT ON t TO PUBLIC", "REVOKE … FROM PUBLIC", grantPublic,
	},
	{
		"grant-undeclared", Medium, "A role that the project does not speak of has a grant on a declared table.",
		"Policies give it nothing, until one is for PUBLIC or it bypasses them.",
		"GRANT SELECT ON t TO clerk", "REVOKE … FROM …", grantUndeclared,
	},
	{
		"grant-beyond-rows", Critical, "Somebody has TRUNCATE, TRIGGER, REFERENCES or MAINTAIN on a protected table.",
		"Policies do not hold for these. Low for REFERENCES and MAINTAIN alone; critical for PUBLIC and accounts.",
		"GRANT TRUNCATE ON t TO clerk", "REVOKE … FROM …", grantBeyondRows,
	},
	{
		"grant-option", Medium, "Somebody may pass a grant on a protected table on.", "Who has what is then no longer the owner's to say.",
		"GRANT SELECT ON t TO clerk WITH GRANT OPTION", "REVOKE GRANT OPTION FOR … FROM …", grantOption,
	},
	{
		"grant-whole-table", High, "A grant on the whole table makes grants on columns void.",
		"A REVOKE of columns takes nothing from who has the whole table: the columns that were to be hidden are not.",
		"GRANT SELECT ON t TO clerk; GRANT SELECT (id) ON t TO clerk", "REVOKE … ON …, and GRANT … (columns)", grantWholeTable,
	},
	{
		"default-privileges", High, "What a role makes later is open to others by itself.",
		"A new partition or table comes with grants that nobody gave. Low where they go to roles that are neither PUBLIC nor accounts.",
		"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", "ALTER DEFAULT PRIVILEGES … REVOKE …", defaultPrivileges,
	},
	{
		"schema-create", High, "Somebody may make objects in a schema of declared tables, or in public.",
		"An object in a search_path takes the place of another, and functions there are called by others. Low for roles that are neither PUBLIC nor accounts.",
		"GRANT CREATE ON SCHEMA public TO PUBLIC", "REVOKE CREATE ON SCHEMA … FROM …", schemaCreate,
	},
	{
		"database-temporary", Medium, "PUBLIC or an account may make temporary objects.",
		"They come first in a search_path. Medium where a client of the project writes its own SQL.",
		"GRANT TEMPORARY ON DATABASE app TO PUBLIC", "REVOKE TEMPORARY ON DATABASE … FROM …", databaseTemporary,
	},
	{
		"sequence-open", Medium, "Somebody may read or set the sequence of a protected table.",
		"Its numbers tell how many rows there were; setting it breaks others' writes. Low for reading.",
		"GRANT SELECT, UPDATE ON SEQUENCE t_id_seq TO clerk", "REVOKE … ON SEQUENCE …", sequenceOpen,
	},
	{
		"large-object-open", Medium, "Large objects are open to others.", "They have no policies, and numbers that can be tried. Low for roles that are neither PUBLIC nor accounts.",
		"GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC", "REVOKE … ON LARGE OBJECT …", largeObjectOpen,
	},
	{
		"large-object-compat", High, "The rights of large objects are switched off.", "With lo_compat_privileges everybody reads and writes all of them.",
		"ALTER DATABASE app SET lo_compat_privileges = on", "ALTER DATABASE … SET lo_compat_privileges = off", largeObjectCompat,
	},
	{
		"setting-preset", Critical, "Sessions begin with a setting that says who the user is, or that switches something off.",
		"Where a server states the user by a setting, a default for it is a user for whoever states none. Medium for session_replication_role, role, libraries to load and lo_compat_privileges.",
		"ALTER DATABASE app SET postern.claims = '{\"id\": \"bob\"}'", "ALTER DATABASE … RESET …, or ALTER ROLE … RESET …", settingPreset,
	},
	{
		"generated-open", Critical, "Somebody has rights on what the project keeps for itself in the schema postern.",
		"Keys, the directory and groups say who a user is. High for reading what is no key.",
		"GRANT SELECT ON postern.keys TO clerk", "REVOKE … ON …", generatedOpen,
	},
	{
		"view-owner-rights", Critical, "A view reads a protected table with its owner's rights.",
		"Where no policy holds for the owner, whoever reads the view, or a view over it, sees all its rows. Medium where policies hold for the owner. Views of the project itself are left out while they are as it made them.",
		"CREATE VIEW v AS SELECT * FROM t; GRANT SELECT ON v TO clerk", "ALTER VIEW … SET (security_invoker = true); before PostgreSQL 15 REVOKE", viewOwnerRights,
	},
	{
		"view-no-barrier", Medium, "A view that leaves rows of a protected table out has no security_barrier.",
		"A cheap function in the reader's WHERE runs before the view's own condition, and tells what it saw.",
		"CREATE VIEW v AS SELECT * FROM t WHERE NOT secret; GRANT SELECT ON v TO clerk", "ALTER VIEW … SET (security_barrier = true)", viewNoBarrier,
	},
	{
		"materialized-view", Critical, "A materialized view holds a copy of rows of a protected table.",
		"It holds what its owner saw, at any depth of views, and has no policies. Medium where policies hold for the owner.",
		"CREATE MATERIALIZED VIEW m AS SELECT * FROM t; GRANT SELECT ON m TO clerk", "REVOKE … ON …", materializedView,
	},
	{
		"foreign-table", High, "A foreign table is open to PUBLIC or accounts, or stands among declared tables.",
		"No policy of this database holds for rows of another server; it may lead back to this one. Medium for roles that are neither PUBLIC nor accounts.",
		"CREATE FOREIGN TABLE f …; GRANT SELECT ON f TO clerk", "REVOKE … ON …", foreignTable,
	},
	{
		"user-mapping-public", Medium, "Everybody logs in to a foreign server as the same somebody else.",
		"A server that leads back here makes a role of everybody.",
		"CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'admin')", "DROP USER MAPPING FOR PUBLIC SERVER …", userMappingPublic,
	},
	{
		"rule-on-table", High, "A rule writes or reads a protected table in the place of a statement, or beside it.",
		"What it does runs with the rights of its table's owner.",
		"CREATE RULE copy AS ON INSERT TO t DO ALSO INSERT INTO log SELECT NEW.*", "DROP RULE … ON …", ruleOnTable,
	},
	{
		"publication-unfiltered", High, "A publication holds a protected table without a row filter.",
		"Policies do not hold for replication. High where a login that is no superuser has REPLICATION.",
		"CREATE PUBLICATION p FOR TABLE t", "ALTER PUBLICATION … DROP TABLE …, or DROP PUBLICATION", publicationUnfiltered,
	},
	{
		"function-definer", Critical, "A SECURITY DEFINER function of a role past policies is open to others.",
		"It runs with that role's rights. Critical where it names a protected table; else it may still reach one: high for PUBLIC and accounts, medium for others. Medium, too, where policies hold for its owner and give it rows.",
		"CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM t'", "REVOKE … ON ROUTINE …", functionDefiner,
	},
	{
		"function-search-path", High, "A SECURITY DEFINER function has no safe search_path.",
		"Whoever calls it chooses which tables and functions its names stand for. pg_temp has to be named, last; no schema of it may be open for CREATE. Medium where its owner is bound by policies.",
		"CREATE FUNCTION f() … SECURITY DEFINER AS 'SELECT count(*) FROM t'", "ALTER ROUTINE … SET search_path = …, pg_temp", functionSearchPath,
	},
	{
		"function-leakproof", Medium, "A function that is not Postgres' own says that it is LEAKPROOF.",
		"Postgres then calls it before policies have left rows out.",
		"ALTER FUNCTION f(text) LEAKPROOF", "ALTER ROUTINE … NOT LEAKPROOF", functionLeakproof,
	},
	{
		"generated-function", Critical, "A function that policies call is not as the project made it, or is not the project's.",
		"What it returns is who the user is. Medium for one that nobody knows.",
		"CREATE OR REPLACE FUNCTION postern.user_id() … AS 'SELECT ''admin'''", "postern apply, or the CREATE OR REPLACE that it would run", generatedFunction,
	},
	{
		"trigger-foreign", High, "A trigger of a protected table runs a function of somebody else.",
		"Its owner can change what it does, and it runs for every row, with the rights of whoever writes.",
		"CREATE TRIGGER t AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION clerks.copy()", "DROP TRIGGER … ON …", triggerForeign,
	},
	{
		"policy-by-hand", Critical, "A declared table has a policy that the project does not.",
		"Permissive policies add up: one is enough. Critical where somebody that it names has a grant; low for a restrictive one.",
		"CREATE POLICY p ON t USING (true)", "DROP POLICY … ON …", policyByHand,
	},
	{
		"policy-changed", Critical, "A policy of the project is not what was applied.",
		"Its hash is not the one on record. High where none is.",
		"ALTER POLICY postern_app_view ON t USING (true)", "postern apply, or DROP POLICY and CREATE POLICY", policyChanged,
	},
	{
		"policy-setting", Medium, "A policy that is not the project's goes by a setting.",
		"Whoever writes SQL on the connection sets it to anything. Functions that it calls are looked at too.",
		"CREATE POLICY p ON t USING (owner = current_setting('app.user', true))", "DROP POLICY … ON …", policySetting,
	},
	{
		"policy-fails-open", High, "A policy that is not the project's may hold when something is missing.",
		"IS NOT DISTINCT FROM, IS NOT TRUE, IS NOT FALSE, COALESCE(…, true) and current_setting(…) IS NULL are true for a null or an unset setting.",
		"CREATE POLICY p ON t USING (owner IS NOT DISTINCT FROM current_setting('app.user', true))", "DROP POLICY … ON …", policyFailsOpen,
	},
	{
		"policy-check-true", Medium, "A policy that is not the project's lets any row be written.",
		"WITH CHECK (true) lets users give rows away, or make them in others' names.",
		"CREATE POLICY p ON t FOR UPDATE USING (owner = current_user) WITH CHECK (true)", "ALTER POLICY … WITH CHECK (what USING says); DROP POLICY for INSERT", policyCheckTrue,
	},
	{
		"policy-wider-write", High, "A policy that is not the project's changes rows that its roles cannot read.",
		"UPDATE and DELETE without WHERE do not ask the policies of SELECT. Medium where nothing lets the roles read at all.",
		"CREATE POLICY p ON t FOR DELETE USING (true)", "DROP POLICY … ON …", policyWiderWrite,
	},
	{
		"key-oracle", Info, "A unique key tells whether a value is there.",
		"It refuses what an invisible row holds. No statement ends it but dropping the key: use keys that cannot be guessed.",
		"INSERT INTO t (email) VALUES ('bob@example.org')", "none", keyOracle,
	},
	{
		"foreign-key-cascade", Low, "A foreign key changes rows of a protected table whatever its policies say.",
		"ON DELETE and ON UPDATE run with the rights of the table's owner.",
		"ALTER TABLE t ADD FOREIGN KEY (parent) REFERENCES parents ON DELETE CASCADE", "DROP CONSTRAINT, and ADD it without the action", foreignKeyCascade,
	},
}
