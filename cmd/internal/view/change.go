package view

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
)

// shown is a change in the words for a reviewer: one line, and below it the
// lines that go and come.
type shown struct {
	head    string
	tail    string // goes on with head, on a line of its own where both are too long for one
	was, is []string
}

// words puts a change in a reviewer's words, by the kind of its object; the
// JSON form keeps the exact texts.
func words(c plan.Change) shown {
	about := c.What()
	before, after := plan.Texts(c)
	kind, name := string(about.Object.Kind), unquoted(about.Object.Name)
	text := after
	if plan.ActionOf(c) == plan.ActionRemove {
		text = before
	}
	modify := plan.ActionOf(c) == plan.ActionChange
	switch {
	case kind == "grant" && !modify:
		what, where, _ := strings.Cut(unquoted(text), " ON ")
		return shown{head: what, tail: "ON " + where}
	case kind == "role" && !modify:
		return shown{head: "role " + name + " " + plainRole(text)}
	case kind == "role":
		return shown{head: "role " + name, was: lines(plainRole(before)), is: lines(plainRole(after))}
	case kind == "membership" && !modify && text == "member":
		return shown{head: "membership of " + name}
	case kind == "row security":
		return shown{head: "row security of " + name + ": " + before + " → " + switched(after)}
	case kind == "password":
		return shown{head: "password of " + name + ", " + after}
	case kind == "policy":
		return shown{head: "policy " + name, was: clauses(before), is: clauses(after)}
	case kind == "schema" || kind == "table":
		return shown{head: kind + " " + name, was: lines(unquoted(before)), is: lines(unquoted(after))}
	}
	return shown{head: kind + " " + name, was: lines(before), is: lines(after)}
}

// safest are the attributes that a role without any right has; they are not
// worth a reviewer's time.
var safest = []string{"INHERIT", "NOSUPERUSER", "NOCREATEDB", "NOCREATEROLE", "NOREPLICATION", "NOBYPASSRLS"}

// plainRole leaves out the attributes that are at their safest.
func plainRole(text string) string {
	attributes, settings, has := strings.Cut(text, " SET ")
	attributes = strings.TrimSuffix(strings.Replace(attributes, " CONNECTION LIMIT -1 ", " ", 1), " CONNECTION LIMIT -1")
	kept := slices.DeleteFunc(strings.Fields(attributes), func(w string) bool { return slices.Contains(safest, w) })
	out := strings.Join(kept, " ")
	if has {
		out += " SET " + settings
	}
	return out
}

// switched is the state after a row-security action.
func switched(action string) string {
	switch word, _, _ := strings.Cut(action, " row "); word {
	case "enable":
		return "enabled"
	case "disable":
		return "disabled"
	case "force":
		return "forced for the owner too"
	case "no force":
		return "not forced for the owner"
	}
	return action
}

// clauses are the lines of a policy; PERMISSIVE is the usual kind.
func clauses(text string) []string {
	out := lines(joined(text))
	if len(out) > 0 {
		out[0] = unquoted(strings.TrimPrefix(out[0], "PERMISSIVE "))
		for i := range out[1:] {
			out[i+1] = plain(out[i+1])
		}
	}
	return out
}

// joined puts the lines together that Postgres breaks inside an expression, as
// it does in subqueries. They begin with spaces; what is inside quotes stays.
func joined(text string) string {
	var b strings.Builder
	var quote rune
	rest := []rune(text)
	for i := 0; i < len(rest); i++ {
		r := rest[i]
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		case quote == 0 && r == '\n' && i+1 < len(rest) && rest[i+1] == ' ':
			for i+1 < len(rest) && rest[i+1] == ' ' {
				i++
			}
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// generated reports additions to the schema that carries who the user is: the
// same in all projects, and of interest only when somebody else changed it.
func generated(c plan.Change) bool {
	add, ok := c.(plan.Add)
	if !ok || add.Reason != "" {
		return false
	}
	name := unquoted(add.Object.Name)
	switch add.Object.Kind {
	case "schema":
		return name == "postern"
	case "table", "function":
		return strings.HasPrefix(name, "postern.")
	case "grant":
		return strings.HasPrefix(name, "schema postern to ") || strings.HasPrefix(name, "table postern.") ||
			strings.HasPrefix(name, "function postern.")
	}
	return false
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimRight(s, "\n"), "\n")
}
