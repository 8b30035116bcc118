package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/explain"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
)

// requestFlags say who asks, through what, and when.
type requestFlags struct {
	user      string
	anonymous bool
	app       string
	context   string
	now       string
}

func (f *requestFlags) add(cmd *cobra.Command) {
	f.addApp(cmd)
	cmd.Flags().StringVar(&f.user, "user", "", "a user block's `NAME`, or the user's claims as a JSON object, or @FILE with them")
	cmd.Flags().BoolVar(&f.anonymous, "anonymous", false, "nobody in particular")
	cmd.MarkFlagsOneRequired("user", "anonymous")
	cmd.MarkFlagsMutuallyExclusive("user", "anonymous")
}

// addApp adds the flags of a request that leave its user open.
func (f *requestFlags) addApp(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.app, "app", "", "the `APP` through which the request comes; default: the only one there is")
	cmd.Flags().StringVar(&f.context, "request", "", "what request.* reads, as a `JSON` object or @FILE")
	cmd.Flags().StringVar(&f.now, "now", "", "the `TIME` at which it is asked, as 2026-01-02T15:04:05Z; default: now")
}

// request puts the request to a datasource together.
func (f *requestFlags) request(p *model.Program, ds *model.Datasource) (model.Request, error) {
	req := model.Request{Now: model.Timestamp(time.Now().UnixMicro())}
	var err error
	if f.now != "" {
		var ok bool
		if req.Now, ok = eval.ParseTimestamp(f.now); !ok {
			return req, fmt.Errorf("--now %q is no time such as 2026-01-02T15:04:05Z", f.now)
		}
	}
	if req.User, err = f.claims(p); err != nil {
		return req, err
	}
	if req.Context, err = document("--request", f.context); err != nil {
		return req, err
	}
	if ds != nil {
		req.App, err = chooseApp(ds, f.app)
	}
	return req, err
}

// claims are those of the flag; nil for an anonymous request.
func (f *requestFlags) claims(p *model.Program) (map[string]any, error) {
	if f.anonymous || f.user == "" {
		return nil, nil
	}
	if isDocument(f.user) {
		return document("--user", f.user)
	}
	if claims := keyClaims(p, strings.TrimPrefix(f.user, "user.")); claims != nil {
		return claims, nil
	}
	return nil, fmt.Errorf("the project has no user %q; --user also takes the claims of any other as a JSON object", f.user)
}

// keyClaims name a user of the directory by their key alone; nil when there is
// none of that name.
func keyClaims(p *model.Program, name string) map[string]any {
	for _, u := range p.Users {
		if u.Name == name {
			return explain.KeyClaims(p, u)
		}
	}
	return nil
}

// chooseApp is the stated app, or the only one that connects to a datasource.
func chooseApp(ds *model.Datasource, stated string) (string, error) {
	var names []string
	for _, e := range ds.Entries() {
		if e.App() != nil {
			names = append(names, e.App().Name)
		}
	}
	stated = strings.TrimPrefix(stated, "app.")
	switch {
	case stated == "" && len(names) == 1:
		return names[0], nil
	case stated == "" && len(names) > 1:
		return "", fmt.Errorf("several apps connect to datasource.%s: say --app with one of %s", ds.Name, strings.Join(names, ", "))
	case stated != "" && len(names) > 0 && !slices.Contains(names, stated):
		return "", fmt.Errorf("no app %q connects to datasource.%s; these do: %s", stated, ds.Name, strings.Join(names, ", "))
	case len(names) == 0:
		return "", nil // no app connects: one that is named is ignored
	}
	return stated, nil
}

// recordFlags name a table and one record of it.
type recordFlags struct {
	table  string
	action string
	record string
	ids    []string
}

func (f *recordFlags) add(s *session, cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.table, "table", "", "the `TABLE` or resource, such as crm.deals")
	cmd.Flags().StringVar(&f.action, "action", string(model.View), "the `ACTION`")
	cmd.Flags().StringVar(&f.record, "record", "", "the record as a `JSON` object or @FILE, related records in it under their relation's name")
	cmd.Flags().StringArrayVar(&f.ids, "id", nil, "the `VALUE` of the primary key of a record in the live database; repeated for each of its columns")
	_ = cmd.MarkFlagRequired("table")
	cmd.MarkFlagsMutuallyExclusive("record", "id")
	_ = cmd.RegisterFlagCompletionFunc("table", s.completeTable)
}

// completeTable offers the project's tables and resources.
func (s *session) completeTable(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if p := s.quiet(cmd.Context()); p != nil {
		for _, t := range p.Tables {
			names = append(names, cobra.CompletionWithDesc(t.Address(), t.Description))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// find is the table and the action that the flags name.
func (f *recordFlags) find(p *model.Program) (*model.Table, model.Action, error) {
	var known []string
	for _, t := range p.Tables {
		known = append(known, t.Address())
		if f.table != t.Address() && f.table != explain.TableAddress(t) {
			continue
		}
		if a := model.Action(f.action); t.HasAction(a) {
			return t, a, nil
		}
		return nil, "", fmt.Errorf("%s has no action %q; it has %s", explain.TableAddress(t), f.action, joinActions(t.Actions))
	}
	return nil, "", fmt.Errorf("the project has no table %q; it has %s", f.table, strings.Join(known, ", "))
}

func joinActions(actions []model.Action) string {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = string(a)
	}
	return strings.Join(names, ", ")
}

// read is the record of the flags, nil when they name none: as it is stated, or
// as the live database holds it, with its related records as deep as the
// program's conditions look.
func (f *recordFlags) read(ctx context.Context, s *session, p *model.Program, t *model.Table) (model.Document, error) {
	if f.record != "" {
		return stated("--record", f.record, t)
	}
	if f.ids == nil {
		return nil, nil
	}
	if t.Resource() {
		return nil, errors.New("--id reads a table of Postgres; the records of a service are given with --record")
	}
	conn, err := s.connect(ctx, t.Datasource)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return postgres.ReadRecord(ctx, conn, t, f.ids, testrun.RelationDepth(p))
}

// stated is a record as a flag states it; a name that is no column or relation
// of the table is an error.
func stated(flag, text string, t *model.Table) (model.Document, error) {
	doc, err := document(flag, text)
	if err != nil {
		return nil, err
	}
	for name := range doc {
		if t.Column(name) == nil && t.Relation(name) == nil {
			var columns []string
			for _, c := range t.Columns {
				columns = append(columns, c.Name)
			}
			return nil, fmt.Errorf("%s has %q, which is no column of %s: it has %s", flag, name, t.Address(), strings.Join(columns, ", "))
		}
	}
	return doc, nil
}

func isDocument(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "{") || strings.HasPrefix(text, "@")
}

// document is a JSON object that a flag states, or names the file of.
func document(flag, text string) (map[string]any, error) {
	name, isFile := strings.CutPrefix(strings.TrimSpace(text), "@")
	if !isFile {
		return object(flag, text)
	}
	data, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		return nil, fmt.Errorf("reading what %s names: %w", flag, err)
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("%s: %s is empty", flag, name)
	}
	return object(flag, string(data))
}
