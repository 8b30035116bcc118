package model

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"
)

// JSON is a value in the form of Document: what Postgres' to_jsonb gives for a
// column of the type and native type.
func JSON(v Value, t Type, native string) any {
	switch x := v.(type) {
	case bool, string, nil:
		return x
	case *big.Rat:
		return json.Number(DecimalString(x))
	case UUID:
		return x.String()
	case Date:
		return time.Unix(int64(x)*86400, 0).UTC().Format(time.DateOnly)
	case Timestamp:
		layout := "2006-01-02T15:04:05.999999-07:00"
		if LocalTime(native) {
			layout = "2006-01-02T15:04:05.999999"
		}
		return time.UnixMicro(int64(x)).UTC().Format(layout)
	case netip.Addr:
		return x.String()
	case Set:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = JSON(e, *t.Elem, "")
		}
		return out
	}
	return nil
}

// String is the lower-case text form of RFC 9562.
func (u UUID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

// DecimalString is the exact decimal text of a number that has one with at
// most 18 decimals, without trailing zeros.
func DecimalString(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	s := r.FloatString(18)
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	return s
}

// LocalTime reports whether a native type holds times without a zone, which
// are read as UTC; it may state a precision, as in "timestamp(3) without time
// zone".
func LocalTime(native string) bool {
	return strings.HasPrefix(native, "timestamp") && strings.HasSuffix(native, "without time zone")
}
