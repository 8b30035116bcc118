package rego

import (
	"fmt"
	"math/big"

	"github.com/postern-dev/postern/compiler/model"
)

// The documents below are what the handwritten policy reads as
// data.postern.PROJECT.lib.model.

type modelData struct {
	Groups      map[string][]string       `json:"groups"`      // group: itself and all it is nested in
	Levels      map[string][]string       `json:"levels"`      // level: itself and all below it
	Users       map[string]userData       `json:"users"`       // by the text of their key
	Apps        map[string][]string       `json:"apps"`        // app: the subjects that may use it
	Datasources map[string]datasourceData `json:"datasources"` // by name
	// HashKey names the variable of the engine's environment that holds the key
	// of masks by hash().
	HashKey string `json:"hash_key,omitempty"`
}

type userData struct {
	Name        string         `json:"name"`
	Groups      *[]string      `json:"groups,omitempty"` // missing: not stated
	AccessLevel string         `json:"access_level,omitempty"`
	Attributes  map[string]any `json:"attributes"` // null: stated that there is none
}

type datasourceData struct {
	Apps   map[string]connectData `json:"apps"`
	Tables map[string]tableData   `json:"tables"`
}

type connectData struct {
	As    string   `json:"as"`
	Users []string `json:"users"`
}

type tableData struct {
	Columns  []string              `json:"columns"`
	Guards   []string              `json:"guards"`
	Policies map[string]policyData `json:"policies"`
	// Grants lists policies by action and subject.
	Grants map[string]map[string][]grantData `json:"grants"`
	// Masks lists the masks by column, those that show null first.
	Masks map[string][]maskData `json:"masks,omitempty"`
}

type policyData struct {
	Columns []string `json:"columns"`
	Check   string   `json:"check"` // the function that holds its check: "when" or "check"
}

type grantData struct {
	Policy string   `json:"policy"`
	Via    []string `json:"via"` // null: through any app
}

func newModelData(p *model.Program) (modelData, error) {
	out := modelData{
		Groups: map[string][]string{}, Levels: map[string][]string{}, Users: map[string]userData{},
		Apps: map[string][]string{}, Datasources: map[string]datasourceData{},
	}
	if p.Hashes() {
		out.HashKey = HashKeyVariable(p)
	}
	for _, g := range p.Groups {
		out.Groups[g.Name] = g.Closure
	}
	for _, l := range p.Levels {
		for _, above := range l.AtLeast {
			out.Levels[above.Name] = append(out.Levels[above.Name], l.Name)
		}
	}
	for _, u := range p.Users {
		key, err := keyText(u.Key)
		if err != nil {
			return out, fmt.Errorf("user %s: %w", u.Name, err)
		}
		if other, twice := out.Users[key]; twice {
			return out, fmt.Errorf("users %s and %s have the same key", other.Name, u.Name)
		}
		out.Users[key] = newUserData(u)
	}
	for _, a := range p.Apps {
		out.Apps[a.Name] = subjectNames(a.Users)
	}
	for _, ds := range p.Datasources {
		data, err := newDatasourceData(ds)
		if err != nil {
			return out, err
		}
		out.Datasources[ds.Name] = data
	}
	return out, nil
}

func newUserData(u *model.User) userData {
	out := userData{Name: u.Name, Attributes: map[string]any{}}
	if u.Groups != nil {
		names := make([]string, len(u.Groups))
		for i, g := range u.Groups {
			names[i] = g.Name
		}
		out.Groups = &names
	}
	if u.Level != nil {
		out.AccessLevel = u.Level.Name
	}
	for _, v := range u.Attributes {
		out.Attributes[v.Attribute.Name] = model.JSON(v.Value, v.Attribute.Type, "")
	}
	return out
}

func newDatasourceData(ds *model.Datasource) (datasourceData, error) {
	out := datasourceData{Apps: map[string]connectData{}, Tables: map[string]tableData{}}
	for _, a := range ds.Apps {
		if c := a.Connect(ds); c != nil {
			as := "app"
			if c.AsUser {
				as = "user"
			}
			out.Apps[a.Name] = connectData{As: as, Users: subjectNames(a.Users)}
		}
	}
	for _, t := range ds.Tables {
		data, err := newTableData(t)
		if err != nil {
			return out, err
		}
		out.Tables[t.Name] = data
	}
	return out, nil
}

func newTableData(t *model.Table) (tableData, error) {
	masks, err := tableMasks(t)
	if err != nil {
		return tableData{}, fmt.Errorf("table %s: %w", t.Address(), err)
	}
	out := tableData{
		Masks:   masks,
		Columns: columnNames(t.Columns), Guards: []string{}, Policies: map[string]policyData{},
		Grants: map[string]map[string][]grantData{},
	}
	for _, g := range t.Guards {
		out.Guards = append(out.Guards, g.Guard.Name)
	}
	for _, target := range t.Policies {
		check := "when"
		if ownCheck(target) {
			check = "check"
		}
		out.Policies[target.Policy.Name] = policyData{Columns: columnNames(target.Columns), Check: check}
		for _, a := range target.Allow {
			bySubject := out.Grants[string(a)]
			if bySubject == nil {
				bySubject = map[string][]grantData{}
				out.Grants[string(a)] = bySubject
			}
			for _, s := range subjectNames(target.Policy.To) {
				bySubject[s] = append(bySubject[s], grantData{Policy: target.Policy.Name, Via: via(target.Policy)})
			}
		}
	}
	return out, nil
}

// via is nil for any app, and never nil otherwise.
func via(p *model.Policy) []string {
	if p.Via == nil {
		return nil
	}
	out := make([]string, len(p.Via))
	for i, a := range p.Via {
		out[i] = a.Name
	}
	return out
}

func columnNames(columns []*model.Column) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

func subjectNames(subjects []model.Subject) []string {
	out := make([]string, len(subjects))
	for i, s := range subjects {
		out[i] = model.SubjectString(s)
	}
	return out
}

// keyText is a user's key as the name of an object's member: its normal form
// as text.
func keyText(v model.Value) (string, error) {
	s := &scope{err: new(error)}
	switch x := s.literal(v).(type) {
	case text:
		return string(x), nil
	case number:
		if r, ok := v.(*big.Rat); ok && !r.IsInt() {
			return "", fmt.Errorf("the key %s is no whole number", r.RatString())
		}
		return x.String(), nil
	case name, ref, call, decimal, boolean, null, list, set, object, infix, count:
	}
	return "", fmt.Errorf("a key of type %T has no text", v)
}
