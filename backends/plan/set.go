package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// EncodeSet is the JSON form of several plans, one a datasource: an object
// with "format_version" and "plans", each as Encode writes it.
func EncodeSet(plans []*Plan) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"format_version\": %d, \"plans\": [\n", FormatVersion)
	for i, p := range plans {
		data, err := p.Encode()
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(",\n")
		}
		b.Write(bytes.TrimSuffix(data, []byte("\n")))
	}
	b.WriteString("\n]}\n")
	return b.Bytes(), nil
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
		return nil, fmt.Errorf("%w: it has format version %d, this version of postern reads %d; make a new plan",
			ErrFile, file.FormatVersion, FormatVersion)
	}
	plans := make([]*Plan, len(file.Plans))
	for i, raw := range file.Plans {
		p, err := Decode(append(raw, '\n'))
		if err != nil {
			return nil, err
		}
		plans[i] = p
	}
	want, err := EncodeSet(plans)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if !bytes.Equal(want, data) {
		return nil, fmt.Errorf("%w: it was changed after it was made; make a new plan", ErrFile)
	}
	return plans, nil
}

// SaveSet writes plans to a file, readable by its owner alone, replacing it in
// one step.
func SaveSet(path string, plans []*Plan) error {
	data, err := EncodeSet(plans)
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

// LoadSet reads the plans that SaveSet wrote.
func LoadSet(path string) ([]*Plan, error) {
	f, err := os.Open(path)
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
	plans, err := DecodeSet(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return plans, nil
}
