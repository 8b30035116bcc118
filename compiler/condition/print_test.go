package condition_test

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// show prints a condition for golden files, in the shape of the language with
// the atoms' opposites written as such.
func show(c model.Cond) string {
	switch x := c.(type) {
	case model.True:
		return "true"
	case model.False:
		return "false"
	case *model.And:
		return "(" + join(x.Terms, " && ") + ")"
	case *model.Or:
		return "(" + join(x.Terms, " || ") + ")"
	case *model.Compare:
		return showExpr(x.X) + " " + string(x.Op) + " " + showExpr(x.Y)
	case *model.Truth:
		return fmt.Sprintf("%s is %t", showExpr(x.X), x.Want)
	case *model.Null:
		return showExpr(x.X) + not(x.Not, " is null", " is not null")
	case *model.Empty:
		return showExpr(x.X) + not(x.Not, " is empty", " is not empty")
	case *model.Known:
		return showExpr(x.X) + not(x.Not, " is known", " is not known")
	case *model.Match:
		d := ""
		if x.Op == model.MatchUnder {
			d = " by " + x.Delimiter
		}
		return showExpr(x.X) + not(x.Not, " ", " not ") + string(x.Op) + " " + showExpr(x.Y) + d
	case *model.In:
		return showExpr(x.Elem) + not(x.Not, " in ", " not in ") + showExpr(x.Set)
	case *model.InNetwork:
		return showExpr(x.X) + not(x.Not, " inside ", " outside ") + x.Net.String()
	case *model.ViaApp:
		return not(x.Not, "via ", "not via ") + x.App.Name
	case *model.Some:
		return "some " + showRows(x.From) + ": " + show(x.Where)
	case *model.Every:
		return "every " + showRows(x.From) + ": " + show(x.Where)
	case *model.Count:
		return fmt.Sprintf("count %s [%s | %s] %s %s", showRows(x.From), show(x.Holds), show(x.Fails), x.Op, showExpr(x.N))
	}
	return "?"
}

func join(terms []model.Cond, sep string) string {
	out := make([]string, len(terms))
	for i, t := range terms {
		out[i] = show(t)
	}
	return strings.Join(out, sep)
}

func not(b bool, yes, no string) string {
	if b {
		return no
	}
	return yes
}

func showRows(r model.RelatedRows) string {
	return r.Each.Name + " in " + showPath(r.Row, r.Path, r.Relation.Name)
}

func showPath(row *model.Row, path []*model.Relation, last string) string {
	parts := []string{row.Name}
	for _, r := range path {
		parts = append(parts, r.Name)
	}
	return strings.Join(append(parts, last), ".")
}

func showExpr(e model.Expr) string {
	switch x := e.(type) {
	case *model.Literal:
		return fmt.Sprintf("%s(%v)", x.Type.Kind, model.JSON(x.Value, x.Type, ""))
	case *model.NullLiteral:
		return "null"
	case *model.ColumnRef:
		return showPath(x.Row, x.Path, x.Column.Name)
	case *model.AttrRef:
		return map[model.Scope]string{model.ScopeUser: "user.", model.ScopeRequest: "request."}[x.Attribute.Scope] + x.Attribute.Name
	case *model.GroupsRef:
		return "user.groups"
	case *model.LevelRef:
		return "user.access_level"
	case *model.AppRef:
		return "app.name"
	case *model.NowRef:
		return "now()"
	case *model.Network:
		return fmt.Sprintf("%s inside %s", showExpr(x.X), x.Net)
	case *model.MemberOf:
		return "member_of(" + x.Group.Name + ")"
	case *model.Related:
		return fmt.Sprintf("related %d %s: %s", x.Quantifier, showPath(x.Row, x.Path, x.Relation.Name), showExpr(x.Body))
	case *model.Call:
		args := make([]string, len(x.Args))
		for i, a := range x.Args {
			args[i] = showExpr(a)
		}
		return x.Fn.String() + "(" + strings.Join(args, ", ") + ")"
	}
	return "?"
}
