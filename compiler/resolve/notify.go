package resolve

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// notifies makes the places that are told of what happens; only the project
// itself has them.
func (r *resolver) notifies() {
	blocks := map[string]source.Span{}
	for _, b := range r.syntax.Notifies {
		if !r.once("notify", &b.Header, blocks) {
			continue
		}
		n := &model.Notify{Name: b.Label(0), Description: r.description(b.Description, r.eval), Span: b.Span}
		if b.URL != nil {
			n.URL = r.secret(b.URL, r.eval)
		}
		if b.Secret != nil {
			n.Secret = r.secret(b.Secret, r.eval)
		}
		n.DeadLetter = filepath.Join(".postern", "notify", n.Name+".jsonl")
		if b.DeadLetter != nil {
			n.DeadLetter, _ = r.text(b.DeadLetter, r.eval)
			if n.DeadLetter == "" || strings.ContainsRune(n.DeadLetter, 0) {
				r.diags.Fail(CodeNotify, syntaxSpan(b.DeadLetter), "This cannot be the name of a file", "Name a file, relative to the project's folder.")
			}
		}
		if b.On != nil {
			n.On = r.occasions(b.On)
		}
		r.program.Notifies = append(r.program.Notifies, n)
	}
	slices.SortFunc(r.program.Notifies, func(a, b *model.Notify) int { return strings.Compare(a.Name, b.Name) })
}

func (r *resolver) occasions(expr hcl.Expression) []model.Occasion {
	list, ok := r.texts(expr, r.eval)
	if ok && len(list) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(expr), "The block is told of nothing", "Name at least one of "+occasionNames()+".")
	}
	var out []model.Occasion
	for _, x := range list {
		o := model.Occasion(x.text)
		switch {
		case !slices.Contains(model.Occasions(), o):
			r.diags.Fail(CodeNotify, x.span, fmt.Sprintf("There are no events of %q", x.text), "Write one of "+occasionNames()+".")
		case slices.Contains(out, o):
			r.repeated(x.span, fmt.Sprintf("%q", x.text))
		default:
			out = append(out, o)
		}
	}
	return out
}

func occasionNames() string {
	var names []string
	for _, o := range model.Occasions() {
		names = append(names, fmt.Sprintf("%q", string(o)))
	}
	return strings.Join(names, ", ")
}
