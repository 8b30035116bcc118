package postgres

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
)

func TestPull(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, `CREATE TABLE elsewhere (id int PRIMARY KEY); CREATE SCHEMA "My Crm";
		CREATE TYPE "My Crm".status AS ENUM ('open', 'won''t');
		CREATE COLLATION "My Crm".nd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		CREATE TABLE "My Crm".accounts (id uuid PRIMARY KEY, parent_id uuid REFERENCES "My Crm".accounts);
		COMMENT ON TABLE "My Crm".accounts IS 'Who buys';
		CREATE TABLE "My Crm"."Deals" (
			id bigint, n int, amount numeric(10,2), "Na""me" character varying(40) NOT NULL, at timestamptz(3), local timestamp,
			tags text[], states "My Crm".status[], state "My Crm".status, ok boolean, d date, ip inet,
			f real, doc jsonb, net cidr, nd text COLLATE "My Crm".nd, t time, m money, p point, account_id uuid REFERENCES "My Crm".accounts,
			gone int, PRIMARY KEY (id, n)) PARTITION BY LIST (id);
		ALTER TABLE "My Crm"."Deals" DROP COLUMN gone;
		CREATE TABLE "My Crm".part PARTITION OF "My Crm"."Deals" DEFAULT;
		CREATE TABLE "My Crm".floats (f real PRIMARY KEY, other int REFERENCES elsewhere)`)
	got, err := Pull(t.Context(), conn, []string{"My Crm", "none"})
	if err != nil {
		t.Fatal(err)
	}
	status := model.EnumOf("open", "won't")
	want := []*PulledTable{
		{
			Schema: "My Crm", Name: "Deals", PrimaryKey: []string{"id", "n"},
			Columns: []PulledColumn{
				{Name: "id", Type: model.Int},
				{Name: "n", Type: model.Int, Native: "integer"},
				{Name: "amount", Type: model.Number, Null: true},
				{Name: `Na"me`, Type: model.String, Native: "character varying(40)"},
				{Name: "at", Type: model.TimeType, Null: true},
				{Name: "local", Type: model.TimeType, Native: "timestamp without time zone", Null: true},
				{Name: "tags", Type: model.StringSet, Null: true},
				{Name: "states", Type: model.SetOf(status), Native: `"My Crm".status[]`, Null: true},
				{Name: "state", Type: status, Native: `"My Crm".status`, Null: true},
				{Name: "ok", Type: model.Bool, Null: true},
				{Name: "d", Type: model.DateType, Null: true},
				{Name: "ip", Type: model.IP, Null: true},
				{Name: "account_id", Type: model.UUIDType, Null: true},
			},
			Relations: []PulledRelation{{Name: "account", Schema: "My Crm", Table: "accounts", On: [][2]string{{"account_id", "id"}}}},
			Notes: []string{
				`column "f" (real) is left out: floating-point numbers do not compare exactly`,
				`column "doc" (jsonb) is left out: conditions cannot look into documents`,
				`column "net" (cidr) is left out: a network is not an address; use inet`,
				`column "nd" (text) is left out: its collation nd takes different texts for equal`,
				`column "t" (time without time zone) is left out: the language has no times of day and no lengths of time as columns`,
				`column "m" (money) is left out: its values depend on the server's locale; use numeric`,
				`column "p" (point) is left out: the language has no such type`,
			},
		},
		{
			Schema: "My Crm", Name: "accounts", Description: "Who buys", PrimaryKey: []string{"id"},
			Columns: []PulledColumn{{Name: "id", Type: model.UUIDType}, {Name: "parent_id", Type: model.UUIDType, Null: true}},
			Relations: []PulledRelation{
				{Name: "parent", Schema: "My Crm", Table: "accounts", On: [][2]string{{"parent_id", "id"}}},
				{Name: "accounts", Schema: "My Crm", Table: "accounts", On: [][2]string{{"id", "parent_id"}}, Many: true},
				{Name: "Deals", Schema: "My Crm", Table: "Deals", On: [][2]string{{"id", "account_id"}}, Many: true},
			},
		},
		{
			Schema: "My Crm", Name: "floats",
			Columns: []PulledColumn{{Name: "other", Type: model.Int, Native: "integer", Null: true}},
			Notes: []string{
				`column "f" (real) is left out: floating-point numbers do not compare exactly`,
				`foreign key "floats_other_fkey" is left out: it leads to a table that is not pulled`,
				`the primary key is left out: its column "f" is`,
			},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
