package readback

import (
	"github.com/postern-dev/postern/backends/postgres/deparsed"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// cast reads x::type. Only casts that change no value are read, and those to
// text whose outcome the language knows as well.
func (r *reader) cast(c deparsed.Cast) value {
	if lit, ok := c.X.(deparsed.Literal); ok {
		switch lit.Kind {
		case deparsed.Text:
			return r.typedLiteral(lit.Text, c.Type)
		case deparsed.Null:
			return value{null: true, family: familyOf(c.Type), typ: c.Type, elem: familyOf(c.Type.Elem())}
		case deparsed.Number, deparsed.True, deparsed.False:
		}
	}
	v := r.value(c.X)
	if v.bad != "" {
		return v
	}
	if v.isList {
		return r.castList(v, c.Type)
	}
	return v.eachChoice(func(v value) value { return castTo(v, c.Type) })
}

func (r *reader) castList(v value, t sqltext.TypeName) value {
	out := value{family: famArray, typ: t, elem: familyOf(t.Elem()), isList: true}
	if !t.Array {
		return unreadable("an array as %s", t.SQL())
	}
	for _, e := range v.list {
		cast := e.eachChoice(func(e value) value { return castTo(e, t.Elem()) })
		if cast.bad != "" {
			return cast
		}
		out.list = append(out.list, cast)
	}
	return out
}

// castTo is a value as another type.
func castTo(v value, t sqltext.TypeName) value {
	if v.null || v.bad != "" {
		return v
	}
	if v.typ.SQL() == t.SQL() {
		return v
	}
	fail := unreadable("%s as %s", v.typ.SQL(), t.SQL())
	to := familyOf(t)
	if len(t.Args) > 0 || v.beyond != within || v.day != noDay && v.day != raised {
		return fail
	}
	if v.family == famArray {
		return castArray(v, t, fail)
	}
	if to == famText && t.Name == "name" {
		return fail // cuts long texts
	}
	from := v
	v.typ, v.family = t, to
	switch {
	case from.family == famInt && to == famInt:
		if width(from.typ) > width(t) {
			return fail
		}
		return v
	case from.family == famInt && to == famNumeric:
		return v
	case to == famText && (from.family == famText || from.family == famPadded || from.family == famEnum):
		v.bytewise = false
		return v
	case to == famText && (from.family == famInt && from.x.ResultType().Kind == model.KindInt || from.family == famUUID):
		return template(v, from)
	case from.family == famDate && to == famLocal:
		return v // midnight; that of a date beyond the last time is an error, which shows nothing
	case from.family == famLocal && to == famDate:
		v.day = dayOf
		if from.day == raised {
			v.day = dayUp
		}
		return v
	}
	return fail
}

func width(t sqltext.TypeName) int {
	return map[string]int{"smallint": 2, "integer": 4, "bigint": 8}[t.Name]
}

// castArray is an array of values that are the same as another type.
func castArray(v value, t sqltext.TypeName, fail value) value {
	to := familyOf(t.Elem())
	if !t.Array || len(t.Args) > 0 {
		return fail
	}
	alike := v.elem == to && (to == famText && t.Name == "text" || to == famInt && width(v.typ.Elem()) <= width(t.Elem()))
	widened := v.elem == famInt && to == famNumeric || to == famText && t.Name == "text" && v.elem == famEnum
	if !alike && !widened {
		return fail
	}
	v.typ, v.elem = t, to
	return v
}

// template is a text put together of values.
func template(v value, parts ...value) value {
	call := &model.Call{Node: model.Node{Type: model.String}, Fn: model.FnTemplate}
	for _, p := range parts {
		if inner, ok := p.x.(*model.Call); ok && inner.Fn == model.FnTemplate {
			call.Args = append(call.Args, inner.Args...)
		} else {
			call.Args = append(call.Args, p.x)
		}
		v.mentions = append(v.mentions, p.odds()...)
	}
	v.x, v.column, v.subject = call, nil, nil
	return v
}

// atZone is AT TIME ZONE 'UTC': the language reads times without a zone so.
func (r *reader) atZone(a deparsed.AtZone) value {
	zone, _ := a.Zone.(deparsed.Cast)
	lit, ok := zone.X.(deparsed.Literal)
	if !ok || lit.Kind != deparsed.Text || lit.Text != "UTC" {
		return unreadable("a time zone other than UTC")
	}
	v := r.value(a.X)
	if v.bad != "" {
		return v
	}
	return v.eachChoice(func(v value) value {
		switch {
		case v.beyond != within || v.day != noDay:
			return unreadable("a time with a time zone")
		case v.family == famLocal:
			v.family, v.typ = famInstant, sqltext.Builtin("timestamp with time zone")
		case v.family == famInstant:
			v.family, v.typ = famLocal, sqltext.Builtin("timestamp without time zone")
		default:
			return unreadable("a time zone of what is no time")
		}
		return v
	})
}
