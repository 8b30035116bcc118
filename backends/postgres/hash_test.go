package postgres

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// withHashKey adds to a fixture's state the table of the key.
func withHashKey(f fixture, want *State) {
	mask := &model.MaskTarget{Mask: &model.Mask{With: model.MaskHash{}}}
	b := &runtimeBuilder{
		state: want, owner: f.owner,
		ds: &model.Datasource{Tables: []*model.Table{{Masks: []*model.MaskTarget{mask}}}},
		p:  &model.Program{HashKey: &model.Secret{Kind: model.SecretEnv, Name: "THE_KEY"}},
	}
	b.hashKeyTable()
}

// keyed reads passwords and a hash key.
func keyed(key string) Secrets {
	return func(_ context.Context, s plan.Secret) (string, error) {
		if s.Kind == plan.SecretHashKey {
			return key, nil
		}
		return "pw", nil
	}
}

func planKeyed(t *testing.T, conn *pgx.Conn, want *State, key string) *plan.Plan {
	t.Helper()
	p, diags, err := MakePlan(t.Context(), conn, want, PlanOptions{Datasource: testDatasource(), Created: time.Unix(0, 0), Secrets: keyed(key)})
	if err != nil || diags.HasErrors() {
		t.Fatalf("plan: %v\n%v", err, diags)
	}
	return p
}

// TestHashKey: the key is stored by apply and never planned, a changed one is
// seen, and what the database makes of a text is what the language says.
func TestHashKey(t *testing.T) {
	t.Parallel()
	f, conn, want := applied(t, "hashkey")
	withHashKey(f, want)
	for _, key := range []string{
		string(model.TestHashKey), strings.Repeat("é", 32), strings.Repeat("ki\\'y", 40), strings.Repeat("a", 64), strings.Repeat("a", 65),
	} {
		p := planKeyed(t, conn, want, key)
		if text := describe(p); strings.Contains(text, key) || !strings.Contains(text, "«env(THE_KEY)»") {
			t.Errorf("the plan is\n%s", text)
		}
		if err := Apply(t.Context(), conn, p, ApplyOptions{Secrets: keyed(key)}); err != nil {
			t.Fatal(err)
		}
		if again := planKeyed(t, conn, want, key); !again.Empty() {
			t.Errorf("the plan after an apply is not empty:\n%s", describe(again))
		}
		for _, text := range []string{"", "Ada", "a 😀 é\\'"} {
			sql, err := sqltext.Print(hashedText(sqltext.Const{Text: text, Type: tText}))
			if err != nil {
				t.Fatal(err)
			}
			if got := rows(t, conn, "SELECT "+string(sql)); len(got) != 1 || got[0] != model.HashKey(key).Hash(text) {
				t.Errorf("%q is %q", text, got)
			}
		}
	}
	if keys := rows(t, conn, "SELECT name FROM postern.hash_key"); len(keys) != 1 {
		t.Errorf("keys %q", keys)
	}
	without := f.state() // the last mask is gone, and the key with it
	p := makePlan(t, conn, without)
	if !slices.ContainsFunc(p.Changes, func(c plan.Change) bool {
		r, ok := c.(plan.Remove)
		return ok && r.Object == plan.Object{Kind: "hash key", Name: `"postern"."hash_key"`}
	}) {
		t.Errorf("the plan does not remove the key:\n%s", describe(p))
	}
	apply(t, conn, p)
	requireEmpty(t, conn, without)
	if left := rows(t, conn, "SELECT to_regclass('postern.hash_key') IS NULL"); left[0] != "t" {
		t.Error("the key is still there")
	}
	// Made by hand, it is drift; declared again, it is stored again.
	execute(t, conn, "CREATE TABLE postern.hash_key (name text PRIMARY KEY, inner_pad bytea NOT NULL, outer_pad bytea NOT NULL)")
	p = makePlan(t, conn, without)
	if len(p.Changes) != 1 || !p.Changes[0].What().Drift {
		t.Errorf("a key by hand is no drift:\n%s", describe(p))
	}
	apply(t, conn, p)
	requireEmpty(t, conn, without)
	if err := Apply(t.Context(), conn, planKeyed(t, conn, want, strings.Repeat("k", 40)), ApplyOptions{Secrets: keyed(strings.Repeat("k", 40))}); err != nil {
		t.Fatal(err)
	}
	execute(t, conn, "SET ROLE "+quoted(t, f.account))
	if _, err := conn.Exec(t.Context(), "SELECT FROM postern.hash_key"); err == nil {
		t.Error("an account reads the key")
	}
}

// TestHashKeyTooShort: a key that could be guessed is an error before anything
// is done.
func TestHashKeyTooShort(t *testing.T) {
	t.Parallel()
	f, conn, want := applied(t, "hashshort")
	withHashKey(f, want)
	short := strings.Repeat("k", 31)
	p, diags, err := MakePlan(t.Context(), conn, want, PlanOptions{Datasource: testDatasource(), Secrets: keyed(short)})
	if p != nil || err != nil || !strings.Contains(diags.Error(), "at least 32 characters") || strings.Contains(diags.Error(), short) {
		t.Errorf("%v %v", diags, err)
	}
	err = Apply(t.Context(), conn, planKeyed(t, conn, want, short+"k"), ApplyOptions{Secrets: keyed(short)})
	if err == nil || !strings.Contains(err.Error(), "env(THE_KEY)") || strings.Contains(err.Error(), short) {
		t.Errorf("%v", err)
	}
}
