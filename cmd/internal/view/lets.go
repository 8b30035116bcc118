package view

import (
	"strings"

	"github.com/postern-dev/postern/backends/plan"
)

// effect is who can do what as long as a change made by hand stands; "" for
// one that was not.
func effect(c plan.Change) string {
	about := c.What()
	if !about.Drift {
		return ""
	}
	before, after := plan.Texts(c)
	name := unquoted(about.Object.Name)
	switch about.Object.Kind {
	case "row security":
		return rowSecurityEffect(name, after)
	case "grant":
		return grantEffect(c)
	case "policy":
		return policyEffect(c)
	case "role":
		return roleEffect(c, name)
	case "membership":
		return membershipEffect(c, name)
	case "default privilege":
		what, to, _ := cutLast(name, ", to ")
		if plan.ActionOf(c) == plan.ActionRemove {
			return "Now " + roles(to) + " gets " + before + " on " + what + " from now on."
		}
		return "Now " + roles(to) + " does not get " + after + " on " + what + "."
	case "owner":
		was, _, _ := strings.Cut(strings.TrimPrefix(after, "owned by "), " when ")
		return "Now " + unquoted(strings.TrimPrefix(before, "owned by ")) + " can switch row security off there, and drop the table. Give it back with ALTER TABLE … OWNER TO " +
			unquoted(was) + ", or apply, which takes it as it is."
	case "function", "view":
		if plan.ActionOf(c) == plan.ActionAdd {
			return "Now what needs it fails."
		}
		return "Now policies that use it go by what it says."
	case "row", "table":
		return "Now policies go by other users, groups or keys than the project's."
	case "schema":
		return "Now its owner can change what policies call."
	case "outside view", "outside materialized view", "outside function", "outside trigger", "outside rule", "outside event trigger":
		return outsideEffect(strings.TrimPrefix(string(about.Object.Kind), "outside "), name, unquoted(before))
	case "password":
		return "Now whoever knows the other password can log in, and the apps cannot."
	}
	return ""
}

func rowSecurityEffect(name, after string) string {
	switch {
	case strings.HasPrefix(after, "enable"):
		return "Now no policy holds on " + name + ": whoever has a grant on it reaches all its rows."
	case strings.HasPrefix(after, "force"):
		return "Now no policy holds for the owner of " + name + "."
	case strings.HasPrefix(after, "no force"):
		return "Now policies hold for the owner of " + name + " too: migrations and backups that run as it see no rows."
	}
	return "Now policies hold on " + name + "."
}

func grantEffect(c plan.Change) string {
	before, after := plan.Texts(c)
	text := before
	if text == "" {
		text = after
	}
	text = strings.TrimSuffix(text, " WITH GRANT OPTION")
	verbs, where, ok := strings.Cut(unquoted(strings.TrimPrefix(text, "GRANT ")), " ON ")
	object, to, found := cutLast(where, " TO ")
	if !ok || !found {
		return ""
	}
	object, who := kindWord(object), roles(to)
	switch c.(type) {
	case plan.Remove:
		return "Now " + who + " has " + verbs + " on the " + object + "."
	case plan.Add:
		return "Now " + who + " lacks " + verbs + " on the " + object + "."
	case plan.Modify:
		return "Now " + who + " can give " + verbs + " on the " + object + " to anybody."
	}
	return ""
}

func roles(to string) string {
	switch {
	case to == "PUBLIC":
		return "every role of the server"
	case strings.Contains(to, ", "):
		return "each of the roles " + to
	}
	return "the role " + to
}

// attributes are what a role's attributes let it do, worst first.
var attributes = []struct{ name, effect string }{
	{"SUPERUSER", "Now no policy and no grant holds for "},
	{"BYPASSRLS", "Now no policy holds for "},
	{"CREATEROLE", "Now roles can be made, and memberships given, by "},
	{"REPLICATION", "Now everything can be copied past all policies by "},
	{"CREATEDB", "Now databases can be made by "},
}

func roleEffect(c plan.Change, name string) string {
	before, after := plan.Texts(c)
	if plan.ActionOf(c) == plan.ActionAdd {
		return "Now nobody can log in as " + name + ", or reach what it gives."
	}
	is, was := strings.Fields(before), strings.Fields(after)
	has := func(list []string, word string) bool {
		for _, w := range list {
			if w == word {
				return true
			}
		}
		return false
	}
	for _, a := range attributes {
		if has(is, a.name) && !has(was, a.name) {
			return a.effect + name + "."
		}
	}
	switch {
	case has(is, "LOGIN") && has(was, "NOLOGIN"):
		return "Now clients can log in as " + name + "."
	case has(is, "NOLOGIN") && has(was, "LOGIN"):
		return "Now nobody can log in as " + name + "."
	}
	return "Now sessions of " + name + " have other limits or settings than the project's."
}

func membershipEffect(c plan.Change, name string) string {
	member, role, ok := strings.Cut(name, " in ")
	if !ok {
		return ""
	}
	before, _ := plan.Texts(c)
	switch c.(type) {
	case plan.Remove:
		return "Now " + member + ", and whoever is a member of it, has all rights of " + role + "."
	case plan.Add:
		return "Now " + member + " has no rights of " + role + "."
	case plan.Modify:
		if strings.Contains(before, "may add members") {
			return "Now " + member + " can give the rights of " + role + " to anybody."
		}
		return "Now " + member + " uses the rights of " + role + " otherwise than the project says."
	}
	return ""
}

func policyEffect(c plan.Change) string {
	before, after := plan.Texts(c)
	restrictive := strings.HasPrefix(before+after, "RESTRICTIVE")
	switch c.(type) {
	case plan.Add:
		if restrictive {
			return "Now it keeps nobody from any row."
		}
		return "Now it gives nobody any row."
	case plan.Remove:
		if restrictive {
			return "Now it keeps rows back that the project gives."
		}
		return "Now it gives rows that the project does not."
	case plan.Modify:
		return "Now the rows are those that the lines with - say."
	}
	return ""
}

// outsideEffect says what others' objects on and over a declared table let whom do.
func outsideEffect(kind, name, text string) string {
	what, owner, _ := cutLast(text, ", owned by ")
	switch kind {
	case "view":
		return "Now whoever may read " + name + " reads " + strings.TrimPrefix(what, "over ") + " with the rights of " + owner + ", whatever the policies say of the reader."
	case "materialized view":
		return "Now whoever may read " + name + " reads the rows of " + strings.TrimPrefix(what, "over ") + " that " + owner + " saw: no policy holds for it."
	case "function":
		return "Now whoever may call " + name + " acts with the rights of " + owner + "."
	case "trigger":
		table := name[strings.LastIndex(name, " on ")+len(" on "):]
		return "Now " + strings.TrimPrefix(what, "calls ") + " runs when somebody writes to " + table + ", and may read and change what is written."
	case "rule":
		return "Now statements do something else there, or more, with the rights of " + strings.TrimPrefix(text, "owned by ") + "."
	}
	return "Now " + strings.TrimPrefix(what, "calls ") + " runs when somebody makes, changes or drops objects, with that one's rights: those of apply, too."
}

// kindWord writes the kind of an object small, and its name as it is.
func kindWord(object string) string {
	for _, kind := range []string{"FOREIGN DATA WRAPPER ", "FOREIGN SERVER ", "LARGE OBJECT "} {
		if name, ok := strings.CutPrefix(object, kind); ok {
			return strings.ToLower(kind) + name
		}
	}
	kind, name, ok := strings.Cut(object, " ")
	if !ok {
		return object
	}
	return strings.ToLower(kind) + " " + name
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
