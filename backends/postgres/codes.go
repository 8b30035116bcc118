package postgres

import "github.com/postern-dev/postern/lang/diag"

// What can be wrong with a live database.
const (
	CodeUnreachable     diag.Code = "postgres-unreachable"       // a database that cannot be connected to
	CodeVersion         diag.Code = "postgres-version"           // the server is older than PostgreSQL 14
	CodeEncoding        diag.Code = "postgres-encoding"          // the database is not encoded in UTF8
	CodeStandby         diag.Code = "postgres-standby"           // (warning) the server is a standby, to which nothing can be applied
	CodeUnreadable      diag.Code = "postgres-unreadable"        // the password of an account cannot be read
	CodeRowsUnread      diag.Code = "postgres-rows-unread"       // (warning) tables of the schema postern that the connected role may not read
	CodePrivilege       diag.Code = "postgres-privilege"         // the connected role lacks a privilege that the plan needs
	CodeForeignMark     diag.Code = "postgres-foreign-mark"      // an object carries the mark of another project
	CodeRoleMissing     diag.Code = "postgres-role-missing"      // a role that is to be adopted does not exist
	CodeRoleUnmarked    diag.Code = "postgres-role-unmarked"     // a role that is to be made exists, and this project did not make it
	CodeRoleReserved    diag.Code = "postgres-role-reserved"     // Postgres keeps the name of a role for itself
	CodeRoleUnbound     diag.Code = "postgres-role-bypasses"     // no policy holds for an adopted role
	CodeRoleInUse       diag.Code = "postgres-role-in-use"       // a role that is no longer declared is needed elsewhere
	CodeRoleKept        diag.Code = "postgres-role-kept"         // (warning) a role that is no longer declared has lost its mark and stays
	CodeSchemaMissing   diag.Code = "postgres-schema-missing"    // a schema does not exist
	CodeSchemaUnmarked  diag.Code = "postgres-schema-unmarked"   // the schema that is to be made exists, and this project did not make it
	CodeTableMissing    diag.Code = "postgres-table-missing"     // a declared table does not exist
	CodeTableKind       diag.Code = "postgres-table-kind"        // what is declared as a table is something else
	CodeColumnMissing   diag.Code = "postgres-column-missing"    // a declared column does not exist
	CodeColumnType      diag.Code = "postgres-column-type"       // a column has another type than the declared one
	CodeKeyMissing      diag.Code = "postgres-key-missing"       // nothing in the database keeps a to-one relation from leading to two records
	CodeOwnerUnstated   diag.Code = "postgres-owner-unstated"    // a table owner can log in, and nothing says whether policies hold for it
	CodeOwnerAccount    diag.Code = "postgres-owner-account"     // a governed table belongs to an account of the project
	CodeGenerated       diag.Code = "postgres-generated-changed" // a generated object has another shape than this version makes
	CodeBuiltOn         diag.Code = "postgres-generated-needed"  // an object of somebody else needs a generated one that has to be dropped
	CodeIndex           diag.Code = "postgres-index-missing"     // (warning) an index would spare a large table from being read as a whole
	CodeLoginPrevious   diag.Code = "postgres-login-previous"    // (warning) the login that takes the password before is not retired
	CodeAdditive        diag.Code = "postgres-additive-left"     // (warning) what the project did not make stays, since it is told to
	CodeFunctionUnknown diag.Code = "postgres-function-unknown"  // (warning) someone put a function into the generated schema
)
