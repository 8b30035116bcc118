package plan

import (
	"bytes"
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
// with "format_version" and "plans", each as Encode writes it.
func EncodeSet(plans []*Plan) ([]byte, error) {
	var b bytes.Buffer
	err := writeSet(&b, plans)
	return b.Bytes(), err
}

func writeSet(w io.Writer, plans []*Plan) error {
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
	_, err := io.WriteString(w, setEnd)
	return err
}

// DecodeSet reads what EncodeSet wrote, and nothing else: any other text is an
// error that wraps ErrFile.
func DecodeSet(data []byte) ([]*Plan, error) {
	var file struct {
		FormatVersion int               `json:"format_version"`
		Plans         []json.RawMessage `json:"plans"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%w: it is damaged or cut short (%w)", ErrFile, err)
	}
	if file.FormatVersion != FormatVersion {
		return nil, fmt.Errorf("%w: %w", ErrFile, wrongVersion(file.FormatVersion))
	}
	// Decode takes nothing but what Encode writes; what is left is the frame.
	frame := &comparer{rest: data}
	_, differs := io.WriteString(frame, setStart())
	plans := make([]*Plan, len(file.Plans))
	for i, raw := range file.Plans {
		p, err := Decode(append(raw, '\n'))
		if err != nil {
			return nil, err
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
		_, differs = io.WriteString(frame, setEnd)
	}
	if differs != nil || len(frame.rest) > 0 {
		return nil, fmt.Errorf("%w: it was changed after it was made; make a new plan", ErrFile)
	}
	return plans, nil
}

// SaveSet writes plans to a file, readable by its owner alone, replacing it in
// one step.
func SaveSet(path string, plans []*Plan) error {
	return save(path, func(w io.Writer) error { return writeSet(w, plans) })
}

// LoadSet reads the plans that SaveSet wrote.
func LoadSet(path string) ([]*Plan, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	plans, err := DecodeSet(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return plans, nil
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
