package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

func compareBool(a, b bool) int { return strings.Compare(boolText(a), boolText(b)) }

func compareUUID(a, b uuid) int { return strings.Compare(string(a[:]), string(b[:])) }

// rawText is a literal's text in the form in which records hold such a value.
func rawText(t document.Type, text string) any {
	switch familyOf(t.Kind) {
	case famNum:
		return json.Number(text)
	case famBool:
		switch text {
		case "true":
			return true
		case "false":
			return false
		}
	case famText, famUUID, famTime, famIP, famDuration, famSet:
	}
	return text
}

// rawValue is a document's value in the form in which claims hold it; it is an
// error when it is not of the type.
func rawValue(t document.Type, v *document.Value) (any, error) {
	if _, err := literal(t, v); err != nil {
		return nil, err
	}
	if v.Text != nil {
		return rawText(t, *v.Text), nil
	}
	list := make([]any, len(*v.Elems))
	for i, text := range *v.Elems {
		list[i] = rawText(*t.Elem, text)
	}
	return list, nil
}

// literal is a constant operand.
func literal(t document.Type, v *document.Value) (operand, error) {
	o := operand{typ: t, fam: familyOf(t.Kind)}
	if (v.Elems != nil) != (o.fam == famSet) || (v.Text != nil) == (v.Elems != nil) {
		return o, fmt.Errorf("a constant of type %q has the wrong form", t.Kind)
	}
	if o.fam == famSet {
		return literalSet(o, *v.Elems)
	}
	raw := rawText(t, *v.Text)
	var err error
	switch o.fam {
	case famBool:
		err = fix(&o, raw, decodeBool)
	case famNum:
		err = fix(&o, raw, numDecoder(t))
	case famText:
		err = fix(&o, raw, textDecoder(t, ""))
	case famUUID:
		err = fix(&o, raw, decodeUUID)
	case famTime:
		err = fix(&o, raw, timeDecoder(t, ""))
	case famIP:
		err = fix(&o, raw, decodeIP)
	case famDuration:
		err = fix(&o, raw, decodeDuration)
	case famSet:
	default:
		err = fmt.Errorf("the type %q is not known", t.Kind)
	}
	return o, err
}

func fix[T any](o *operand, raw any, decode func(any) (T, bool)) error {
	v, ok := decode(raw)
	if !ok {
		return fmt.Errorf("the constant %q is not of type %q", raw, o.typ.Kind)
	}
	o.get, o.constant = constant(v), v
	return nil
}

// decodeDuration reads microseconds. The least number is left out, for it has
// no opposite.
func decodeDuration(raw any) (int64, bool) {
	s, ok := raw.(string)
	if !ok {
		return 0, false
	}
	d, err := strconv.ParseInt(s, 10, 64)
	return d, err == nil && d != math.MinInt64
}

func literalSet(o operand, texts []string) (operand, error) {
	elem := *o.typ.Elem
	var err error
	switch familyOf(elem.Kind) {
	case famBool:
		o.get, err = fixedElems(elem, texts, decodeBool, compareBool)
	case famNum:
		o.get, err = fixedElems(elem, texts, numDecoder(elem), compareNum)
	case famText:
		o.get, err = fixedElems(elem, texts, textDecoder(elem, ""), strings.Compare)
	case famUUID:
		o.get, err = fixedElems(elem, texts, decodeUUID, compareUUID)
	case famTime:
		o.get, err = fixedElems(elem, texts, timeDecoder(elem, ""), compareInt)
	case famIP:
		o.get, err = fixedElems(elem, texts, decodeIP, netip.Addr.Compare)
	case famDuration, famSet:
		err = errors.New("a set of sets or durations is not known")
	}
	return o, err
}

func fixedElems[T any](t document.Type, texts []string, decode func(any) (T, bool), compare func(a, b T) int) (setOf[T], error) {
	elems := make([]T, len(texts))
	for i, text := range texts {
		v, ok := decode(rawText(t, text))
		if !ok {
			return nil, fmt.Errorf("the constant %q is not of type %q", text, t.Kind)
		}
		elems[i] = v
	}
	return newFixedSet(elems, compare), nil
}
