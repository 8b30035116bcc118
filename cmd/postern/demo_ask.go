package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
)

// demoUsers are the two users of the demo, as their tokens describe them.
func demoUsers() []view.DemoUser {
	return []view.DemoUser{
		{Title: "Rep north", Claims: map[string]any{
			"id": "00000000-0000-4000-8000-0000000000a2", "tenant_id": json.Number("1"), "groups": []any{"sales_reps"},
		}},
		{Title: "Sales manager, south", Claims: map[string]any{
			"id": "00000000-0000-4000-8000-0000000000a1", "tenant_id": json.Number("1"), "regions": []any{"south"},
			"groups": []any{"sales_managers"},
		}},
	}
}

// ask lets each user read the table in Postgres, and asks the other engines
// about each of its rows.
func (d *demonstration) ask(ctx context.Context) (*view.DemoRows, error) {
	rows, err := d.rows(ctx)
	if err != nil {
		return nil, err
	}
	opa, err := rego.NewDecider(ctx, d.project.program)
	if err != nil {
		return nil, err
	}
	document, err := jsondoc.NewDecider(ctx, d.project.program)
	if err != nil {
		return nil, err
	}
	out := &view.DemoRows{Table: "public." + demoTable, Users: demoUsers()}
	for _, r := range rows {
		line := view.DemoRow{Name: text(r, "name"), About: "region " + text(r, "region")}
		if r["erasure_requested"] == true {
			line.About = "asked to be forgotten"
		}
		if text(r, "tenant_id") != "1" {
			line.About = "of another company"
		}
		out.Rows = append(out.Rows, line)
	}
	for _, user := range out.Users {
		read, err := d.read(ctx, user)
		if err != nil {
			return nil, err
		}
		for i, r := range rows {
			answer := [3]bool{read[text(r, "id")]}
			for n, engine := range []backend.Decider{opa, document} {
				if answer[n+1], err = d.decide(ctx, engine, user, r); err != nil {
					return nil, err
				}
			}
			out.Rows[i].Answers = append(out.Rows[i].Answers, answer)
		}
	}
	return out, nil
}

func text(doc model.Document, name string) string { return fmt.Sprint(doc[name]) }

// rows are all rows of the table, as their owner sees them.
func (d *demonstration) rows(ctx context.Context) ([]model.Document, error) {
	rows, err := d.admin.Query(ctx, "SELECT to_jsonb(t)::text FROM public.customers t ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("reading the rows: %w", err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("reading the rows: %w", err)
	}
	out := make([]model.Document, len(texts))
	for i, t := range texts {
		dec := json.NewDecoder(bytes.NewReader([]byte(t)))
		dec.UseNumber()
		if err := dec.Decode(&out[i]); err != nil {
			return nil, fmt.Errorf("reading the rows: %w", err)
		}
	}
	return out, nil
}

// read selects as the app's own login, in a transaction that a token opens.
func (d *demonstration) read(ctx context.Context, user view.DemoUser) (map[string]bool, error) {
	role, err := accountOf(d.project.program.Datasources[0], demoApp)
	if err != nil {
		return nil, err
	}
	token, err := postgres.MintToken(d.key, postgres.Token{
		Claims: user.Claims, Role: role, Database: demoDatabase, Expires: time.Now().Add(time.Minute),
	})
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, d.server.RoleURL(postgres.LoginName(role, "a"), d.secrets["ASSISTANT_PASSWORD"], demoDatabase))
	if err != nil {
		return nil, fmt.Errorf("connecting as the app: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	seen := map[string]bool{}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT postern.open($1)", token); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT id::text FROM public.customers")
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, id := range ids {
			seen[id] = true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading as %s: %w", user.Title, err)
	}
	return seen, nil
}

func (d *demonstration) decide(ctx context.Context, engine backend.Decider, user view.DemoUser, row model.Document) (bool, error) {
	for _, t := range d.project.program.Tables {
		if t.Name == demoTable {
			return engine.Decide(ctx, backend.Question{
				Request: model.Request{User: user.Claims, App: demoApp, Now: model.Timestamp(time.Now().UnixMicro())},
				Table:   t, Action: model.View, Old: row,
			})
		}
	}
	return false, fmt.Errorf("the example has no table %s", demoTable)
}
