package publish

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// files is a place that keeps each file by itself, and can replace one only
// where it is still what it was (RFC 9110, section 13).
type files interface {
	// get reads a file and its tag, "" from a server that gives none; an error
	// that wraps fs.ErrNotExist when it is not there.
	get(ctx context.Context, name string) (data []byte, tag string, err error)
	// put writes a file if it is still as was says; else the error is errOther.
	put(ctx context.Context, f File, was state) error
}

// state is what was read of a file.
type state struct {
	there bool
	tag   string
}

// errOther says that a file is not any more what it was.
var errOther = errors.New("it is not what it was")

// objects makes a store of a place of files. A release is put in three steps,
// each of which fails where somebody else was there in the meantime: the manifest that
// was read is marked as being replaced; the files are written, each over what
// it was after that; the manifest is replaced. Of two who begin from the same
// manifest the second so fails before it has written anything. One who begins
// when another has marked the manifest and not ended, for that one may be gone,
// takes the mark over, and the other fails at its next step.
type objects struct {
	files
	read     bool // the manifest was asked for
	manifest state
	text     []byte // of the manifest that was read, nil: none was there
	mark     []byte // the manifest with this store's mark
	marked   bool   // the mark is there
}

func (o *objects) Get(ctx context.Context, name string) ([]byte, error) {
	data, tag, err := o.get(ctx, name)
	if name == ManifestName && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		o.read, o.manifest, o.text, o.mark, o.marked = true, state{err == nil, tag}, data, nil, false
	}
	return data, err
}

func (o *objects) Put(ctx context.Context, list []File) error {
	content, manifest := list[:len(list)-1], list[len(list)-1]
	if !o.read {
		if _, err := o.Get(ctx, ManifestName); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := o.begin(ctx, manifest.Data); err != nil {
		return err
	}
	was := make([]state, len(content))
	for i, f := range content {
		_, tag, err := o.get(ctx, f.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		was[i] = state{err == nil, tag}
	}
	// Whoever takes the mark over after this reads the files after they were
	// read here, and so one of both sees that a file is not what it was.
	now, tag, err := o.get(ctx, ManifestName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	switch {
	case bytes.Equal(now, manifest.Data):
		return nil // by an attempt whose answer did not arrive
	case !bytes.Equal(now, o.mark):
		return final{ErrMoved}
	}
	for i, f := range content {
		if err := o.replace(ctx, f, was[i]); err != nil {
			return err
		}
	}
	return o.replace(ctx, manifest, state{true, tag})
}

// begin marks the manifest, once for all attempts.
func (o *objects) begin(ctx context.Context, next []byte) (err error) {
	if o.marked {
		return nil
	}
	if o.mark == nil {
		if o.mark, err = marked(o.text, next); err != nil {
			return final{err}
		}
	}
	if err := o.replace(ctx, File{ManifestName, o.mark}, o.manifest); err != nil {
		return err
	}
	o.marked = true
	return nil
}

// replace writes a file over what it was. That it is there already is no
// failure: an attempt whose answer did not arrive may have written it.
func (o *objects) replace(ctx context.Context, f File, was state) error {
	err := o.put(ctx, f, was)
	if !errors.Is(err, errOther) {
		return err
	}
	if now, _, read := o.get(ctx, f.Path); read == nil && bytes.Equal(now, f.Data) {
		return nil
	}
	return final{ErrMoved}
}

// marked is the manifest that was read, or of a place that holds nothing yet,
// marked as being replaced by the next one.
func marked(text, next []byte) ([]byte, error) {
	m, err := decode(next)
	if err != nil {
		return nil, err
	}
	out := &Manifest{FormatVersion: FormatVersion, Project: m.Project, Files: map[string]FileState{}, Rules: map[string]string{}}
	if text != nil {
		if out, err = decode(text); err != nil {
			return nil, err
		}
	}
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, fmt.Errorf("publishing: %w", err)
	}
	out.Publishing = &Publishing{ID: hex.EncodeToString(id), Revision: m.Revision, Since: time.Now().UTC().Truncate(time.Second)}
	return out.Encode()
}
