package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/source"
)

// policySchema makes the tables that generated policies are measured on; it
// holds a format verb for the number of rows.
//
//go:embed policies.sql
var policySchema string

// policyProject is what all cases have in common: verbs for the identity mode,
// and for the policies.
//
//go:embed policies.hcl
var policyProject string

// policyCase is one shape of policy beside what one would write by hand.
type policyCase struct {
	name     string
	identity string // "setting" unless stated
	policies string
	claims   map[string]any
	where    string // by hand
	query    string // of a view, with a verb for it; else all of the table is read
	setup    string // makes the view by hand
}

const (
	policyPassword = "not-a-secret"
	// me is who asks, as one reads it by hand.
	me = "(SELECT (current_setting('postern.claims', true)::json ->> 'id')::uuid)"
	// userID owns one row of two hundred.
	userID = "00000000-0000-4000-8000-000000000007"
)

var signingKey = postgres.Key{ID: 1, Secret: []byte(strings.Repeat("k", postgres.MinSecret))}

func grants(name, to, when string) string {
	return fmt.Sprintf("policy %q {\n  on = [table.main.deals]\n  to = [%s]\n  allow = [view]\n  when = %s\n}\n", name, to, when)
}

// policyCases are the shapes whose cost is promised.
func policyCases() []policyCase {
	user := map[string]any{"id": userID}
	own := grants("own", "access_level.user", "record.owner_id == user.id")
	guard := "guard \"tenant\" {\n  on = [table.main.deals]\n  to = [group.contractors]\n  require = record.tenant_id == user.tenant_id\n}\n"
	var groups, names []string
	var twenty strings.Builder
	for i := range 20 {
		group := fmt.Sprintf("g%02d", i)
		groups = append(groups, group)
		names = append(names, fmt.Sprintf("'r%03d'", i))
		twenty.WriteString(fmt.Sprintf("group %q { description = \"Group\" }\n", group) +
			grants("of_"+group, "group."+group, fmt.Sprintf("record.region == \"r%03d\"", i)))
	}
	superuser := own + grants("all", "access_level.superuser", "true")
	return []policyCase{
		{name: "owner", policies: own, claims: user, where: "owner_id = " + me},
		{name: "owner, signed identity", identity: "signed", policies: own, claims: user, where: "owner_id = '" + userID + "'"},
		{name: "owner, or a superuser's arm", policies: superuser, claims: user, where: "owner_id = " + me},
		{
			name: "the same, asked by a superuser", policies: superuser,
			claims: map[string]any{"id": userID, "access_level": "superuser"}, where: "true",
		},
		{
			name: "region set", policies: grants("regions", "access_level.user", "contains(user.regions, record.region)"),
			claims: map[string]any{"id": userID, "regions": []string{"r001", "r002", "r003"}},
			where:  "region = ANY ((SELECT ARRAY(SELECT json_array_elements_text(current_setting('postern.claims', true)::json -> 'regions')))::text[])",
		},
		{
			name: "membership table", policies: grants("members", "access_level.user", "anytrue([for m in record.members : m.user_id == user.id])"),
			claims: user, where: "id IN (SELECT deal_id FROM members WHERE user_id = " + me + ")",
		},
		{
			name: "twenty groups", policies: twenty.String(), claims: map[string]any{"id": userID, "groups": groups},
			where: "region = ANY (ARRAY[" + strings.Join(names, ", ") + "])",
		},
		{
			name: "to-one relation", policies: grants("accounts", "access_level.user", "record.account.owner_id == user.id"),
			claims: user, where: "account_id IN (SELECT id FROM accounts WHERE owner_id = " + me + ")",
		},
		{
			name: "to-one relation, no index", policies: grants("brands", "access_level.user", "record.brand.owner_id == user.id"),
			claims: user, where: "brand_id IN (SELECT id FROM accounts WHERE owner_id = " + me + ")",
		},
		{
			name: "to-many relation", claims: user,
			policies: grants("items", "access_level.user", `anytrue([for i in record.items : i.status == "open" && i.reviewer_id == user.id])`),
			where:    "EXISTS (SELECT FROM items i WHERE i.deal_id = deals.id AND i.status = 'open' AND i.reviewer_id = " + me + ")",
		},
		{
			name: "all of a to-many relation", claims: user,
			policies: grants("items", "access_level.user", `alltrue([for i in record.items : i.status == "open"])`),
			where:    "NOT EXISTS (SELECT FROM items i WHERE i.deal_id = deals.id AND (i.status = 'open') IS NOT TRUE)",
		},
		{
			name: "gated guard", policies: grants("all", "access_level.user", "true") + guard,
			claims: map[string]any{"id": userID, "tenant_id": 5, "groups": []string{"contractors"}},
			where:  "tenant_id = (SELECT (current_setting('postern.claims', true)::json ->> 'tenant_id')::bigint)",
		},
		{
			name: "owner under a gated guard", policies: own + guard, claims: map[string]any{"id": userID, "tenant_id": 7, "groups": []string{"contractors"}},
			where: "owner_id = " + me + " AND tenant_id = (SELECT (current_setting('postern.claims', true)::json ->> 'tenant_id')::bigint)",
		},
	}
}

// policyBench measures generated policies on one table of many rows.
type policyBench struct {
	w      io.Writer
	pairs  int
	server *throwaway.Server
	admin  *pgx.Conn
}

// policies compares each case's policy with the query by hand, which a
// superuser runs, for whom there are no policies.
func policies(ctx context.Context, w io.Writer, rows, pairs int, only string) (err error) {
	server, err := throwaway.Start(ctx, throwaway.Options{Settings: map[string]string{
		// One process each, all data in memory: the machine's noise stays small.
		"shared_buffers": "512MB", "max_parallel_workers_per_gather": "0", "jit": "off", "autovacuum": "off",
	}})
	if err != nil {
		return fmt.Errorf("starting Postgres: %w", err)
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if err := server.CreateDatabase(ctx, database); err != nil {
		return err
	}
	admin, err := pgx.Connect(ctx, server.URL(database))
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { err = errors.Join(err, admin.Close(ctx)) }()
	for _, statement := range strings.Split(fmt.Sprintf(policySchema, rows, rows/100), ";\n") {
		if _, err := admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("making the tables: %w", err)
		}
	}
	b := &policyBench{w: w, pairs: pairs, server: server, admin: admin}
	_, _ = fmt.Fprintf(w, "\nGenerated policies beside the query by hand, %d rows, median of %d pairs, %s.\n\n", rows, pairs, server.Version())
	_, _ = fmt.Fprintf(w, "%-32s %9s %9s %6s %9s %9s %6s  %s\n", "policy", "policy", "by hand", "ratio", "buffers", "by hand", "ratio", "scans")
	for _, c := range append(policyCases(), viewCases()...) {
		if only != "" && !strings.Contains(c.name, only) {
			continue
		}
		if err := b.run(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// run applies a case and measures it.
func (b *policyBench) run(ctx context.Context, c policyCase) (err error) {
	if c.identity == "" {
		c.identity = "setting"
	}
	if err := b.apply(ctx, c); err != nil {
		return err
	}
	app, err := pgx.Connect(ctx, b.server.RoleURL("bench_a", policyPassword, database))
	if err != nil {
		return fmt.Errorf("connecting as the account: %w", err)
	}
	defer func() { err = errors.Join(err, app.Close(ctx)) }()
	if c.setup != "" {
		if _, err := b.admin.PgConn().Exec(ctx, c.setup).ReadAll(); err != nil {
			return fmt.Errorf("making the view by hand: %w", err)
		}
	}
	policyQuery, handQuery := c.queries()
	policy, hand := &asked{conn: app, query: policyQuery}, &asked{conn: b.admin, query: handQuery}
	if err := b.identify(c, policy, hand); err != nil {
		return err
	}
	for _, q := range []*asked{policy, hand} {
		for range 3 {
			if _, err := q.time(ctx); err != nil {
				return err
			}
		}
		if err := q.explain(ctx); err != nil {
			return err
		}
	}
	if policy.answer != hand.answer {
		return fmt.Errorf("the policy shows %s, the query by hand %s", policy.answer, hand.answer)
	}
	var ours, theirs []time.Duration
	var ratios []float64
	for range b.pairs {
		p, err := policy.time(ctx)
		if err != nil {
			return err
		}
		h, err := hand.time(ctx)
		if err != nil {
			return err
		}
		ours, theirs, ratios = append(ours, p), append(theirs, h), append(ratios, p.Seconds()/h.Seconds())
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	slices.Sort(ratios)
	ms := func(d []time.Duration) float64 { return float64(d[len(d)/2].Microseconds()) / 1000 }
	scans := policy.scans
	if hand.scans != scans {
		scans += "; by hand " + hand.scans
	}
	ratio, buffers := ratios[len(ratios)/2], float64(policy.buffers)/float64(hand.buffers)
	_, _ = fmt.Fprintf(b.w, "%-32s %6.2f ms %6.2f ms %6s %9d %9d %6s  %s\n", c.name, ms(ours), ms(theirs), over(ratio, 1.3), policy.buffers, hand.buffers,
		over(buffers, 1.05), scans)
	return nil
}

// over marks what is above a limit.
func over(x, limit float64) string {
	text := fmt.Sprintf("%.2f", x)
	if x > limit {
		text += "!"
	}
	return text
}

// apply brings the database to a case's project.
func (b *policyBench) apply(ctx context.Context, c policyCase) error {
	set := &source.Set{Files: []source.File{{Name: "bench.hcl", Data: []byte(fmt.Sprintf(policyProject, c.identity) + c.policies)}}}
	p, diags := compiler.Compile(ctx, set, compiler.Inputs{})
	if err := diags.Err(); err != nil {
		return err
	}
	want, diags, err := postgres.DesiredIn(ctx, b.admin, p, p.Datasources[0])
	if err = errors.Join(err, diags.Err()); err != nil {
		return err
	}
	secrets := func(context.Context, plan.Secret) (string, error) { return policyPassword, nil }
	made, diags, err := postgres.MakePlan(ctx, b.admin, want, postgres.PlanOptions{Datasource: p.Datasources[0], Created: time.Now(), Secrets: secrets})
	if err = errors.Join(err, diags.Err()); err != nil {
		return err
	}
	if err := postgres.Apply(ctx, b.admin, made, postgres.ApplyOptions{Secrets: secrets}); err != nil {
		return err
	}
	if c.identity != "signed" {
		return nil
	}
	insert, err := postgres.InsertKey(signingKey)
	if err == nil {
		_, err = b.admin.Exec(ctx, string(insert))
	}
	return err
}

// identify opens the transactions that the queries run in.
func (b *policyBench) identify(c policyCase, policy, hand *asked) error {
	claims, err := json.Marshal(c.claims)
	if err != nil {
		return fmt.Errorf("the claims: %w", err)
	}
	policy.open, policy.arg = "SELECT set_config('postern.claims', $1, true)", string(claims)
	hand.open, hand.arg = policy.open, policy.arg
	if c.identity == "signed" {
		policy.open = "SELECT postern.open($1)"
		policy.arg, err = postgres.MintToken(signingKey, postgres.Token{
			Claims: c.claims, Role: "bench", Database: database, Expires: time.Now().Add(time.Hour),
		})
	}
	return err
}

// asked is one query, run in transactions that say who asks.
type asked struct {
	conn      *pgx.Conn
	open, arg string
	query     string
	answer    string
	buffers   int
	scans     string
}

func (q *asked) within(ctx context.Context, f func(tx pgx.Tx) error) error {
	tx, err := q.conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("beginning: %w", err)
	}
	if _, err = tx.Exec(ctx, q.open, q.arg); err == nil {
		err = f(tx)
	}
	return errors.Join(err, tx.Rollback(ctx))
}

// time is how long the query takes, without the transaction around it. It is
// planned anew each time, as most clients' queries are.
func (q *asked) time(ctx context.Context) (took time.Duration, err error) {
	err = q.within(ctx, func(tx pgx.Tx) error {
		start := time.Now()
		results, err := tx.Conn().PgConn().Exec(ctx, q.query).ReadAll()
		took = time.Since(start)
		if err == nil {
			q.answer = fmt.Sprintf("%s", results[0].Rows[0])
		}
		return err
	})
	return took, err
}

// node is one node of a query plan (Postgres documentation, "EXPLAIN").
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Hit      int    `json:"Shared Hit Blocks"`
	Read     int    `json:"Shared Read Blocks"`
	Plans    []node `json:"Plans"`
}

// explain finds how the query reads the table, and how many pages in all.
func (q *asked) explain(ctx context.Context) error {
	return q.within(ctx, func(tx pgx.Tx) error {
		var text []byte
		if err := tx.QueryRow(ctx, "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) "+q.query, pgx.QueryExecModeSimpleProtocol).Scan(&text); err != nil {
			return fmt.Errorf("explaining: %w", err)
		}
		var plans []struct{ Plan node }
		if err := json.Unmarshal(text, &plans); err != nil {
			return fmt.Errorf("reading the query plan: %w", err)
		}
		root := plans[0].Plan
		q.buffers, q.scans = root.Hit+root.Read, strings.Join(root.scans(), ", ")
		return nil
	})
}

// scans are the nodes that read the table.
func (n node) scans() (out []string) {
	switch {
	case n.Relation == "deals" && n.Type == "Bitmap Heap Scan":
		var indexes []string
		n.indexes(&indexes)
		slices.Sort(indexes)
		return []string{n.Type + " of " + strings.Join(slices.Compact(indexes), " + ")}
	case n.Relation == "deals" && n.Index != "":
		return []string{n.Type + " of " + n.Index}
	case n.Relation == "deals":
		return []string{n.Type}
	}
	for _, child := range n.Plans {
		out = append(out, child.scans()...)
	}
	return out
}

func (n node) indexes(out *[]string) {
	if n.Index != "" {
		*out = append(*out, n.Index)
	}
	for _, child := range n.Plans {
		child.indexes(out)
	}
}
