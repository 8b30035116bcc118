package view

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/cmd/internal/review"
)

// TestPlanSchema: what plan prints as JSON is as its schema says, and the schema
// takes nothing else.
func TestPlanSchema(t *testing.T) {
	t.Parallel()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(PlanSchema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("plan", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("plan")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := hostileReport(hostile)
	for i := range r.Changes {
		r.Changes[i].Hash = strings.Repeat("0", 64)
		r.ByHand[i].Hash = strings.Repeat("0", 64)
		r.Changes[i].Lost = r.Changes[i].Gained
	}
	r.Before.At = &at
	pl := hostilePlan(hostile)
	pl.Created = at
	pl.Changes = append(pl.Changes, plan.Modify{About: pl.Changes[0].What(), Before: "a", After: "b"}, plan.Remove{About: pl.Changes[0].What(), Before: "a"})
	pl.Hazards = []plan.Hazard{plan.Locks{Mode: "ACCESS EXCLUSIVE", Tables: []string{"t"}}, plan.DropsRole{Role: "r"}}
	pl.Statements[0].Secret = &plan.Secret{Account: "a"}
	unknown := review.NotComparable("why", "program")
	unknown.After.Kind = review.Planned
	var b bytes.Buffer
	refused := []review.Refusal{{Datasource: "d", Change: "c", Verdict: "wider", Approve: "c sha256:0", Stale: "s"}}
	approved := []review.Approval{{Key: "c"}, {Key: "c", Hash: strings.Repeat("0", 64), Line: 1, Commit: "abc", Author: "a"}}
	if err := Plans(Output{W: &b, JSON: true}, []*plan.Plan{pl, hostilePlan(hostile[:1])}, []*review.Report{r, unknown}, review.Outcome{Refused: refused, Approved: approved}); err != nil {
		t.Fatal(err)
	}
	printed := b.String()
	check := func(text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v)
	}
	if err := check(printed); err != nil {
		t.Errorf("%v", err)
	}
	for _, edit := range [][2]string{
		{`"verdict": "wider"`, `"verdict": "maybe"`},
		{`"refused":`, `"denied":`},
		{`"before": {`, `"earlier": {`},
		{`"same":`, `"equal":`},
		{`"approve":`, `"line":`},
		{`"statements":`, `"sql":`},
		{`"format_version": "1.0"`, `"format_version": "2.0"`},
	} {
		if !strings.Contains(printed, edit[0]) {
			t.Errorf("the plan has no %s", edit[0])
		}
		if check(strings.Replace(printed, edit[0], edit[1], 1)) == nil {
			t.Errorf("the schema takes %s", edit[1])
		}
	}
}
