package resolve

import (
	"encoding/binary"
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// complete gives the columns that a record leaves out a value of their type,
// the same in every run. Ints, strings and uuids differ between records and
// columns, so that no two are equal by chance.
func (t *testBuilder) complete(values map[string]model.Value, table *model.Table, number int) map[string]model.Value {
	for i, c := range table.Columns {
		if _, ok := values[c.Name]; !ok {
			values[c.Name] = filler(c, number, i, t.test.Request.Now)
		}
	}
	return values
}

// filler is a made-up value. Its parts fit the smallest native types: a
// smallint holds at most 32767, numeric(3) at most 999.
func filler(c *model.Column, number, column int, now model.Timestamp) model.Value {
	unique := number*61 + column%61
	switch c.Type.Kind {
	case model.KindBool:
		return false
	case model.KindInt:
		return new(big.Rat).SetInt64(int64(10_000 + unique%22_000))
	case model.KindNumber:
		return new(big.Rat).SetInt64(int64(number % 10))
	case model.KindString:
		return fit("v"+strconv.FormatInt(int64(unique), 36), c.Native)
	case model.KindUUID:
		var u model.UUID
		u[6], u[8] = 0x40, 0x90
		binary.BigEndian.PutUint16(u[10:], uint16(column)) //nolint:gosec // a table has at most 1600 columns
		binary.BigEndian.PutUint32(u[12:], uint32(number)) //nolint:gosec // counts blocks of a file
		return u
	case model.KindDate:
		return model.Date(now / model.Timestamp(model.Day)) //nolint:gosec // days of a constant
	case model.KindTimestamp:
		return now
	case model.KindIP:
		return netip.AddrFrom4([4]byte{192, 0, 2, byte(number)}) //nolint:gosec // TEST-NET-1, RFC 5737: whatever fits
	case model.KindEnum:
		return c.Type.Enum[0]
	case model.KindSet:
		return model.Set{}
	case model.KindDuration:
	}
	return nil
}

var lengthForm = regexp.MustCompile(`^character(?: varying)?\((\d+)\)$`)

// fit cuts a made-up text to what the column can hold.
func fit(s, native string) string {
	limit := -1
	if native == "character" {
		limit = 1
	} else if m := lengthForm.FindStringSubmatch(strings.TrimSpace(native)); m != nil {
		limit, _ = strconv.Atoi(m[1])
	}
	if limit >= 0 && len(s) > limit {
		return s[len(s)-limit:]
	}
	return s
}
