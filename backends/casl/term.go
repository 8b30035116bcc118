package casl

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"slices"
)

// ops are what CASL's conditions ask of one field, by operator.
type ops map[string]any

// term is a conjunction: what is asked of each field. Without fields it always
// holds.
type term map[string]ops

// terms are a disjunction; nil never holds.
type terms []term

// key is a text that is the same for terms that are.
func (t term) key() string {
	data, _ := json.Marshal(t) // made of maps, lists, texts and numbers
	return string(data)
}

func (x *exporter) or(lists ...terms) terms {
	var out terms
	seen := map[string]bool{}
	for _, list := range lists {
		for _, t := range list {
			if k := t.key(); !seen[k] {
				seen[k] = true
				out = append(out, t)
			}
		}
	}
	if slices.ContainsFunc(out, func(t term) bool { return len(t) == 0 }) {
		return terms{term{}}
	}
	return x.bounded(out)
}

func (x *exporter) and(a, b terms) terms {
	if len(a)*len(b) > maxRules*maxRules {
		return x.bounded(make(terms, maxRules+1))
	}
	var out terms
	for _, l := range a {
		for _, r := range b {
			if t, ok := both(l, r); ok {
				out = append(out, t)
			}
		}
	}
	return x.or(out)
}

func (x *exporter) bounded(list terms) terms {
	if len(list) > maxRules {
		return x.fail(fmt.Sprintf("more than %d ways to satisfy a condition", maxRules), "CASL has no \"or\" in a rule: each way is one. Say the condition with fewer.")
	}
	return list
}

// both is the conjunction of two terms; false where they contradict each other.
func both(a, b term) (term, bool) {
	out := maps.Clone(a)
	for field, asked := range b {
		merged := maps.Clone(out[field])
		if merged == nil {
			merged = ops{}
		}
		for op, v := range asked {
			was, twice := merged[op]
			if !twice {
				merged[op] = v
				continue
			}
			joined, ok := join(op, was, v)
			if !ok {
				return nil, false
			}
			merged[op] = joined
		}
		out[field] = merged
	}
	return out, true
}

// join is one operand that asks what two of the same operator do; false where
// nothing meets both.
func join(op string, a, b any) (any, bool) {
	if reflect.DeepEqual(a, b) {
		return a, true
	}
	switch op {
	case opIn:
		var out []any
		for _, v := range a.([]any) {
			if contains(b.([]any), v) {
				out = append(out, v)
			}
		}
		return out, len(out) > 0
	case opNotIn:
		out := slices.Clone(a.([]any))
		for _, v := range b.([]any) {
			if !contains(out, v) {
				out = append(out, v)
			}
		}
		return out, true
	case opGreater, opAtLeast:
		return bigger(a, b, 1), true
	case opLess, opAtMost:
		return bigger(a, b, -1), true
	case opMatches: // each is anchored by itself
		return fmt.Sprintf("(?=%s)(?=%s)", a, b), true
	}
	return nil, false // $eq of two values
}

func bigger(a, b any, sign int) any {
	if a.(*big.Int).Cmp(b.(*big.Int))*sign > 0 {
		return a
	}
	return b
}

func contains(list []any, v any) bool {
	return slices.ContainsFunc(list, func(o any) bool { return reflect.DeepEqual(o, v) })
}
