package postgres

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/lang/source"
)

// bookkeeping is one of the tables that applying keeps, or nil.
func (d *differ) bookkeeping(name string) *GeneratedTable {
	for id, t := range d.want.Generated {
		if id.Name == name {
			return t
		}
	}
	return nil
}

func (d *differ) compareSchemas() {
	compareKeyed(d.want.Schemas, d.live.Schemas, ObjectID.Compare,
		func(id ObjectID, want *Schema) {
			if !want.Managed {
				d.diags.Fail(CodeSchemaMissing, d.place(), fmt.Sprintf("schema %s does not exist", printed(id)),
					"Create it, or correct the schema of the tables that are declared in it.")
				return
			}
			statements := []printedSQL{sql(CreateSchema(want)), sql(CommentOn(id, Mark(d.want.Project)))}
			if id.Name != RuntimeSchema {
				statements = append(statements, d.close(id)...)
			}
			d.add(item{phase: phaseGenerated, id: id, change: plan.Add{About: about(id, d.place(), ""), After: "owned by " + want.Owner}}, statements...)
		},
		func(id ObjectID, want, have *Schema) {
			if !want.Managed {
				return
			}
			if strings.HasPrefix(have.Comment, Mark("")) && have.Comment != Mark(d.want.Project) {
				d.diags.Fail(CodeForeignMark, d.place(), fmt.Sprintf("schema %s belongs to another project (%s)",
					printed(id), strings.TrimPrefix(have.Comment, Mark(""))), "One database is governed by one project at a time.")
				return
			}
			_, recorded := d.live.Records[id]
			known := recorded || id.Name == RuntimeSchema && d.live.Records != nil || have.Comment == Mark(d.want.Project)
			if !known && (have.Owner != want.Owner || id.Name != RuntimeSchema) {
				d.diags.Fail(CodeSchemaUnmarked, d.place(), fmt.Sprintf("schema %s exists already and was not made by this project", printed(id)),
					"Rename it: Postern keeps its own functions and tables in a schema of that name.")
				return
			}
			var statements []printedSQL
			if have.Owner != want.Owner {
				statements = append(statements, sql(SetOwner(id, want.Owner)))
			}
			if have.Comment != Mark(d.want.Project) {
				statements = append(statements, sql(CommentOn(id, Mark(d.want.Project))))
			}
			if len(statements) > 0 {
				d.add(item{phase: phaseGenerated, id: id, change: plan.Modify{
					About:  about(id, d.place(), plan.ReasonDrift),
					Before: "owned by " + have.Owner + " " + have.Comment, After: "owned by " + want.Owner + " " + Mark(d.want.Project),
				}}, statements...)
			}
			if !recorded && id.Name != RuntimeSchema {
				d.adopt(id)
			}
		},
		d.dropSchema)
}

func (d *differ) compareGenerated() {
	compareKeyed(d.want.Generated, d.live.Generated, ObjectID.Compare, d.createGenerated, d.changeGenerated, d.dropHashKey)
}

func (d *differ) createGenerated(id ObjectID, want *GeneratedTable) {
	d.add(item{phase: phaseGenerated, order: 1, id: id, change: plan.Add{
		About: about(id, d.place(), ""),
		After: describeGenerated(want),
	}}, d.makeGenerated(want)...)
}

// close takes away what a new object gives to others by default.
func (d *differ) close(id ObjectID) []printedSQL {
	var out []printedSQL
	for _, to := range d.live.Inherited[id.Kind] {
		out = append(out, sql(RevokeSQL([]GrantKey{{Object: id, Grantee: to}}, false)))
	}
	return out
}

// makeGenerated makes a generated table with its rows.
func (d *differ) makeGenerated(t *GeneratedTable) []printedSQL {
	out := append([]printedSQL{sql(CreateGenerated(t))}, d.close(t.ID)...)
	if t.RLS {
		out = append(out, sql(RowSecurity(t.ID, EnableRLS)))
	}
	for _, r := range t.Rows {
		out = append(out, sql(InsertRow(t, r)))
	}
	return append(out, sql(SetOwner(t.ID, t.Owner)))
}

func describeGenerated(t *GeneratedTable) string {
	out := fmt.Sprintf("%d columns, %d rows, owned by %s", len(t.Columns), len(t.Rows), t.Owner)
	if t.RLS {
		out += ", row security enabled"
	}
	return out
}

func (d *differ) changeGenerated(id ObjectID, want, have *GeneratedTable) {
	if !sameDefinition(want, have) {
		d.redefine(id, want, have)
		return
	}
	var statements []printedSQL
	if have.Owner != want.Owner {
		statements = append(statements, sql(SetOwner(id, want.Owner)))
	}
	if have.RLS != want.RLS {
		action := EnableRLS
		if have.RLS {
			action = DisableRLS
		}
		statements = append(statements, sql(RowSecurity(id, action)))
	}
	if len(statements) > 0 {
		d.add(item{phase: phaseGenerated, order: 1, id: id, change: plan.Modify{
			About:  about(id, d.place(), plan.ReasonDrift),
			Before: describeGenerated(have), After: describeGenerated(want),
		}}, statements...)
	}
	if !want.Filled {
		return
	}
	if slices.Contains(d.live.Unreadable, id) {
		if d.live.Records[id].Desired == rowsBrief(want) {
			d.unread = append(d.unread, printed(id))
			return
		}
		d.diags.Fail(CodePrivilege, d.place(), fmt.Sprintf("role %s may not read table %s", d.live.Server.User, printed(id)),
			"Plan as a superuser, or as a member of "+printed(RoleID(want.Owner))+".")
		return
	}
	d.changeRows(want, have)
}

// missingTexts are the columns that a table lacks, where it is an older form
// of what is wanted: the same but for columns of type text at its end.
func missingTexts(want, have *GeneratedTable) (names []string) {
	n := len(have.Columns)
	if n >= len(want.Columns) || !sameDefinition(have, &GeneratedTable{Columns: want.Columns[:n], PrimaryKey: want.PrimaryKey}) {
		return nil
	}
	for _, c := range want.Columns[n:] {
		if c.Type != "text" || !c.NotNull {
			return nil
		}
		names = append(names, c.Name)
	}
	return names
}

// redefine makes a generated table anew when its columns have changed. Only a
// table whose whole content the program states can be; others are given the
// columns that a newer version of Postern added.
func (d *differ) redefine(id ObjectID, want, have *GeneratedTable) {
	if names := missingTexts(want, have); !want.Filled && names != nil {
		d.add(item{phase: phaseGenerated, order: 1, id: id, change: plan.Modify{
			About:  about(id, d.place(), "this version of Postern keeps more in it"),
			Before: describeGenerated(have), After: describeGenerated(want),
		}}, sql(AddTexts(id, names)))
		return
	}
	if !want.Filled {
		d.diags.Fail(CodeGenerated, d.place(), fmt.Sprintf("table %s is not as this version of Postern makes it", printed(id)),
			"It was altered by hand, or another version of Postern made it. Its content is not in the project, so it is not made anew: restore its columns.")
		return
	}
	d.hold(id, d.place(), true)
	d.fresh[id] = true
	statements := append([]printedSQL{sql(DropObject(id))}, d.makeGenerated(want)...)
	d.add(item{phase: phaseGenerated, order: 1, id: id, change: plan.Modify{
		About:  about(id, d.place(), ""),
		Before: "other columns", After: describeGenerated(want),
	}}, statements...)
}

func sameDefinition(a, b *GeneratedTable) bool {
	return slices.Equal(a.PrimaryKey, b.PrimaryKey) && slices.EqualFunc(a.Columns, b.Columns, func(x, y Column) bool {
		return x.Name == y.Name && x.Type == y.Type && x.NotNull == y.NotNull
	})
}

func rowKey(t *GeneratedTable, r []*string) []string {
	var key []string
	for i, c := range t.Columns {
		if slices.Contains(t.PrimaryKey, c.Name) && i < len(r) && r[i] != nil {
			key = append(key, *r[i])
		}
	}
	return key
}

// changeRows brings the rows of a filled table to what the program states.
func (d *differ) changeRows(want, have *GeneratedTable) {
	index := func(t *GeneratedTable, rows [][]*string) map[string][]*string {
		out := map[string][]*string{}
		for _, r := range rows {
			out[fmt.Sprintf("%q", rowKey(t, r))] = r
		}
		return out
	}
	del := func(r []*string) printedSQL { return sql(DeleteRow(want, keyInOrder(want, r))) }
	reason := byHand(d.live.Records[want.ID], rowsBrief(have))
	describe := func(r []*string) plan.About {
		name := printed(want.ID) + " " + strings.Join(rowKey(want, r), ", ")
		return plan.About{Object: plan.Object{Kind: "row", Name: name}, Span: d.place(), Reason: reason}
	}
	it := item{phase: phaseGenerated, order: 2, id: want.ID}
	compareKeyed(index(want, want.Rows), index(want, have.Rows), strings.Compare,
		func(_ string, w []*string) {
			it.change = plan.Add{About: describe(w), After: describeRow(w)}
			d.add(it, sql(InsertRow(want, w)))
		},
		func(_ string, w, h []*string) {
			if describeRow(w) == describeRow(h) {
				return
			}
			it.change = plan.Modify{About: describe(w), Before: describeRow(h), After: describeRow(w)}
			d.add(it, del(h), sql(InsertRow(want, w)))
		},
		func(_ string, h []*string) {
			it.change = plan.Remove{About: describe(h), Before: describeRow(h)}
			d.add(it, del(h))
		})
}

// keyInOrder is a row's key in the order of the primary key.
func keyInOrder(t *GeneratedTable, r []*string) []string {
	var key []string
	for _, name := range t.PrimaryKey {
		for i, c := range t.Columns {
			if c.Name == name && i < len(r) && r[i] != nil {
				key = append(key, *r[i])
			}
		}
	}
	return key
}

func describeRow(r []*string) string {
	out := make([]string, len(r))
	for i, v := range r {
		out[i] = "NULL"
		if v != nil {
			out[i] = fmt.Sprintf("%q", *v)
		}
	}
	return strings.Join(out, ", ")
}

func (d *differ) compareFunctions() {
	compareKeyed(d.want.Functions, d.live.Functions, ObjectID.Compare,
		func(id ObjectID, want *Function) {
			reason := ""
			if _, was := d.live.Records[id]; was {
				reason = plan.ReasonDrift
			}
			d.add(item{phase: phaseGenerated, order: 3, id: id, change: plan.Add{About: about(id, d.place(), reason), After: describeFunction(want)}},
				d.createFunction(want)...)
		},
		func(id ObjectID, want, have *Function) {
			if _, ok := d.live.Records[id]; !ok {
				d.adopt(id)
			}
			if describeFunction(want) == describeFunction(have) && want.Comment == have.Comment {
				return
			}
			reason := byHand(d.live.Records[id], functionBrief(have))
			change := plan.Modify{About: about(id, d.place(), reason), Before: describeFunction(have), After: describeFunction(want)}
			if want.Returns != have.Returns || want.Arguments != have.Arguments {
				d.diags.Fail(CodeGenerated, d.place(), fmt.Sprintf("function %s is not as this version of Postern makes it", printed(id)),
					"It returns another type, or its arguments have other names. Drop it, with the policies that call it, and plan again.")
				return
			}
			d.add(item{phase: phaseGenerated, order: 3, id: id, change: change}, d.createFunction(want)...)
		},
		func(id ObjectID, have *Function) {
			if _, ok := d.live.Records[id]; !ok {
				d.diags.Warn(CodeFunctionUnknown, d.place(), fmt.Sprintf("function %s was not made by this project", printed(id)),
					"It stands in the schema that Postern keeps for itself and is left alone. Nobody but its owner keeps rights on it.")
				return
			}
			d.hold(id, source.Span{}, false)
			d.add(item{phase: phaseCleanup, id: id, change: plan.Remove{
				About:  about(id, source.Span{}, "no longer needed"),
				Before: describeFunction(have),
			}}, sql(DropObject(id)))
			d.forget = append(d.forget, id)
		})
}

// createFunction makes or replaces a function. Postgres gives EXECUTE on a new
// one to PUBLIC, which is taken away at once.
func (d *differ) createFunction(f *Function) []printedSQL {
	out := []printedSQL{sql(CreateFunction(f))}
	if _, there := d.live.Functions[f.ID]; !there {
		out = append(out, sql(RevokeSQL([]GrantKey{{Object: f.ID, Grantee: Public()}}, false)))
		out = append(out, d.close(f.ID)...)
	}
	out = append(out, sql(SetOwner(f.ID, f.Owner)))
	if f.Comment != "" {
		out = append(out, sql(CommentOn(f.ID, f.Comment)))
	}
	return out
}

func describeFunction(f *Function) string {
	flags := ""
	if f.SecurityDefiner {
		flags += " SECURITY DEFINER"
	}
	if f.Strict {
		flags += " STRICT"
	}
	if f.Leakproof {
		flags += " LEAKPROOF"
	}
	return fmt.Sprintf("(%s) RETURNS %s LANGUAGE %s %s PARALLEL %s%s %s OWNER %s\n%s", f.Arguments, f.Returns, f.Language,
		f.Volatility, f.Parallel, flags, strings.Join(f.Config, " "), f.Owner, f.Body)
}

// adopt writes down an object that is this project's but is not in the record.
func (d *differ) adopt(id ObjectID) {
	d.adopted = append(d.adopted, string(id.Kind)+" "+printed(id))
}

// record adds the statements that write down what the plan makes.
func (d *differ) record() {
	table := d.bookkeeping(tableObjects)
	if table == nil {
		return
	}
	d.recordProject(table.ID)
	if len(d.adopted) > 0 {
		d.add(item{phase: phaseRecord, order: 1, id: table.ID, change: plan.Add{About: plan.About{
			Object: plan.Object{Kind: "record", Name: printed(table.ID)}, Span: d.place(), Reason: "not on record in this database",
		}, After: strings.Join(d.adopted, "\n")}})
	}
	if len(d.made) > 0 {
		d.add(item{phase: phaseRecord, order: 1, id: table.ID}, sql(recordPolicies(table.ID, d.made)))
	}
	if len(d.views) > 0 {
		d.add(item{phase: phaseRecord, order: 1, id: table.ID}, sql(recordViews(table.ID, d.views)))
	}
	d.recordApplied(table.ID)
	if len(d.forget) > 0 {
		slices.SortFunc(d.forget, ObjectID.Compare)
		d.add(item{phase: phaseRecord, id: table.ID}, sql(forget(table.ID, d.forget)))
	}
}
