package postgres_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
)

const readRecordHCL = `
postern { project = "records" }
identity {
  attribute "id" { type = int }
}
datasource "d" {
  type     = "postgres"
  url      = env("D_URL")
  identity = "setting"
  owner    = "exempt"
}
table "d" "accounts" {
  column "id" { type = int }
  column "Own er's" { type = string }
  primary_key = ["id"]
  relation "deals" {
    table = table.d.deals
    on    = { id = "account_id" }
    many  = true
  }
}
table "d" "deals" {
  column "tenant" { type = int }
  column "id" { type = uuid }
  column "account_id" {
    type = int
    null = true
  }
  column "amount" { type = number }
  column "at" { type = timestamp }
  column "tags" { type = set(string) }
  primary_key = ["tenant", "id"]
  relation "account" {
    table = table.d.accounts
    on    = { account_id = "id" }
  }
}
`

func TestReadRecord(t *testing.T) {
	t.Parallel()
	p := compile(t, readRecordHCL)
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, `
SET TimeZone = 'Asia/Tokyo';
CREATE TABLE accounts (id bigint PRIMARY KEY, "Own er's" text);
CREATE TABLE deals (tenant bigint, id uuid, account_id bigint, amount numeric, at timestamptz, tags text[], secret text, PRIMARY KEY (tenant, id));
INSERT INTO accounts VALUES (7, 'a"b');
INSERT INTO deals VALUES
	(1, '00000000-0000-4000-8000-000000000001', 7, 12345678901234567890.50, '2026-01-02 03:04:05.6+09', ARRAY['x', NULL], 'unseen'),
	(1, '00000000-0000-4000-8000-000000000002', NULL, 1, '2026-01-02 03:04:05Z', '{}', 'unseen')`)
	deals, accounts := p.Tables[1], p.Tables[0]
	deal := model.Document{
		"tenant": json.Number("1"), "id": "00000000-0000-4000-8000-000000000001", "account_id": json.Number("7"),
		"amount": json.Number("12345678901234567890.50"), "at": "2026-01-01T18:04:05.6+00:00", "tags": []any{"x", nil},
	}
	cases := map[string]struct {
		table *model.Table
		key   []string
		depth int
		want  model.Document
	}{
		"without relations": {deals, []string{"1", "00000000-0000-4000-8000-000000000001"}, 0, deal},
		"to one, and to many from there": {deals, []string{"1", "00000000-0000-4000-8000-000000000001"}, 2, with(deal, "account", model.Document{
			"id": json.Number("7"), "Own er's": `a"b`, "deals": []any{deal},
		})},
		"to none": {deals, []string{"1", "00000000-0000-4000-8000-000000000002"}, 1, model.Document{
			"tenant": json.Number("1"), "id": "00000000-0000-4000-8000-000000000002", "account_id": nil, "amount": json.Number("1"),
			"at": "2026-01-02T03:04:05+00:00", "tags": []any{}, "account": nil,
		}},
		"to many": {accounts, []string{"7"}, 1, model.Document{"id": json.Number("7"), "Own er's": `a"b`, "deals": []any{deal}}},
	}
	for name, c := range cases {
		got, err := postgres.ReadRecord(t.Context(), conn, c.table, c.key, c.depth)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := postgres.ReadRecord(t.Context(), conn, accounts, []string{"7' OR true --"}, 0); err == nil || errors.Is(err, postgres.ErrNoRecord) {
		t.Errorf("a hostile key: %v", err)
	}
	if _, err := postgres.ReadRecord(t.Context(), conn, accounts, []string{"8"}, 0); !errors.Is(err, postgres.ErrNoRecord) {
		t.Errorf("a key of nothing: %v", err)
	}
}

// with is a document with one more member.
func with(doc model.Document, name string, v any) model.Document {
	out := model.Document{name: v}
	for k, x := range doc {
		out[k] = x
	}
	return out
}
