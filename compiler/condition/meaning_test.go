package condition_test

import (
	"encoding/json"
	"testing"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

const (
	me    = "7b0e1f2a-0000-4000-8000-000000000001"
	other = "7b0e1f2a-0000-4000-8000-000000000002"
)

// TestMeaning evaluates compiled conditions on one record and one user, as
// written and in both lowered forms.
func TestMeaning(t *testing.T) {
	t.Parallel()
	unknown := model.Unknown{}
	cases := map[string]model.Value{
		`record.owner_id == user.id`: true, `record.owner_id != user.id`: false, `record.owner_id == record.id`: false,
		`record.region == user.region`: unknown, `!(record.region == user.region)`: unknown,
		`record.region == null`: true, `record.region != null`: false, `is_empty(record.region)`: true, `is_empty(record.title)`: false,
		`coalesce(record.region, "EMEA") == user.region`: true, `user.rank == 1`: unknown, `known(user.rank)`: false,
		`known(user.rank) ? user.rank > 1 : record.stage == 3`: true, `user.rank > 1 ? true : true`: unknown,
		`record.stage * 2 - 1 == 5`: true, `-record.stage < 0`: true, `10 - record.stage == 7`: true, `2 < record.stage`: true,
		`record.amount == 0.1 + 0.2`: true, `record.amount < 1`: true, `record.stage < 3.5`: true, `between(record.stage, 3, 3)`: true,
		`between(record.stage, user.rank, 2)`: false, `between(record.stage, user.rank, 3)`: unknown,
		`in_last(record.opened_at, hours(1))`: true, `in_last(record.opened_at, minutes(59))`: false, `in_next(record.opened_at, days(1))`: false,
		`in_next(record.due, days(1))`: true, `record.opened_at + hours(1) == now()`: true, `now() - hours(2) + hours(1) == record.opened_at`: true,
		`record.due == "2024-03-02"`: true, `record.due > record.opened_at`: true, `record.opened_at < "2024-03-01T13:00:00+01:00"`: true,
		`contains(record.tags, "a")`: true, `contains(record.tags, "z")`: false, `contains(user.teams, record.title)`: unknown,
		`contains(["Plan", "x"], record.title)`: true, `contains(record.title, "la")`: true, `starts_with(record.title, "P")`: true,
		`lower(record.title) == "plan"`: true, `length(record.tags) == 2`: true, `length(record.title) == 4`: true, `length("añ") == 2`: true,
		`"${record.title}/${record.stage}" == "Plan/3"`: true, `is_under("a.b", "a", ".")`: true, `cidr_contains("10.0.0.0/8", record.address)`: true,
		`member_of(group.sales)`: true, `contains(user.groups, "hr")`: false, `user.access_level == "user"`: true, `known(app.name)`: false,
		`record.account.owner_id == user.id`: true, `record.account.name == null`: true,
		`anytrue([for m in record.members : m.user_id == user.id])`: true, `alltrue([for m in record.members : m.user_id == user.id])`: false,
		`length([for m in record.members : m if m.role == "lead"]) == 1`: true, `length([for m in record.members : m if m.hours > 1]) == 1`: unknown,
		`2 >= length(record.members)`: true, `length(record.members) > record.stage`: false,
		`anytrue([for m in record.members : m.user_id == user.id if m.role == "helper"])`: false, `alltrue([for m in record.members : m.hours > 1 if m.role == "lead"])`: true,
		`anytrue([for r in ["x", "Plan"] : record.title == r])`: true, `record.done == (record.stage == 3)`: true, `!record.done || record.hidden`: unknown,
	}
	for src, want := range cases {
		t.Run(src, func(t *testing.T) {
			t.Parallel()
			c, env := prepare(t, src)
			if got := env.Value(c.Source); got != want {
				t.Errorf("means %v, want %v", got, want)
			}
			if env.Holds(c.Holds) != (want == true) || env.Holds(c.Fails) != (want == false) {
				t.Errorf("true %s, false %s, want %v", show(c.Holds), show(c.Fails), want)
			}
		})
	}
}

func prepare(t *testing.T, src string) (model.Condition, *eval.Env) {
	t.Helper()
	sc := scope()
	c, diags := compileIn(t, src, sc)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	p := &model.Program{Identity: *sc.Identity, Request: sc.Request}
	for _, l := range []string{model.LevelAnonymous, model.LevelUser} {
		p.Levels = append(p.Levels, sc.Levels[l])
	}
	now := model.Timestamp(1709294400_000000) // 2024-03-01T12:00:00Z
	user := map[string]any{"id": me, "region": "EMEA", "groups": []any{"sales"}}
	return c, eval.NewEnv(p, model.Request{User: user, Now: now}, model.Entry{}).On(model.Document{
		"id": other, "owner_id": me, "title": "Plan", "stage": json.Number("3"), "amount": json.Number("0.3"), "done": true,
		"due": "2024-03-02", "opened_at": "2024-03-01T11:00:00+00:00", "address": "10.1.2.3", "tags": []any{"a", "b", "a"},
		"account": model.Document{"owner_id": me},
		"members": []any{
			model.Document{"user_id": me, "role": "lead", "hours": json.Number("2")},
			model.Document{"user_id": other, "role": "helper"},
		},
	})
}
