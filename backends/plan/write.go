package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// write writes the plan's JSON form piece by piece, so that the whole text
// need not be held, and gives its hash. The newline at its end is left to the
// caller.
func (p *Plan) write(w io.Writer) (string, error) {
	sum := sha256.New()
	o := &objectWriter{w: io.MultiWriter(w, sum)}
	o.member("format_version", FormatVersion)
	o.member("project", p.Project)
	o.member("revision", p.Revision)
	o.member("created", p.Created.UTC().Truncate(time.Second))
	o.member("datasource", p.Datasource)
	o.member("server", p.Server)
	o.member("server_version", p.ServerVersion)
	o.member("database", p.Database)
	o.member("fingerprint", p.Fingerprint)
	o.member("scope", p.Scope)
	o.member("program", p.Program)
	o.list("changes", len(p.Changes), func(i int) any { return encodeChange(p.Changes[i]) })
	o.list("lock_tables", len(p.LockTables), func(i int) any { return p.LockTables[i] })
	o.list("statements", len(p.Statements), func(i int) any { return statementJSON(p.Statements[i]) })
	o.list("hazards", len(p.Hazards), func(i int) any { return encodeHazard(p.Hazards[i]) })
	o.name("hash")
	o.raw(`"`)
	if o.err != nil {
		return "", fmt.Errorf("writing the plan: %w", o.err)
	}
	const end = "\"\n}"
	_, _ = io.WriteString(sum, end+"\n") // a hash's Write never fails
	hash := hex.EncodeToString(sum.Sum(nil))
	if _, err := io.WriteString(w, hash+end); err != nil {
		return "", fmt.Errorf("writing the plan: %w", err)
	}
	return hash, nil
}

// objectWriter writes a JSON object as encoding/json does with an indent of two
// spaces and without escaping for HTML. The first error stays.
type objectWriter struct {
	w    io.Writer
	err  error
	open bool // a member was written
	buf  bytes.Buffer
	text []byte
}

func (o *objectWriter) raw(text string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, text)
	}
}

func (o *objectWriter) name(name string) {
	separator := "{\n"
	if o.open {
		separator = ",\n"
	}
	o.open = true
	o.raw(separator + `  "` + name + `": `)
}

// value writes a value whose further lines start with prefix.
func (o *objectWriter) value(prefix string, v any) {
	if o.err != nil {
		return
	}
	o.buf.Reset()
	enc := json.NewEncoder(&o.buf)
	enc.SetEscapeHTML(false)
	if o.err = enc.Encode(v); o.err == nil {
		o.text = indented(o.text[:0], bytes.TrimSuffix(o.buf.Bytes(), []byte("\n")), prefix)
		_, o.err = o.w.Write(o.text)
	}
}

func (o *objectWriter) member(name string, v any) {
	o.name(name)
	o.value("  ", v)
}

func (o *objectWriter) list(name string, n int, element func(int) any) {
	o.name(name)
	if n == 0 {
		o.raw("[]")
		return
	}
	for i := range n {
		if i == 0 {
			o.raw("[\n    ")
		} else {
			o.raw(",\n    ")
		}
		o.value("    ", element(i))
	}
	o.raw("\n  ]")
}

// errDiffers says that what was written is not what it should be.
var errDiffers = errors.New("the text differs")

// comparer takes nothing but the text that it holds.
type comparer struct{ rest []byte }

func (c *comparer) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(c.rest, p) {
		return 0, errDiffers
	}
	c.rest = c.rest[len(p):]
	return len(p), nil
}
