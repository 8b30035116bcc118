package postgres

import (
	"fmt"
	"testing"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// TestConditionsAtFixpoint writes every condition as a policy and reads it
// back: a plan that compares texts then finds no difference where there is none.
func TestConditionsAtFixpoint(t *testing.T) {
	t.Parallel()
	p := conditionProgram(t, "fixpoint")
	_, sql := conditionSQL(t, p, sqltext.Func{Name: "statement_timestamp"})
	conn := conditionDatabase(t, p)
	for i, s := range sql {
		name := fmt.Sprintf("f%d", i)
		execute(t, conn, "CREATE POLICY "+name+" ON public.r USING ("+string(s)+")")
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = $1", name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != string(s) {
			t.Errorf("%s\nwritten %s\nread    %s", conditions[i/2], s, got)
		}
	}
}
