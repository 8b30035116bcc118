package plan

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzIndented: what is written is what encoding/json would write.
func FuzzIndented(f *testing.F) {
	for _, text := range []string{
		`{}`, `[]`, `""`, `{"a":"b\\","c":["\"",{},[],[[]],{"d":null}],"e":-1.5e3,"f":true}`, `[1,2,[{"x":"}{,:[\\\""}]]`, `"\\\\"`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var compact, want bytes.Buffer
		if json.Compact(&compact, data) != nil {
			return // no JSON
		}
		if err := json.Indent(&want, compact.Bytes(), "    ", "  "); err != nil {
			t.Fatal(err)
		}
		if got := indented(nil, compact.Bytes(), "    "); !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s, want %s", got, want.Bytes())
		}
	})
}
