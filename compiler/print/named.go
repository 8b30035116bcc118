package print

import (
	"regexp"

	"github.com/postern-dev/postern/compiler/model"
)

// Named gives the objects of a program that was printed and compiled again the
// names that they have in the program it is compared with: instances of
// for_each, and rules that were printed once for each of their tables. What is
// not there, or could be one of two, keeps the printed name. It changes p.
func Named(p, like *model.Program) {
	datasources, accounts, apps := names{}, names{}, names{}
	policies, guards, masks, reports := names{}, names{}, names{}, names{}
	for _, d := range like.Datasources {
		datasources.add(d.Name)
	}
	for _, a := range like.Accounts {
		accounts.add(a.Name)
	}
	for _, a := range like.Apps {
		apps.add(a.Name)
	}
	for _, x := range like.Policies {
		policies.add(x.Name)
	}
	for _, x := range like.Guards {
		guards.add(x.Name)
	}
	for _, x := range like.Masks {
		masks.add(x.Name)
	}
	for _, r := range like.Reports {
		reports.add(r.Name)
	}
	for _, d := range p.Datasources {
		d.Name = datasources.of(d.Name)
	}
	for _, a := range p.Accounts {
		a.Name = accounts.of(a.Name)
	}
	for _, a := range p.Apps {
		a.Name = apps.of(a.Name)
	}
	for _, x := range p.Policies {
		x.Name = policies.rule(x.Name)
	}
	for _, x := range p.Guards {
		x.Name = guards.rule(x.Name)
	}
	for _, x := range p.Masks {
		x.Name = masks.rule(x.Name)
	}
	for _, r := range p.Reports {
		r.Name = reports.of(r.Name)
	}
}

// names are the names of objects of one kind by how they are printed; "" where
// two are printed alike.
type names map[string]string

func (n names) add(name string) {
	printed := label(name)
	if was, ok := n[printed]; ok && was != name {
		name = ""
	}
	n[printed] = name
}

func (n names) of(printed string) string {
	if name := n[printed]; name != "" {
		return name
	}
	return printed
}

// rule is the name of a rule, which may have been printed once for each of its
// tables. Of what grants access by its name, such as an app, no part may be cut
// off: two would become one.
func (n names) rule(printed string) string {
	if name := n[printed]; name != "" {
		return name
	}
	if name := n[onOne.ReplaceAllString(printed, "")]; name != "" {
		return name
	}
	return printed
}

// onOne ends such a name.
var onOne = regexp.MustCompile(`_on_[0-9]+$`)
