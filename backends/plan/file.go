package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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

type planJSON[C, H any] struct {
	FormatVersion int             `json:"format_version"`
	Project       string          `json:"project"`
	Revision      string          `json:"revision"`
	Created       time.Time       `json:"created"`
	Datasource    string          `json:"datasource"`
	Server        string          `json:"server"`
	ServerVersion int             `json:"server_version"`
	Database      string          `json:"database"`
	Fingerprint   string          `json:"fingerprint"`
	Scope         Scope           `json:"scope"`
	Changes       []C             `json:"changes"`
	LockTables    []string        `json:"lock_tables"`
	Statements    []statementJSON `json:"statements"`
	Hazards       []H             `json:"hazards"`
	Hash          string          `json:"hash"`
}

// Encode is the plan's JSON form with its hash, ending in a newline. The same
// plan always gives the same bytes.
func (p *Plan) Encode() ([]byte, error) {
	data, hash, err := p.encode()
	if err != nil {
		return nil, err
	}
	return withHash(data, hash), nil
}

// Hash is the SHA-256 of the plan's JSON form, in hexadecimal: what history
// and approvals name it by.
func (p *Plan) Hash() (string, error) {
	_, hash, err := p.encode()
	return hash, err
}

// emptyHash ends the JSON form of a plan whose hash is not yet known.
const emptyHash = "\"hash\": \"\"\n}\n"

func withHash(data []byte, hash string) []byte {
	out := bytes.TrimSuffix(data, []byte(emptyHash))
	out = append(out[:len(out):len(out)], "\"hash\": \""+hash+"\"\n}\n"...)
	return out
}

// encode is the JSON form with an empty hash, and its hash.
func (p *Plan) encode() ([]byte, string, error) {
	j := planJSON[changeJSON, hazardJSON]{
		FormatVersion: FormatVersion,
		Project:       p.Project, Revision: p.Revision, Created: p.Created.UTC().Truncate(time.Second),
		Datasource: p.Datasource, Server: p.Server, ServerVersion: p.ServerVersion, Database: p.Database,
		Fingerprint: p.Fingerprint, Scope: p.Scope,
		Changes:    make([]changeJSON, len(p.Changes)),
		LockTables: append([]string{}, p.LockTables...),
		Statements: make([]statementJSON, len(p.Statements)),
		Hazards:    make([]hazardJSON, len(p.Hazards)),
	}
	for i, c := range p.Changes {
		j.Changes[i] = encodeChange(c)
	}
	for i, s := range p.Statements {
		j.Statements[i] = statementJSON(s)
	}
	for i, h := range p.Hazards {
		j.Hazards[i] = encodeHazard(h)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(j); err != nil {
		return nil, "", fmt.Errorf("writing the plan: %w", err)
	}
	sum := sha256.Sum256(b.Bytes())
	return b.Bytes(), hex.EncodeToString(sum[:]), nil
}

// Decode reads a plan's JSON form. It takes exactly what Encode writes: a
// member too many, a changed byte or a truncated file is an error that wraps
// ErrFile.
func Decode(data []byte) (*Plan, error) {
	var head struct {
		FormatVersion int `json:"format_version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("%w: it is damaged or cut short (%w)", ErrFile, err)
	}
	if head.FormatVersion != FormatVersion {
		return nil, fmt.Errorf("%w: it has format version %d, this version of postern reads %d; make a new plan",
			ErrFile, head.FormatVersion, FormatVersion)
	}
	p, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	want, err := p.Encode()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if !bytes.Equal(want, data) {
		return nil, fmt.Errorf("%w: it was changed after it was made (its hash does not match); make a new plan", ErrFile)
	}
	return p, nil
}

func decode(data []byte) (*Plan, error) {
	var j planJSON[json.RawMessage, json.RawMessage]
	if err := strict(data, &j); err != nil {
		return nil, err
	}
	p := &Plan{
		Project: j.Project, Revision: j.Revision, Created: j.Created.UTC(), Datasource: j.Datasource,
		Server: j.Server, ServerVersion: j.ServerVersion, Database: j.Database, Fingerprint: j.Fingerprint, Scope: j.Scope,
		LockTables: j.LockTables,
	}
	for _, raw := range j.Changes {
		c, err := decodeChange(raw)
		if err != nil {
			return nil, err
		}
		p.Changes = append(p.Changes, c)
	}
	for _, s := range j.Statements {
		p.Statements = append(p.Statements, Statement(s))
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
	data, err := p.Encode()
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".postern-plan-*")
	if err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return fmt.Errorf("saving the plan: %w", err)
	}
	return nil
}

// Load reads a plan that Save wrote; see Decode.
func Load(path string) (*Plan, error) {
	f, err := os.Open(path) // #nosec G304 -- the user names the plan file
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%w: it is larger than 1 GiB", ErrFile)
	}
	p, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}
