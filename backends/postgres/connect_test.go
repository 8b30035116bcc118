package postgres

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

func TestConnect(t *testing.T) {
	t.Parallel()
	good := pgtest.Database(t)
	parsed, err := url.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	missing := *parsed
	missing.Path = "/nowhere"
	cases := map[string]struct{ url, want string }{
		"empty":       {" ", "is empty"},
		"malformed":   {"postgres://u:hunter2@host:no-port/%zz", "cannot be read"},
		"closed port": {"postgres://u:hunter2@127.0.0.1:1/db", `database "db" at 127.0.0.1:1 as u: nothing listens there`},
		"no socket":   {"host=/nonexistent user=u password=hunter2 dbname=db", "nothing listens there"},
		"no database": {missing.String(), "does not exist"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := source.Span{File: "a.hcl", Start: source.Pos{Line: 3}}
			conn, err := Connect(t.Context(), c.url, place)
			if conn != nil {
				t.Fatal("connected")
			}
			var d diag.Diagnostic
			if !errors.As(err, &d) || d.Span != place || d.Detail == "" || !strings.Contains(d.Summary, c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error holds the password")
			}
		})
	}
	conn, err := Connect(t.Context(), good, source.Span{})
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
