package readback

import (
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// kinds is a set of kinds of values that a column can hold in Postgres and that
// are none of its type in the language.
type kinds uint32

const (
	kindLow     kinds = 1 << iota // below the least number or time
	kindHigh                      // above the greatest
	kindNaN                       // not a number; above all others in Postgres' order
	kindFine                      // more than 18 decimals
	kindOther                     // a label that the type does not list
	kindNet4                      // an IPv4 network
	kindNet6                      // an IPv6 network
	kindMapped                    // an IPv4 address in IPv6 clothes
	kindNested                    // an array inside an array
	kindElement                   // an element that is none of its type
	lastKind    = kindElement
)

// kindsOf are the kinds that a column's type has room for.
func kindsOf(c *model.Column) kinds {
	if c.Type.Kind == model.KindNumber && c.Native != "" {
		t, err := sqltext.ParseType(c.Native)
		switch {
		case err != nil:
		case familyOf(t) == famInt:
			return 0
		case precise(t):
			return kindNaN
		}
	}
	return kindsOfType(c.Type)
}

// precise reports whether a declared precision keeps all numbers but NaN within
// those of the language.
func precise(t sqltext.TypeName) bool {
	switch len(t.Args) {
	case 1:
		return t.Args[0] <= 38
	case 2:
		return t.Args[1] >= 0 && t.Args[1] <= 18 && t.Args[0]-t.Args[1] <= 38
	}
	return false
}

func kindsOfType(t model.Type) kinds {
	switch t.Kind {
	case model.KindNumber:
		return kindLow | kindHigh | kindNaN | kindFine
	case model.KindDate, model.KindTimestamp:
		return kindLow | kindHigh
	case model.KindIP:
		return kindNet4 | kindNet6 | kindMapped
	case model.KindEnum:
		return kindOther
	case model.KindSet:
		if t.Elem != nil && kindsOfType(*t.Elem) != 0 {
			return kindNested | kindElement
		}
		return kindNested
	case model.KindBool, model.KindInt, model.KindString, model.KindUUID, model.KindDuration:
	}
	return 0
}

// order is a set of outcomes of comparing two values.
type order uint8

const (
	less order = 1 << iota
	equal
	greater
	anyOrder = less | equal | greater
)

func (o order) mirrored() order {
	out := o & equal
	if o&less != 0 {
		out |= greater
	}
	if o&greater != 0 {
		out |= less
	}
	return out
}

// satisfies are the outcomes for which a comparison is true.
func satisfies(op model.CompareOp) order {
	var out order
	for o, c := range map[order]int{less: -1, equal: 0, greater: 1} {
		if op.Holds(c) {
			out |= o
		}
	}
	return out
}

// against is how something of a kind may compare with a value of the type.
func (k kinds) against(v value) order {
	switch k {
	case kindLow:
		return less
	case kindHigh, kindNaN:
		return greater
	case kindFine, kindOther:
		return less | greater
	case kindNet4, kindNet6, kindMapped:
		return k.againstAddress(v)
	case kindNested, kindElement:
	}
	return anyOrder
}

// againstAddress: IPv4 comes before IPv6, and a network is no address.
func (k kinds) againstAddress(v value) order {
	addr, ok := v.address()
	switch {
	case !ok:
		return less | greater
	case k == kindNet4 && addr.Is6():
		return less
	case k != kindNet4 && addr.Is4():
		return greater
	}
	return less | greater
}

// beyond is a constant that is no value of the language.
type beyond int

const (
	within      beyond = iota // it is a value
	lowest                    // -1e38 or -infinity: nothing odd and low is above, or below
	below                     // another one below the least value
	highest                   // 1e38 or infinity
	above                     // another one above the greatest value
	notANumber                // NaN
	nowhereElse               // none of these: nothing is said of it
)

// knownAgainst is how a value of the type compares with such a constant.
func (b beyond) knownAgainst() order {
	switch b {
	case lowest, below:
		return greater
	case highest, above, notANumber:
		return less
	case within, nowhereElse:
	}
	return anyOrder
}

// oddAgainst is how something of a kind may compare with such a constant; times
// have an infinity at the end, numbers go on behind 1e38.
func (b beyond) oddAgainst(k kinds, time bool) order {
	switch {
	case k == kindNaN && b == notANumber:
		return equal
	case k == kindNaN:
		return greater
	case b == notANumber:
		return less
	case k == kindLow && (b == highest || b == above), k == kindFine && (b == highest || b == above):
		return less
	case k == kindHigh && (b == lowest || b == below), k == kindFine && (b == lowest || b == below):
		return greater
	case k == kindLow && b == lowest && time:
		return equal | greater
	case k == kindLow && b == lowest:
		return less | equal
	case k == kindHigh && b == highest && time:
		return less | equal
	case k == kindHigh && b == highest:
		return equal | greater
	}
	return anyOrder
}

// family groups the SQL types that are read alike.
type family int

const (
	famNone    family = iota
	famBool           // boolean
	famInt            // smallint, integer, bigint
	famNumeric        // numeric
	famText           // text, character varying, name, domains over text
	famPadded         // character(n), compared without the spaces at its end
	famEnum           // an enum type of the database
	famUUID
	famDate
	famInstant // timestamp with time zone
	famLocal   // timestamp without time zone
	famInet
	famInterval
	famArray
)

var usualInstant = sqltext.Builtin("timestamp with time zone")

var families = map[string]family{
	"boolean": famBool, "smallint": famInt, "integer": famInt, "bigint": famInt, "numeric": famNumeric, "text": famText,
	"character varying": famText, "name": famText, "character": famPadded, "bpchar": famPadded, "uuid": famUUID, "date": famDate,
	"timestamp with time zone": famInstant, "timestamp without time zone": famLocal, "inet": famInet, "interval": famInterval,
}

// familyOf is the family of a type of pg_catalog; famNone for all others.
func familyOf(t sqltext.TypeName) family {
	if t.Schema != "" && t.Schema != "pg_catalog" {
		return famNone
	}
	if t.Array {
		return famArray
	}
	return families[t.Name]
}
