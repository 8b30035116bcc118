package postgres

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// A mask shows a value of the column's own type, so that clients find the type
// they know. Only columns of a type of the database's own, whose values may be
// bound to a form, and those that show hashes are shown as text.

// errMaskType says that a mask's value is none of its column's native type.
var errMaskType = errors.New("the mask's value does not fit the column's type")

// maskedColumn is what a mask shows in place of a column's stored value x, and
// the type it has; raw is x as that type.
func (r *renderer) maskedColumn(fn model.MaskFn, c *model.Column) (shown, raw sqltext.Expr, typ sqltext.TypeName, err error) {
	raw = sqltext.Column{Name: c.Name}
	typ, err = sqltext.ParseType(nativeType(c))
	switch f := fn.(type) {
	case model.MaskNull:
		return nil, raw, typ, nil // a type that cannot be read is not needed to show nothing
	case *model.MaskConstant:
		if err != nil {
			return nil, nil, typ, err
		}
		if c.Type.Kind == model.KindString && ownText(typ) {
			typ, raw = tText, sqltext.Cast{X: raw, Type: tText}
		}
		shown, err = constantOf(f.Value, c.Type, typ)
		return shown, raw, typ, err
	case model.MaskHash:
		if err == nil && (typ.Array || !textual(typ.Name) && !ownText(typ)) {
			err = fmt.Errorf("%w: %s is no text", errMaskType, c.Native)
		}
		raw = sqltext.Cast{X: raw, Type: tText} // no other text type is sure to hold a hash
		return hashedText(raw), raw, tText, err
	case model.MaskLast:
		return keptText(c, typ, err, f.N, "right")
	case model.MaskFirst:
		return keptText(c, typ, err, f.N, "left")
	}
	return nil, nil, typ, fmt.Errorf("%w: mask %T", errUnsupported, fn)
}

// ownText reports whether a string column's type is one of those of which only
// the text is shown: the database's own, and "name", which cuts its values.
func ownText(t sqltext.TypeName) bool {
	return !t.Array && (t.Schema != "" && t.Schema != "pg_catalog" || t.Name == "name")
}

// keptText is a part of a text that has more than n characters, and Ellipsis;
// of null it is null.
func keptText(c *model.Column, typ sqltext.TypeName, err error, n int, side string) (shown, raw sqltext.Expr, _ sqltext.TypeName, _ error) {
	if err != nil {
		return nil, nil, typ, err
	}
	if typ.Array || !textual(typ.Name) && !ownText(typ) {
		return nil, nil, typ, fmt.Errorf("%w: %s is no text", errMaskType, c.Native)
	}
	raw = sqltext.Column{Name: c.Name}
	text := raw
	if typ.Name != tText.Name || typ.Schema != "" {
		text = sqltext.Cast{X: raw, Type: tText}
	}
	if ownText(typ) {
		typ, raw = tText, text
	}
	keep := sqltext.IntConst{Value: int32(n)} // #nosec G115 -- the compiler keeps it below a million
	part := sqltext.Func{Name: side, Args: []sqltext.Expr{text, sqltext.Choose{
		Cond: sqltext.Op{L: sqltext.Func{Name: "length", Args: []sqltext.Expr{text}}, Op: ">", R: keep},
		Then: keep, Else: sqltext.IntConst{},
	}}}
	dots := sqltext.Const{Text: model.Ellipsis, Type: tText}
	if side == "right" {
		shown = sqltext.Op{L: dots, Op: "||", R: part}
	} else {
		shown = sqltext.Op{L: part, Op: "||", R: dots}
	}
	if typ.Name != tText.Name {
		shown = sqltext.Cast{X: shown, Type: typ}
	}
	return shown, raw, typ, nil
}

// constantOf is a constant of the native type of a column, where that type
// holds exactly this value.
func constantOf(v model.Value, t model.Type, native sqltext.TypeName) (sqltext.Expr, error) {
	if set, ok := v.(model.Set); ok {
		if !native.Array || t.Elem == nil {
			return nil, fmt.Errorf("%w: %s is no array", errMaskType, native.SQL())
		}
		array := sqltext.Array{Elems: make([]sqltext.Expr, len(set))}
		for i, e := range set {
			var err error
			if array.Elems[i], err = constantOf(e, *t.Elem, native.Elem()); err != nil {
				return nil, err
			}
		}
		return sqltext.Cast{X: array, Type: native}, nil
	}
	text, err := literalText(v)
	if err != nil {
		return nil, err
	}
	if local, ok := v.(model.Timestamp); ok && native.Name == tLocal.Name {
		text = instantText(local)
	}
	if !holds(v, t, native) {
		return nil, fmt.Errorf("%w: %s is no value of %s", errMaskType, text, native.SQL())
	}
	return sqltext.Const{Text: text, Type: native}, nil
}

// holds reports whether a native type holds exactly this value.
func holds(v model.Value, t model.Type, native sqltext.TypeName) bool {
	own := native.Schema != "" && native.Schema != "pg_catalog"
	switch x := v.(type) {
	case string:
		if own || native.Array {
			return own && t.Kind == model.KindEnum && !native.Array
		}
		return textual(native.Name) && (len(native.Args) == 0 && native.Name != "character" || utf8.RuneCountInString(x) <= length(native))
	case *big.Rat:
		return !own && !native.Array && holdsNumber(x, native)
	case model.Timestamp:
		return !own && (native.Name == tInstant.Name || native.Name == tLocal.Name) && onGrid(x, native)
	}
	return native.Name == usualTypes[t.Kind].Name && native.Schema == "" && !native.Array
}

// length is how many characters a type with a length holds.
func length(t sqltext.TypeName) int {
	if len(t.Args) == 1 {
		return t.Args[0]
	}
	return 1
}

func holdsNumber(n *big.Rat, native sqltext.TypeName) bool {
	switch native.Name {
	case "smallint", "integer", "bigint":
		bits := map[string]uint{"smallint": 15, "integer": 31, "bigint": 63}[native.Name]
		limit := new(big.Int).Lsh(big.NewInt(1), bits)
		return n.IsInt() && n.Num().CmpAbs(limit) < 0
	case "numeric":
		if len(native.Args) == 0 {
			return true
		}
		scale := 0
		if len(native.Args) == 2 {
			scale = native.Args[1]
		}
		ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(scale, 0))), nil))
		shifted := new(big.Rat).Mul(n, ten)
		digits := len(strings.TrimPrefix(shifted.Num().String(), "-"))
		return scale >= 0 && shifted.IsInt() && digits <= native.Args[0]
	case "double precision", "real":
		bits := 64
		if native.Name == "real" {
			bits = 32
		}
		f, err := strconv.ParseFloat(decimal(n), bits)
		back, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'f', -1, bits))
		return err == nil && ok && back.Cmp(n) == 0
	}
	return false
}

// onGrid reports whether a time has no more decimals than its type keeps.
func onGrid(t model.Timestamp, native sqltext.TypeName) bool {
	if len(native.Args) == 0 {
		return true
	}
	step := int64(math.Pow10(6 - min(max(native.Args[0], 0), 6)))
	return int64(t)%step == 0
}
