package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

func (in *inspection) server(r row) error {
	version, err := strconv.Atoi(r.text(0))
	if err != nil {
		return fmt.Errorf("server version %q: %w", r.text(0), err)
	}
	in.live.Server = Server{
		Version: version, Text: "PostgreSQL " + r.text(1), Database: r.text(2), User: r.text(3), Super: r.bool(4),
		CreateRole: r.bool(5), Create: r.bool(6), Recovery: r.bool(7), Encoding: r.text(8), AuthID: r.bool(9), Owner: r.bool(10),
		CreateDB: r.bool(11), Replication: r.bool(12), BypassRLS: r.bool(13), DatabaseOwner: r.text(14),
	}
	in.live.horizon = r.text(16)
	return errors.Join(fromJSON(r[15], &in.live.Server.Superusers), fromJSON(r[17], &in.live.Server.Rights))
}

func (in *inspection) generatedTable(r row) error {
	table := &GeneratedTable{ID: TableID(r.text(0), r.text(1)), Owner: r.text(3), RLS: r.bool(7)}
	var columns [][4]any
	if err := fromJSON(r[5], &columns); err != nil {
		return err
	}
	for _, c := range columns {
		column := Column{}
		column.Name, _ = c[0].(string)
		column.Type, _ = c[1].(string)
		column.NotNull, _ = c[2].(bool)
		column.Default, _ = c[3].(string)
		table.Columns = append(table.Columns, column)
	}
	if err := fromJSON(r[6], &table.PrimaryKey); err != nil {
		return err
	}
	in.live.Generated[table.ID] = table
	in.made = append(in.made, r.text(2))
	if !r.bool(4) {
		in.live.Unreadable = append(in.live.Unreadable, table.ID)
	}
	return nil
}

// fromJSON decodes a JSON value; NULL leaves the target as it is.
func fromJSON(data []byte, into any) error {
	if data == nil {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("reading %q: %w", data, err)
	}
	return nil
}

func hasColumns(t *GeneratedTable, names []string) bool {
	have := map[string]bool{}
	for _, c := range t.Columns {
		have[c.Name] = true
	}
	for _, n := range names {
		if !have[n] {
			return false
		}
	}
	return true
}

// recordID is the object that a row of the table postern.objects is about.
func recordID(r row) ObjectID {
	return ObjectID{Kind: Kind(r.text(0)), Schema: r.text(1), Name: r.text(2), Sub: r.text(3)}
}

func (in *inspection) record(r row) error {
	in.live.Records[recordID(r)] = Record{Desired: r.text(4), Live: r.text(5)}
	return nil
}

func (in *inspection) contentRow(t *GeneratedTable) func(row) error {
	return func(r row) error {
		values := make([]*string, len(r))
		for i, v := range r {
			if v != nil {
				s := string(v)
				values[i] = &s
			}
		}
		t.Rows = append(t.Rows, values)
		return nil
	}
}

func (in *inspection) role(r row) error {
	limit, err := strconv.Atoi(r.text(8))
	if err != nil {
		return fmt.Errorf("connection limit %q: %w", r.text(8), err)
	}
	role := &Role{
		ID: RoleID(r.text(0)), Login: r.bool(1), Inherit: r.bool(2), Super: r.bool(3), CreateRole: r.bool(4),
		CreateDB: r.bool(5), Replication: r.bool(6), BypassRLS: r.bool(7), ConnectionLimit: limit, Comment: r.text(10),
	}
	if until := r.text(9); until != "" && until != "infinity" {
		t, err := time.Parse("2006-01-02 15:04:05.999999-07", until)
		if err != nil {
			return fmt.Errorf("valid until %q: %w", until, err)
		}
		t = t.UTC()
		role.ValidUntil = &t
	}
	if role.Settings, err = settings(r[11]); err != nil {
		return err
	}
	if role.DatabaseSettings, err = settings(r[12]); err != nil {
		return err
	}
	role.Rotation, role.Retired, role.Managed = readMark(role.Comment, in.live.Project)
	in.live.Administered[role.ID.Name] = r.bool(13)
	in.live.Roles[role.ID] = role
	return nil
}

// settings splits the entries of a setconfig array at their first "=".
func settings(data []byte) (map[string]string, error) {
	var entries []string
	if err := fromJSON(data, &entries); err != nil || len(entries) == 0 {
		return nil, err
	}
	out := make(map[string]string, len(entries))
	for _, e := range entries {
		name, value, _ := strings.Cut(e, "=")
		out[name] = value
	}
	return out, nil
}

func (in *inspection) membership(r row) error {
	key := MembershipKey{Role: r.text(0), Member: r.text(1)}
	if r.bool(6) {
		in.live.Administrators[key.Member] = true
	}
	m := in.live.Memberships[key]
	if m == nil {
		m = &Membership{MembershipKey: key}
		in.live.Memberships[key] = m
	}
	m.Inherit = m.Inherit || r.bool(2)
	m.Set = m.Set || r.bool(3)
	m.Admin = m.Admin || r.bool(4)
	m.Grantors = sortedUnique(append(m.Grantors, r.text(5)), strings.Compare)
	if !r.bool(7) {
		in.live.ForeignGrantors[key] = append(in.live.ForeignGrantors[key], r.text(5))
	}
	return nil
}

func (in *inspection) schema(r row) error {
	s := &Schema{ID: SchemaID(r.text(0)), Owner: r.text(1), Comment: r.text(2)}
	s.Managed = s.Comment == Mark(in.live.Project)
	in.live.Schemas[s.ID] = s
	in.live.SchemaOwned[s.ID] = r.bool(3)
	return nil
}

// kindOfDefault is the kind of objects that a letter of pg_default_acl means.
var kindOfDefault = map[string]Kind{"r": KindTable, "S": KindSequence, "f": KindFunction, "T": KindType, "n": KindSchema}

func (in *inspection) defaultPrivilege(r row) error {
	kind, ok := kindOfDefault[r.text(2)]
	if !ok {
		kind = Kind(r.text(2))
	}
	key := DefaultPrivilegeKey{Creator: r.text(0), Schema: r.text(1), Kind: kind, Grantee: ToRole(r.text(3)), Privilege: Privilege(r.text(4))}
	in.live.DefaultPrivileges[key] = &Grant{Grantable: r.bool(5)}
	return nil
}

func (in *inspection) inherited(r row) error {
	to := Public()
	if r[1] != nil {
		to = ToRole(r.text(1))
	}
	kind := kindOfDefault[r.text(0)]
	in.live.Inherited[kind] = append(in.live.Inherited[kind], to)
	return nil
}

var (
	volatilities = map[string]string{"i": "IMMUTABLE", "s": "STABLE", "v": "VOLATILE"}
	parallels    = map[string]string{"s": "SAFE", "r": "RESTRICTED", "u": "UNSAFE"}
	commands     = map[string]Command{"*": CommandAll, "r": CommandSelect, "a": CommandInsert, "w": CommandUpdate, "d": CommandDelete}
)

func (in *inspection) function(r row) error {
	f := &Function{
		ID: FunctionID(r.text(0), r.text(1), r.text(2)), Arguments: r.text(3), Returns: r.text(4), Language: r.text(5),
		Body: r.text(6), SecurityDefiner: r.bool(7), Strict: r.bool(8), Leakproof: r.bool(9),
		Volatility: volatilities[r.text(10)], Parallel: parallels[r.text(11)], Owner: r.text(13), Comment: r.text(14),
	}
	if err := fromJSON(r[12], &f.Config); err != nil {
		return err
	}
	in.live.Functions[f.ID] = f
	return nil
}

func (in *inspection) dependent(r row) error {
	dep := Dependent{Role: r.text(0), Database: r.text(1), Object: r.text(2)}
	var id [3]string
	if err := fromJSON(r[3], &id); err != nil {
		return err
	}
	if dep.ID = (ObjectID{Kind: Kind(id[0]), Schema: id[1], Name: id[2]}); dep.ID.Kind == KindSchema {
		dep.ID.Schema = ""
	}
	in.live.Dependents = append(in.live.Dependents, dep)
	return nil
}

func (in *inspection) view(r row) error {
	v := &View{ID: ViewID(r.text(0), r.text(1)), Owner: r.text(2), Body: sqltext.SQL(r.text(3))}
	var columns [][2]string
	if err := errors.Join(fromJSON(r[4], &v.Options), fromJSON(r[5], &columns)); err != nil {
		return err
	}
	for _, c := range columns {
		v.Columns = append(v.Columns, ViewColumn{Name: c[0], Type: c[1]})
	}
	in.live.Views[v.ID] = v
	return nil
}

func (in *inspection) relation(r row) error {
	t := &Table{
		ID: TableID(r.text(1), r.text(2)), Kind: r.text(3), Owner: r.text(4), RLS: r.bool(6), Force: r.bool(7),
	}
	var parents [][2]string
	if err := fromJSON(r[9], &parents); err != nil {
		return err
	}
	for _, p := range parents {
		t.Parents = append(t.Parents, TableID(p[0], p[1]))
	}
	in.live.Tables[t.ID] = t
	in.live.Facts[t.ID] = &TableFacts{OwnerLogin: r.bool(5), Owned: r.bool(8), OwnerExempt: r.bool(10), oid: r.text(0)}
	in.oids[r.text(0)] = t.ID
	in.tables = append(in.tables, r.text(0))
	return nil
}

func (in *inspection) column(r row) error {
	t := in.live.Tables[in.oids[r.text(0)]]
	t.Columns = append(t.Columns, Column{Name: in.name(r[1]), Type: in.name(r[2]), NotNull: r.bool(3), Base: in.name(r[4])})
	return nil
}

func (in *inspection) sequence(r row) error {
	id := in.oids[r.text(0)]
	seq := ObjectID{Kind: KindSequence, Schema: r.text(1), Name: r.text(2)}
	in.live.Sequences[id] = append(in.live.Sequences[id], seq)
	return nil
}

func (in *inspection) policy(r row) error {
	p := &Policy{
		ID: PolicyID(in.oids[r.text(0)], r.text(1)), Command: commands[r.text(2)], Permissive: r.bool(3),
		Using: sqltext.SQL(r.text(5)), Check: sqltext.SQL(r.text(6)),
	}
	var roles []*string
	if err := fromJSON(r[4], &roles); err != nil {
		return err
	}
	for _, name := range roles {
		if name == nil {
			p.To = append(p.To, Public())
		} else {
			p.To = append(p.To, ToRole(*name))
		}
	}
	p.To = sortedUnique(p.To, Grantee.Compare)
	in.live.Policies[p.ID] = p
	return nil
}

// acl reads an object's access list. Many objects have the same one.
func (in *inspection) acl(r row) error {
	items, known := in.acls[string(r[6])]
	if !known {
		var err error
		if items, err = parseACL(r.text(6)); err != nil {
			return err
		}
		in.acls[r.text(6)] = items
	}
	id := ObjectID{Kind: Kind(in.name(r[0])), Schema: in.name(r[1]), Name: in.name(r[2]), Sub: in.name(r[3])}
	object, col := wholeObject(id), column(id)
	owner := in.name(r[4])
	in.live.Owners[object] = owner
	for _, item := range items {
		if item.grantee == ToRole(owner) || !r.bool(5) && (item.grantee.Public || !in.inScope[item.grantee.Role]) {
			continue
		}
		p := in.live.Grants.part(Holder{Object: object, Grantee: item.grantee}, col)
		p.rights |= item.rights
		p.option |= item.option
		p.by = append(p.by, grantedBy{grantor: item.grantor, rights: item.rights})
	}
	return nil
}
