package postgres

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// benchTables is the size of the benchmark: each table has 4 policies and
// grants for 5 accounts.
const benchTables = 1000

func benchState(n int) (*State, string) {
	f := plainFixture("bench")
	want := f.state()
	one := f.state()
	var ddl strings.Builder
	ddl.WriteString(f.ddl())
	var accounts []string
	for i := range 5 {
		name := fmt.Sprintf("bench_account_%d", i)
		accounts = append(accounts, name)
		want.Roles[RoleID(name)] = &Role{ID: RoleID(name), Inherit: true, ConnectionLimit: -1, Managed: true, Comment: Mark("test")}
		want.Scope.Accounts[name] = &AccountScope{Managed: true}
	}
	for i := range n {
		name := fmt.Sprintf("t%04d", i)
		g := f
		g.table = name
		ddl.WriteString(";\n" + g.ddl())
		id := TableID("public", name)
		want.Tables[id] = &Table{ID: id, Kind: "r", RLS: true, Force: true}
		want.Scope.Tables[id] = &TableScope{Required: one.Scope.Tables[TableID("public", "deals")].Required}
		for j, c := range []Command{CommandSelect, CommandUpdate, CommandDelete, CommandSelect} {
			p := PolicyID(id, fmt.Sprintf("p%d", j))
			want.Policies[p] = &Policy{
				ID: p, Command: c, Permissive: true, To: []Grantee{ToRole(accounts[j])},
				Using: "owner_id = (SELECT postern.me()) OR region IN ('a', 'b')",
			}
		}
		for _, a := range accounts {
			want.Grants.Add(GrantKey{Object: id, Grantee: ToRole(a), Privilege: PrivilegeDelete})
			for _, c := range []string{"id", "owner_id", "amount", "region"} {
				for _, p := range []Privilege{PrivilegeSelect, PrivilegeUpdate} {
					want.Grants.Add(GrantKey{Object: ColumnID(id, c), Grantee: ToRole(a), Privilege: p})
				}
			}
		}
	}
	return want, ddl.String()
}

// BenchmarkLive measures a first plan and apply, the same statements sent as
// one script, and a plan without changes.
func BenchmarkLive(b *testing.B) {
	for b.Loop() {
		conn := connect(b, pgtest.Database(b))
		want, ddl := benchState(benchTables)
		execute(b, conn, ddl)
		start := time.Now()
		p := makePlan(b, conn, want)
		first := time.Since(start)
		start = time.Now()
		statements, err := withSecrets(context.Background(), p, testSecrets("pw"))
		if err != nil {
			b.Fatal(err)
		}
		execute(b, conn, "BEGIN; SET LOCAL search_path = pg_catalog;"+strings.Join(statements, ";\n")+";ROLLBACK")
		script := time.Since(start)
		start = time.Now()
		apply(b, conn, p)
		applied := time.Since(start)
		start = time.Now()
		if again := makePlan(b, conn, want); !again.Empty() {
			b.Fatal("the plan after an apply is not empty")
		}
		b.ReportMetric(first.Seconds(), "s/first-plan")
		b.ReportMetric(script.Seconds(), "s/script")
		b.ReportMetric(applied.Seconds(), "s/apply")
		b.ReportMetric(time.Since(start).Seconds(), "s/empty-plan")
		execute(b, conn, "DROP OWNED BY bench_account_0")
	}
}
