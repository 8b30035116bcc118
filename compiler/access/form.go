package access

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// forms remembers short names of conditions by their place in memory: what is
// granted to many subjects is put together of the same conditions again and
// again. It is for one goroutine.
type forms struct {
	known map[model.Cond]form
	other redeclared
}

func newForms(r redeclared) *forms { return &forms{map[model.Cond]form{}, r} }

func (f *forms) keyer() *keyer {
	return &keyer{rows: map[*model.Row]string{}, forms: f, other: f.other}
}

type form struct {
	name string
	// Its name is not the same where groups, or the app, are called otherwise.
	groups, app bool
}

// short is a name that only conditions of the same form have.
func (k *keyer) short(c model.Cond) string {
	f, known := k.forms.known[c]
	if !known {
		plain := k.forms.keyer()
		sum := sha256.Sum256([]byte(plain.written(c)))
		f = form{"#" + string(sum[:]), plain.groups, plain.app}
		k.forms.known[c] = f
	}
	k.app = k.app || f.app
	if f.groups && len(k.names) > 0 {
		return k.written(c)
	}
	k.groups = k.groups || f.groups
	return f.name
}

// key is the form of a formula, short.
func (f *forms) key(x formula) string { return f.keyer().formula(x) }

// formulaKey is the form of a formula; the programs of its sides are told apart
// only by what a side's app is called, where a condition asks that.
func formulaKey(f formula) string { return newKeyer().formula(f) }

func (k *keyer) formula(f formula) string {
	switch x := f.(type) {
	case *holds:
		return "[" + decimal(int(x.at)) + k.holds(x) + "]"
	case allOf:
		parts := k.formulas(x)
		parts = slices.DeleteFunc(parts, func(s string) bool { return s == alwaysKey })
		if len(parts) == 1 {
			return parts[0]
		}
		return "(all" + strings.Join(parts, " ") + ")"
	case anyOf:
		parts := k.formulas(x)
		if slices.Contains(parts, alwaysKey) {
			return alwaysKey
		}
		if len(parts) == 1 {
			return parts[0]
		}
		return "(any" + strings.Join(parts, " ") + ")"
	case not:
		return "(not " + k.formula(x.of) + ")"
	}
	return "?"
}

const alwaysKey = "(all)"

func (k *keyer) formulas(list []formula) []string {
	parts := make([]string, len(list))
	for i, f := range list {
		parts[i] = k.formula(f)
	}
	return parts
}

// holds is a condition's form with what app.name stands for, where the
// condition speaks of it.
func (k *keyer) holds(h *holds) string {
	k.app = false
	cond := k.cond(h.cond)
	switch {
	case !k.app:
		return cond
	case h.side.entry.App() == nil:
		return cond + " app:none"
	}
	return cond + " app:" + quote(h.side.entry.App().Name)
}
