package print

import (
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// Cond is a lowered condition as it would be written in the language: where the
// text is true, and nowhere else, the condition is satisfied.
func Cond(c model.Cond) string {
	switch x := c.(type) {
	case model.True:
		return "true"
	case model.False:
		return "false"
	case *model.And:
		return terms(x.Terms, " && ")
	case *model.Or:
		return terms(x.Terms, " || ")
	case *model.Compare:
		return Expr(x.X) + " " + string(x.Op) + " " + Expr(x.Y)
	case *model.Truth:
		return not(!x.Want, Expr(x.X))
	case *model.Null:
		return Expr(x.X) + map[bool]string{false: " == null", true: " != null"}[x.Not]
	case *model.Empty:
		return not(x.Not, "is_empty("+Expr(x.X)+")")
	case *model.Known:
		return not(x.Not, "known("+Expr(x.X)+")")
	case *model.Match:
		if x.Op == model.MatchUnder {
			return not(x.Not, "is_under("+Expr(x.X)+", "+Expr(x.Y)+", "+Quote(x.Delimiter)+")")
		}
		return not(x.Not, string(x.Op)+"("+Expr(x.X)+", "+Expr(x.Y)+")")
	case *model.In:
		return not(x.Not, "contains("+Expr(x.Set)+", "+Expr(x.Elem)+")")
	case *model.InNetwork:
		return not(x.Not, "cidr_contains("+Quote(x.Net.String())+", "+Expr(x.X)+")")
	case *model.ViaApp:
		return "app.name " + map[bool]string{false: "==", true: "!="}[x.Not] + " " + Quote(x.App.Name)
	case *model.Some:
		return loop("anytrue", x.From, x.Where)
	case *model.Every:
		return loop("alltrue", x.From, x.Where)
	case *model.Count:
		each := x.From.Each.Name
		return "length([for " + each + " in " + path(x.From.Row, x.From.Path, x.From.Relation.Name) + " : " + each + " if " + Cond(x.Holds) + "]) " +
			string(x.Op) + " " + Expr(x.N)
	}
	return "false"
}

func loop(name string, from model.RelatedRows, where model.Cond) string {
	return name + "([for " + from.Each.Name + " in " + path(from.Row, from.Path, from.Relation.Name) + " : " + Cond(where) + "])"
}

// terms joins conditions; one that is joined by the other word stands in
// parentheses.
func terms(list []model.Cond, op string) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = Cond(c)
		switch c.(type) {
		case *model.And, *model.Or:
			parts[i] = "(" + parts[i] + ")"
		case model.True, model.False, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
			*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
		}
	}
	return strings.Join(parts, op)
}

func not(negated bool, text string) string {
	if negated {
		return "!" + text
	}
	return text
}
