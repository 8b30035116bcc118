package plan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// maxFile bounds a plan file; a plan of 10,000 tables is about 50 MB.
const maxFile = 1 << 30

// ErrFile says that a plan file cannot be used; the wrapping error says why.
var ErrFile = errors.New("this is not a plan file that can be applied")

type statementJSON struct {
	SQL    string  `json:"sql"`
	Object Object  `json:"object"`
	Secret *Secret `json:"secret,omitempty"`
}

// planJSON is a plan's JSON form as it is read; Plan.write writes it.
type planJSON struct {
	FormatVersion int               `json:"format_version"`
	Project       string            `json:"project"`
	Revision      string            `json:"revision"`
	Created       time.Time         `json:"created"`
	Datasource    string            `json:"datasource"`
	Server        string            `json:"server"`
	ServerVersion int               `json:"server_version"`
	Database      string            `json:"database"`
	Fingerprint   string            `json:"fingerprint"`
	Scope         Scope             `json:"scope"`
	Program       string            `json:"program"`
	Changes       []changeJSON      `json:"changes"`
	LockTables    []string          `json:"lock_tables"`
	Statements    []statementJSON   `json:"statements"`
	Hazards       []json.RawMessage `json:"hazards"`
	Hash          string            `json:"hash"`
}

// Encode is the plan's JSON form with its hash, ending in a newline. The same
// plan always gives the same bytes.
func (p *Plan) Encode() ([]byte, error) {
	var b bytes.Buffer
	if _, err := p.write(&b); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// Hash is the SHA-256 of the plan's JSON form, in hexadecimal: what history
// and approvals name it by.
func (p *Plan) Hash() (string, error) { return p.write(io.Discard) }

// Decode reads a plan's JSON form. It takes exactly what Encode writes: a
// member too many, a changed byte or a truncated file is an error that wraps
// ErrFile.
func Decode(data []byte) (*Plan, error) {
	p, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, cause(data, err))
	}
	same := &comparer{rest: data}
	_, err = p.write(same)
	if err == nil {
		_, err = same.Write([]byte{'\n'})
	}
	if errors.Is(err, errDiffers) || err == nil && len(same.rest) > 0 {
		return nil, fmt.Errorf("%w: it was changed after it was made (its hash does not match); make a new plan", ErrFile)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	return p, nil
}

// cause is why a text could not be decoded: it is no JSON, of another version,
// or what decoding said.
func cause(data []byte, err error) error {
	var head struct {
		FormatVersion int `json:"format_version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("it is damaged or cut short (%w)", err)
	}
	if head.FormatVersion != FormatVersion {
		return wrongVersion(head.FormatVersion)
	}
	return err
}

func wrongVersion(n int) error {
	return fmt.Errorf("it has format version %d, this version of postern reads %d; make a new plan", n, FormatVersion)
}

func decode(data []byte) (*Plan, error) {
	var j planJSON
	if err := strict(data, &j); err != nil {
		return nil, err
	}
	if j.FormatVersion != FormatVersion {
		return nil, wrongVersion(j.FormatVersion)
	}
	p := &Plan{
		Project: j.Project, Revision: j.Revision, Created: j.Created.UTC(), Datasource: j.Datasource,
		Server: j.Server, ServerVersion: j.ServerVersion, Database: j.Database, Fingerprint: j.Fingerprint, Scope: j.Scope, Program: j.Program,
		LockTables: j.LockTables, Changes: make([]Change, len(j.Changes)), Statements: make([]Statement, len(j.Statements)),
	}
	for i, c := range j.Changes {
		var err error
		if p.Changes[i], err = c.decode(); err != nil {
			return nil, err
		}
	}
	for i, s := range j.Statements {
		p.Statements[i] = Statement(s)
	}
	for _, raw := range j.Hazards {
		h, err := decodeHazard(raw)
		if err != nil {
			return nil, err
		}
		p.Hazards = append(p.Hazards, h)
	}
	return p, p.check()
}

// strict decodes one JSON value without unknown members or trailing text.
func strict(data []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text after the plan's end")
	}
	return nil
}

// Save writes the plan to a file, readable by its owner alone, replacing it
// in one step.
func (p *Plan) Save(path string) error {
	return save(path, func(w io.Writer) error {
		if _, err := p.write(w); err != nil {
			return err
		}
		_, err := io.WriteString(w, "\n")
		return err
	})
}

// save has a file written beside its place, and puts it there.
func save(path string, write func(io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".postern-plan-*")
	if err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	b := bufio.NewWriterSize(tmp, 1<<16)
	if err = errors.Join(write(b), b.Flush(), tmp.Close()); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	return nil
}

// Load reads a plan that Save wrote; see Decode.
func Load(path string) (*Plan, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	p, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}
