package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// Connect opens a connection to a datasource's database. An error is a
// diag.Diagnostic with the place of the datasource; it names host, database
// and user, and never quotes the URL, which may hold a password.
func Connect(ctx context.Context, url string, place source.Span) (*pgx.Conn, error) {
	fail := func(summary, detail string) error {
		return diag.Diagnostic{Code: CodeUnreachable, Severity: diag.Error, Span: place, Summary: summary, Detail: detail}
	}
	if strings.TrimSpace(url) == "" {
		return nil, fail("the URL of the database is empty", "It has the form postgres://user:password@host:5432/database.")
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fail("the URL of the database cannot be read",
			"It has the form postgres://user:password@host:5432/database; special characters in it are percent-encoded.")
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "postern"
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("connecting: %w", ctx.Err())
	}
	where := "database " + strconv.Quote(config.Database) + " at " + net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	cause, fix := connectCause(err, config.User)
	return nil, fail("cannot connect to "+where+" as "+config.User+": "+cause, fix)
}

// connectCause is why a connection failed, in the server's or the system's own
// words, and what to do.
func connectCause(err error, user string) (cause, fix string) {
	var pg *pgconn.PgError
	var dns *net.DNSError
	switch {
	case errors.As(err, &pg):
		switch pg.Code {
		case "28P01", "28000": // invalid_password, invalid_authorization_specification
			return pg.Message, "Check user and password of the URL, and pg_hba.conf of the server."
		case "3D000": // invalid_catalog_name
			return pg.Message, "Check the database's name in the URL; Postern does not create databases."
		case "42501": // insufficient_privilege
			return pg.Message, "Grant CONNECT on the database to " + printed(RoleID(user)) + "."
		}
		return pg.Message, "The server refused; its log may say more."
	case errors.As(err, &dns):
		return "the host is not known", "Check the host in the URL."
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist):
		return "nothing listens there", "Check host and port in the URL, and that the server runs and listens on this address."
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "no answer in time", "Check host and port in the URL, and firewalls on the way."
	}
	return "the connection could not be set up", "Check host, port and sslmode of the URL, and the server's log."
}
