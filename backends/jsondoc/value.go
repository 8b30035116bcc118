package jsondoc

import (
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/compiler/model"
)

// valueOf is a constant in the document's form.
func valueOf(t model.Type, v model.Value) (*document.Value, error) {
	set, ok := v.(model.Set)
	if !ok {
		text, err := textOf(v)
		return &document.Value{Text: &text}, err
	}
	if t.Kind != model.KindSet {
		return nil, fmt.Errorf("a set stands for a value of type %s", t)
	}
	elems := make([]string, len(set))
	for i, e := range set {
		var err error
		if elems[i], err = textOf(e); err != nil {
			return nil, err
		}
	}
	return &document.Value{Elems: &elems}, nil
}

// textOf is the canonical spelling of a scalar.
func textOf(v model.Value) (string, error) {
	switch x := v.(type) {
	case bool:
		return strconv.FormatBool(x), nil
	case *big.Rat:
		text := model.DecimalString(x)
		if back, ok := new(big.Rat).SetString(text); !ok || back.Cmp(x) != 0 {
			return "", fmt.Errorf("the number %s has more than 18 decimals", x)
		}
		return text, nil
	case string:
		return x, nil
	case model.UUID:
		return x.String(), nil
	case model.Date:
		return time.UnixMicro(int64(x.Instant())).UTC().Format(time.DateOnly), nil
	case model.Timestamp:
		return time.UnixMicro(int64(x)).UTC().Format("2006-01-02T15:04:05.999999Z"), nil
	case model.Duration:
		return strconv.FormatInt(int64(x), 10), nil
	case netip.Addr:
		return x.String(), nil
	}
	return "", fmt.Errorf("a value of %T has no text", v)
}
