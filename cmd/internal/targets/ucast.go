package targets

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

var errUCAST = errors.New("a filter that is no UCAST")

// truth is a value of a condition, of which null is unknown as in SQL.
type truth int

const (
	falsity truth = -1
	unknown truth = 0
	verity  truth = 1
)

func truthOf(b bool) truth {
	if b {
		return verity
	}
	return falsity
}

// matches reports whether a record satisfies a filter as UCAST. Values are read
// with the types of the table's columns.
func matches(node map[string]any, t *model.Table, doc model.Document) (bool, error) {
	if len(node) == 0 {
		return true, nil
	}
	got, err := ucast(node, t, doc)
	return got == verity, err
}

func ucast(node map[string]any, t *model.Table, doc model.Document) (truth, error) {
	op, _ := node["operator"].(string)
	switch node["type"] {
	case "compound":
		return compound(op, node["value"], t, doc)
	case "field":
		name, _ := node["field"].(string)
		column := t.Column(strings.TrimPrefix(name, "record."))
		if column == nil {
			return unknown, fmt.Errorf("%w: the field %q", errUCAST, name)
		}
		value, stated := node["value"]
		if !stated {
			return unknown, fmt.Errorf("%w: %q without a value", errUCAST, name)
		}
		return field(op, column, value, t, doc)
	}
	return unknown, fmt.Errorf("%w: the type %v", errUCAST, node["type"])
}

func compound(op string, value any, t *model.Table, doc model.Document) (truth, error) {
	list, _ := value.([]any)
	out := map[string]truth{"and": verity, "or": falsity, "not": falsity}[op]
	if out == unknown || len(list) == 0 || op == "not" && len(list) != 1 {
		return unknown, fmt.Errorf("%w: %q of %v", errUCAST, op, value)
	}
	for _, x := range list {
		node, _ := x.(map[string]any)
		got, err := ucast(node, t, doc)
		if err != nil {
			return unknown, err
		}
		switch op {
		case "and":
			out = min(out, got)
		case "or":
			out = max(out, got)
		case "not":
			out = -got
		}
	}
	return out, nil
}

func field(op string, c *model.Column, value any, t *model.Table, doc model.Document) (truth, error) {
	raw := doc[c.Name]
	if value == nil {
		switch op {
		case "eq":
			return truthOf(raw == nil), nil
		case "ne":
			return truthOf(raw != nil), nil
		}
		return unknown, fmt.Errorf("%w: %s null", errUCAST, op)
	}
	have := eval.Parse(raw, c.Type, c.Native)
	switch op {
	case "in":
		list, ok := value.([]any)
		if !ok {
			return unknown, fmt.Errorf("%w: in %v", errUCAST, value)
		}
		out := falsity
		for _, v := range list {
			got, err := field("eq", c, v, t, doc)
			if err != nil {
				return unknown, err
			}
			out = max(out, got)
		}
		return out, nil
	case "startswith", "endswith", "contains":
		s, ok := value.(string)
		text, known := have.(string)
		if !ok {
			return unknown, fmt.Errorf("%w: %s %v", errUCAST, op, value)
		}
		if !known {
			return unknown, nil
		}
		test := map[string]func(string, string) bool{"startswith": strings.HasPrefix, "endswith": strings.HasSuffix, "contains": strings.Contains}[op]
		return truthOf(test(text, s)), nil
	}
	want, err := operand(c, value, t, doc)
	if err != nil {
		return unknown, err
	}
	compare, ok := map[string]model.CompareOp{
		"eq": model.Equal, "ne": model.NotEqual, "lt": model.Less, "lte": model.LessEqual, "gt": model.Greater, "gte": model.GreaterEqual,
	}[op]
	if !ok {
		return unknown, fmt.Errorf("%w: the operator %q", errUCAST, op)
	}
	order, ordered := model.CompareValues(have, want)
	if !ordered {
		return unknown, nil
	}
	return truthOf(compare.Holds(order)), nil
}

// operand is what a field is compared with: a value, or another field.
func operand(c *model.Column, value any, t *model.Table, doc model.Document) (model.Value, error) {
	switch x := value.(type) {
	case map[string]any:
		name, _ := x["field"].(string)
		other := t.Column(strings.TrimPrefix(name, "record."))
		if other == nil {
			return nil, fmt.Errorf("%w: the field %q", errUCAST, name)
		}
		return eval.Parse(doc[other.Name], other.Type, other.Native), nil
	case float64:
		return number(strconv.FormatFloat(x, 'f', -1, 64))
	case string:
		if c.Type.Kind == model.KindInt || c.Type.Kind == model.KindNumber {
			return number(x)
		}
	}
	got := eval.Parse(value, c.Type, c.Native)
	if _, bad := got.(model.Unknown); bad {
		return nil, fmt.Errorf("%w: %v for the type %s", errUCAST, value, c.Type)
	}
	return got, nil
}

func number(text string) (model.Value, error) {
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, fmt.Errorf("%w: the number %q", errUCAST, text)
	}
	return n, nil
}
