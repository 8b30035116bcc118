package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"cel.dev/cel-go/cel"
	"github.com/cedar-policy/cedar-go"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/compiler/model"
)

var errDenied = errors.New("an engine denies what the policies allow")

// question makes a function that asks one engine the question; it is an error
// when the answer is no.
type question func() error

// opa asks the Rego that Postern writes of the library, with a prepared query.
func opa(ctx context.Context, p *model.Program) (question, error) {
	d, err := rego.NewDecider(ctx, p)
	if err != nil {
		return nil, err
	}
	q := backend.Question{
		Request: model.Request{User: map[string]any{"id": me, "region": region, "groups": []any{"staff"}}},
		Table:   p.Tables[len(p.Tables)/2], Action: model.View,
		Old: model.Document{"owner": other, "region": region, "amount": json.Number("10")},
	}
	return func() error {
		ok, err := d.Decide(ctx, q)
		if err == nil && !ok {
			err = errDenied
		}
		return err
	}, nil
}

// cedarGo asks cedar-go.
func cedarGo(tables int) (question, error) {
	set, err := cedar.NewPolicySetFromBytes("bench.cedar", []byte(cedarText(tables)))
	if err != nil {
		return nil, fmt.Errorf("cedar: %w", err)
	}
	uid := func(typ, id string) cedar.EntityUID {
		return cedar.NewEntityUID(cedar.EntityType(typ), cedar.String(id))
	}
	user, group, deal := uid("User", me), uid("Group", "staff"), uid(tableName(tables/2), "1")
	entities := cedar.EntityMap{
		user: {
			UID: user, Parents: cedar.NewEntityUIDSet(group),
			Attributes: cedar.NewRecord(cedar.RecordMap{"id": cedar.String(me), "region": cedar.String(region)}),
		},
		deal: {UID: deal, Attributes: cedar.NewRecord(cedar.RecordMap{
			"owner": cedar.String(other), "region": cedar.String(region), "amount": cedar.Long(amount),
		})},
	}
	request := cedar.Request{Principal: user, Action: uid("Action", "view"), Resource: deal}
	return func() error {
		if ok, _ := cedar.Authorize(set, entities, request); !ok {
			return errDenied
		}
		return nil
	}, nil
}

// celGo asks cel-go for the conditions of one table's policies for the action;
// it has no policies, so finding them is left out.
func celGo() (question, error) {
	env, err := cel.NewEnv(cel.Variable("user", cel.DynType), cel.Variable("record", cel.DynType))
	if err != nil {
		return nil, fmt.Errorf("cel: %w", err)
	}
	compiled := func(text string) (cel.Program, error) {
		ast, issues := env.Compile(text)
		if err := issues.Err(); err != nil {
			return nil, fmt.Errorf("cel: %w", err)
		}
		return env.Program(ast)
	}
	texts, guardText := celTexts()
	guard, err := compiled(guardText)
	if err != nil {
		return nil, err
	}
	var policies []cel.Program
	for _, text := range texts {
		p, err := compiled(text)
		if err != nil {
			return nil, err
		}
		policies = append(policies, p)
	}
	vars := map[string]any{
		"user":   map[string]any{"id": me, "region": region, "groups": []any{"staff"}},
		"record": map[string]any{"owner": other, "region": region, "amount": int64(amount)},
	}
	holds := func(p cel.Program) bool {
		out, _, err := p.Eval(vars)
		return err == nil && out.Value() == true
	}
	return func() error {
		for _, p := range policies {
			if holds(p) && holds(guard) {
				return nil
			}
		}
		return errDenied
	}, nil
}
