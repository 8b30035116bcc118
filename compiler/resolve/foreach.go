package resolve

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/lang/syntax"
)

// repeat is one round of a block: its key, and the values it sees.
type repeat struct {
	key   string
	keyed bool
	ctx   *hcl.EvalContext
}

// repeats unfolds for_each: a map, or a set of strings.
func (r *resolver) repeats(h *syntax.Header) []repeat { return r.repeatsIn(h, r.eval) }

func (r *resolver) repeatsIn(h *syntax.Header, outer *hcl.EvalContext) []repeat {
	if h.ForEach == nil {
		return []repeat{{ctx: outer}}
	}
	v, ok := r.value(h.ForEach, outer)
	if !ok {
		return nil
	}
	span := syntaxSpan(h.ForEach)
	fail := func(summary, detail string) []repeat {
		r.diags.Fail(CodeForEach, span, summary, detail)
		return nil
	}
	keys, _ := v.Unmark()
	switch t := keys.Type(); {
	case v.IsMarked(), t.IsSetType() && v.ContainsMarked():
		return fail("for_each is a sensitive value", "The keys become part of names; use a value that is not sensitive.")
	case (!keys.IsKnown() || t.IsSetType() && !keys.IsWhollyKnown()) && r.diags.HasErrors():
		return nil // the value's own error is reported
	case keys.IsNull():
		return fail("for_each is null", "Write an empty map `{}` for no block at all.")
	case !keys.IsKnown() || t.IsSetType() && !keys.IsWhollyKnown() || !keys.CanIterateElements():
		return fail("for_each takes a map or a set of strings, not a "+t.FriendlyName(), "Write `{ key = value, … }` or `toset([\"key\", …])`.")
	case t.IsTupleType() || t.IsListType():
		return fail("for_each takes a map or a set of strings, not a list", "Write `toset([…])`: the blocks are named after the elements.")
	case t.IsSetType() && t.ElementType() != cty.String && keys.LengthInt() > 0:
		return fail("for_each takes a map or a set of strings, not a "+t.FriendlyName(), "Write `{ key = value, … }` or `toset([\"key\", …])`.")
	}
	var out []repeat
	for it := keys.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if k.IsNull() {
			return fail("for_each has a null element", "The blocks are named after the keys.")
		}
		if k.AsString() == "" {
			return fail("for_each has an empty key", "The blocks are named after the keys.")
		}
		ctx := outer.NewChild()
		ctx.Variables = map[string]cty.Value{"each": cty.ObjectVal(map[string]cty.Value{"key": k, "value": e})}
		out = append(out, repeat{key: k.AsString(), keyed: true, ctx: ctx})
	}
	return out
}
