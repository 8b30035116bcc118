package verify

import (
	"fmt"
	"math/big"
	"net/netip"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
)

// kindOf names the Go type of a value.
func kindOf(v model.Value) string { return fmt.Sprintf("%T ", v) }

// shown is a value in a form that differs for values that differ.
func shown(v model.Value) string {
	if r, ok := v.(*big.Rat); ok {
		return r.RatString()
	}
	return print.Value(v)
}

// lastOf is the last address of a network.
func lastOf(n netip.Prefix) netip.Addr {
	b := n.Masked().Addr().AsSlice()
	for i := n.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
