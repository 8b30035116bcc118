package document

import (
	"errors"
	"fmt"
	"strings"
)

// names is a set of declared names of one kind.
type names struct {
	kind string
	has  map[string]bool
}

func newNames(kind string) *names { return &names{kind: kind, has: map[string]bool{}} }

func (n *names) declare(name string) error {
	if name == "" {
		return fmt.Errorf("a %s has no name", n.kind)
	}
	if strings.ContainsRune(name, 0) {
		return fmt.Errorf("the name of %s %q holds a NUL", n.kind, name)
	}
	if n.has[name] {
		return fmt.Errorf("%s %q is there twice", n.kind, name)
	}
	n.has[name] = true
	return nil
}

func (n *names) want(list ...string) error {
	for _, name := range list {
		if !n.has[name] {
			return fmt.Errorf("there is no %s %q", n.kind, name)
		}
	}
	return nil
}

// validator holds what the document declares.
type validator struct {
	apps, datasources, groups, levels, users *names
	userAttrs, requestAttrs                  *names
	tables                                   map[TableRef]*Table
}

func (d *Document) validate() error {
	v := &validator{
		apps: newNames("app"), datasources: newNames("datasource"), groups: newNames("group"),
		levels: newNames("access level"), users: newNames("user"),
		userAttrs: newNames("user attribute"), requestAttrs: newNames("request attribute"),
		tables: map[TableRef]*Table{},
	}
	for _, step := range []func(*Document) error{v.declare, v.identity, v.schema, v.appsAndUsers, v.policies, v.guards, v.masks} {
		if err := step(d); err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) declare(d *Document) error {
	if d.Project == "" {
		return errors.New("it names no project")
	}
	var errs []error
	for _, x := range d.Apps {
		errs = append(errs, v.apps.declare(x.Name))
	}
	for _, x := range d.Datasources {
		errs = append(errs, v.datasources.declare(x.Name))
		if x.Type != "postgres" && x.Type != "service" {
			errs = append(errs, fmt.Errorf("datasource %q has the unknown type %q", x.Name, x.Type))
		}
	}
	for _, x := range d.Groups {
		errs = append(errs, v.groups.declare(x.Name))
	}
	for _, x := range d.Levels {
		errs = append(errs, v.levels.declare(x.Name))
	}
	for _, x := range d.Directory {
		errs = append(errs, v.users.declare(x.Name))
	}
	for _, x := range d.Groups {
		errs = append(errs, v.groups.want(x.Closure...), v.groups.want(x.Name))
	}
	for _, x := range d.Levels {
		errs = append(errs, v.levels.want(x.AtLeast...))
	}
	return errors.Join(append(errs, v.levels.want(LevelAnonymous, LevelUser))...)
}

func (v *validator) identity(d *Document) error {
	errs := []error{
		attributes(v.userAttrs, d.Identity.Attributes), attributes(v.requestAttrs, d.Request),
		v.userAttrs.want(d.Identity.Key),
	}
	return errors.Join(errs...)
}

func attributes(declared *names, list []Attribute) error {
	for _, a := range list {
		if err := declared.declare(a.Name); err != nil {
			return err
		}
		if len(a.Claim) == 0 {
			return fmt.Errorf("attribute %q has no claim", a.Name)
		}
		if err := a.Type.validate(false); err != nil {
			return fmt.Errorf("attribute %q: %w", a.Name, err)
		}
	}
	return nil
}

// validate checks the form of a type; literal allows durations.
func (t Type) validate(literal bool) error {
	if (t.Kind == Set) != (t.Elem != nil) {
		return fmt.Errorf("type %q with or without an element type", t.Kind)
	}
	if (t.Kind == Enum) != (len(t.Values) > 0) {
		return fmt.Errorf("type %q with or without values", t.Kind)
	}
	switch t.Kind {
	case Bool, Int, Number, String, UUID, Date, Timestamp, IP, Enum:
		return nil
	case Set:
		if t.Elem.Kind == Set {
			return errors.New("a set of sets")
		}
		return t.Elem.validate(false)
	case Duration:
		if literal {
			return nil
		}
	}
	return fmt.Errorf("the type %q is not known here", t.Kind)
}

func (v *validator) schema(d *Document) error {
	for i := range d.Tables {
		t := &d.Tables[i]
		ref := TableRef{Datasource: t.Datasource, Table: t.Name}
		if t.Name == "" || v.tables[ref] != nil {
			return fmt.Errorf("table %q of datasource %q has no name or is there twice", t.Name, t.Datasource)
		}
		v.tables[ref] = t
		if err := v.table(t); err != nil {
			return fmt.Errorf("table %q of datasource %q: %w", t.Name, t.Datasource, err)
		}
	}
	for i := range d.Tables {
		if err := v.relations(&d.Tables[i]); err != nil {
			return fmt.Errorf("table %q of datasource %q: %w", d.Tables[i].Name, d.Tables[i].Datasource, err)
		}
	}
	return nil
}

func (v *validator) table(t *Table) error {
	if err := v.datasources.want(t.Datasource); err != nil {
		return err
	}
	columns, actions := newNames("column"), newNames("action")
	for _, c := range t.Columns {
		if err := columns.declare(c.Name); err != nil {
			return err
		}
		if err := c.Type.validate(false); err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	for _, a := range t.Actions {
		if err := actions.declare(a); err != nil {
			return err
		}
	}
	return columns.want(t.PrimaryKey...)
}

func (v *validator) relations(t *Table) error {
	declared := newNames("relation")
	for _, r := range t.Relations {
		if err := declared.declare(r.Name); err != nil {
			return err
		}
		other := v.tables[r.Table]
		if other == nil || other.Datasource != t.Datasource {
			return fmt.Errorf("relation %q leads to %q of datasource %q, which is not there", r.Name, r.Table.Table, r.Table.Datasource)
		}
		for _, pair := range r.On {
			if t.column(pair.From) == nil || other.column(pair.To) == nil {
				return fmt.Errorf("relation %q joins columns that are not there", r.Name)
			}
		}
		if t.column(r.Name) != nil {
			return fmt.Errorf("relation %q has the name of a column", r.Name)
		}
	}
	return nil
}

func (t *Table) column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

func (v *validator) appsAndUsers(d *Document) error {
	for _, a := range d.Apps {
		if err := v.subjects(a.Users); err != nil {
			return fmt.Errorf("app %q: %w", a.Name, err)
		}
		seen := newNames("connect")
		for _, c := range a.Connects {
			if err := errors.Join(v.datasources.want(c.Datasource), seen.declare(c.Datasource)); err != nil {
				return fmt.Errorf("app %q: %w", a.Name, err)
			}
			if c.As != AsUser && c.As != AsApp {
				return fmt.Errorf("app %q connects as %q", a.Name, c.As)
			}
		}
	}
	for _, u := range d.Directory {
		if err := v.user(u); err != nil {
			return fmt.Errorf("user %q: %w", u.Name, err)
		}
	}
	return nil
}

func (v *validator) user(u User) error {
	if u.Groups != nil {
		if err := v.groups.want(*u.Groups...); err != nil {
			return err
		}
	}
	if u.Level != "" {
		if err := v.levels.want(u.Level); err != nil {
			return err
		}
	}
	stated := newNames("value")
	for _, a := range u.Attributes {
		if err := errors.Join(v.userAttrs.want(a.Name), stated.declare(a.Name)); err != nil {
			return err
		}
	}
	return nil
}

func (v *validator) subjects(list []Subject) error {
	for _, s := range list {
		kinds := map[SubjectKind]*names{
			GroupSubject: v.groups, UserSubject: v.users, LevelSubject: v.levels, AppSubject: v.apps,
		}
		declared := kinds[s.Kind]
		switch {
		case s.Kind == Everyone && s.Name == "":
		case declared == nil:
			return fmt.Errorf("the subject kind %q with name %q is not known", s.Kind, s.Name)
		default:
			if err := declared.want(s.Name); err != nil {
				return err
			}
		}
	}
	return nil
}
