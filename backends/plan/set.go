package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// What stands between and after the plans of a set.
const (
	setSeparator = ",\n"
	setEnd       = "\n]}\n"
)

// setStart is what stands before the plans of a set.
func setStart() string { return fmt.Sprintf("{\"format_version\": %d, \"plans\": [\n", FormatVersion) }

// EncodeSet is the JSON form of several plans, one a datasource: an object
// with "format_version" and "plans", each as Encode writes it, and, where there
// are any, "publications".
func EncodeSet(plans []*Plan, publications ...*Publication) ([]byte, error) {
	var b bytes.Buffer
	err := writeSet(&b, plans, publications)
	return b.Bytes(), err
}

func writeSet(w io.Writer, plans []*Plan, publications []*Publication) error {
	if _, err := io.WriteString(w, setStart()); err != nil {
		return err
	}
	for i, p := range plans {
		if i > 0 {
			if _, err := io.WriteString(w, setSeparator); err != nil {
				return err
			}
		}
		if _, err := p.write(w); err != nil {
			return err
		}
	}
	return writeEnd(w, publications)
}

// writeEnd writes what stands after the plans.
func writeEnd(w io.Writer, publications []*Publication) error {
	if len(publications) == 0 {
		_, err := io.WriteString(w, setEnd)
		return err
	}
	text, err := json.MarshalIndent(publications, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the publications: %w", err)
	}
	_, err = fmt.Fprintf(w, "\n],\n\"publications\": %s,\n\"publications_hash\": \"%x\"}\n", text, sha256.Sum256(text))
	return err
}

// DecodeSet reads what EncodeSet wrote, and nothing else: any other text is an
// error that wraps ErrFile.
func DecodeSet(data []byte) ([]*Plan, []*Publication, error) {
	var file struct {
		FormatVersion int               `json:"format_version"`
		Plans         []json.RawMessage `json:"plans"`
		Publications  json.RawMessage   `json:"publications"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, nil, fmt.Errorf("%w: it is damaged or cut short (%w)", ErrFile, err)
	}
	if file.FormatVersion != FormatVersion {
		return nil, nil, fmt.Errorf("%w: %w", ErrFile, wrongVersion(file.FormatVersion))
	}
	var publications []*Publication
	if file.Publications != nil {
		if err := json.Unmarshal(file.Publications, &publications); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrFile, err)
		}
	}
	// Decode takes nothing but what Encode writes; what is left is the frame.
	frame := &comparer{rest: data}
	_, differs := io.WriteString(frame, setStart())
	plans := make([]*Plan, len(file.Plans))
	for i, raw := range file.Plans {
		p, err := Decode(append(raw, '\n'))
		if err != nil {
			return nil, nil, err
		}
		plans[i], file.Plans[i] = p, nil
		if i > 0 && differs == nil {
			_, differs = io.WriteString(frame, setSeparator)
		}
		if differs == nil {
			_, differs = frame.Write(raw)
		}
	}
	if differs == nil {
		differs = writeEnd(frame, publications)
	}
	if differs != nil || len(frame.rest) > 0 {
		return nil, nil, fmt.Errorf("%w: it was changed after it was made; make a new plan", ErrFile)
	}
	return plans, publications, nil
}

// SaveSet writes plans to a file, readable by its owner alone, replacing it in
// one step.
func SaveSet(path string, plans []*Plan, publications ...*Publication) error {
	return save(path, func(w io.Writer) error { return writeSet(w, plans, publications) })
}

// LoadSet reads the plans and publications that SaveSet wrote.
func LoadSet(path string) ([]*Plan, []*Publication, error) {
	data, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	plans, publications, err := DecodeSet(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return plans, publications, nil
}

// read is the content of a plan file, in a buffer of its size.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	defer func() { _ = f.Close() }()
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Size() <= maxFile {
		b.Grow(int(info.Size()) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(f, maxFile+1)); err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	if b.Len() > maxFile {
		return nil, fmt.Errorf("%w: it is larger than 1 GiB", ErrFile)
	}
	return b.Bytes(), nil
}
