package condition_test

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"github.com/postern-dev/postern/compiler/condition"
	"github.com/postern-dev/postern/compiler/model"
)

// deals is a table with a column of every type and relations of both kinds.
func deals() *model.Table {
	ds := &model.Datasource{Name: "crm", Type: model.Postgres}
	member := table(ds, "deal_members", "deal_id", model.UUIDType, "user_id", model.UUIDType,
		"role", model.EnumOf("lead", "helper"), "hours", model.Int, "note", model.String)
	account := table(ds, "accounts", "id", model.UUIDType, "owner_id", model.UUIDType, "name", model.String, "active", model.Bool)
	deal := table(ds, "deals", "id", model.UUIDType, "owner_id", model.UUIDType, "account_id", model.UUIDType,
		"status", model.EnumOf("open", "won", "lost"), "title", model.String, "region", model.String, "stage", model.Int,
		"amount", model.Number, "done", model.Bool, "hidden", model.Bool, "due", model.DateType, "opened_at", model.TimeType,
		"address", model.IP, "tags", model.StringSet, "mentions", model.SetOf(model.UUIDType), "sizes", model.SetOf(model.Int),
		"ratio", model.Number, "code", model.String, "odd name", model.String)
	deal.Column("ratio").Native = "double precision"
	deal.Column("code").Native = "citext"
	relate(deal, "account", account, false, "account_id", "id")
	relate(deal, "members", member, true, "id", "deal_id")
	relate(account, "deals", deal, true, "id", "account_id")
	relate(member, "deal", deal, false, "deal_id", "id")
	return deal
}

func table(ds *model.Datasource, name string, columns ...any) *model.Table {
	t := &model.Table{Datasource: ds, Name: name, SQLName: name, Schema: "public"}
	for pair := range slices.Chunk(columns, 2) {
		t.Columns = append(t.Columns, &model.Column{Name: pair[0].(string), Type: pair[1].(model.Type), Null: true})
	}
	return t
}

func relate(from *model.Table, name string, to *model.Table, many bool, a, b string) {
	from.Relations = append(from.Relations, &model.Relation{
		Name: name, From: from, Table: to, Many: many,
		On: []model.JoinPair{{From: from.Column(a), To: to.Column(b)}},
	})
}

func attribute(scope model.Scope, name string, t model.Type) *model.Attribute {
	return &model.Attribute{Name: name, Scope: scope, Type: t, Claim: []string{name}}
}

// scope is what the test conditions speak about.
func scope() *condition.Scope {
	id := attribute(model.ScopeUser, "id", model.UUIDType)
	levels := map[string]*model.Level{}
	for _, n := range []string{model.LevelAnonymous, model.LevelUser, model.LevelSuperuser} {
		levels[n] = &model.Level{Name: n}
	}
	return &condition.Scope{
		Row: &model.Row{Name: "record", Table: deals()},
		Identity: &model.Identity{Key: id, Attributes: []*model.Attribute{
			id, attribute(model.ScopeUser, "region", model.String), attribute(model.ScopeUser, "rank", model.Int),
			attribute(model.ScopeUser, "teams", model.StringSet), attribute(model.ScopeUser, "vip", model.Bool),
			attribute(model.ScopeUser, "budget", model.Number),
		}},
		Request: []*model.Attribute{attribute(model.ScopeRequest, "ip", model.IP), attribute(model.ScopeRequest, "at", model.TimeType)},
		Groups:  map[string]*model.Group{"sales": {Name: "sales"}, "hr": {Name: "hr"}},
		Levels:  levels,
		Eval: &hcl.EvalContext{
			Variables: map[string]cty.Value{
				"var": cty.ObjectVal(map[string]cty.Value{
					"regions": cty.ListVal([]cty.Value{cty.StringVal("EMEA"), cty.StringVal("APAC")}),
					"none":    cty.NullVal(cty.String), "limit": cty.NumberIntVal(3), "column": cty.StringVal("region"),
					"secret": cty.StringVal("hunter2").Mark("sensitive"), "later": cty.UnknownVal(cty.String),
					"empty": cty.ListValEmpty(cty.String), "on": cty.True, "nul": cty.StringVal("a\x00b"),
				}),
			},
			Functions: map[string]function.Function{
				"upper": stdlib.UpperFunc, "lower": stdlib.LowerFunc, "length": stdlib.LengthFunc,
				"coalesce": stdlib.CoalesceFunc, "contains": stdlib.ContainsFunc, "concat": stdlib.ConcatFunc,
			},
		},
	}
}
