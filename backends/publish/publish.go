// Package publish brings artifacts to where engines fetch them, and tells what
// is there.
//
// A place holds files and, beside them, the manifest postern.json: what
// was published, with the hash of each file and of each rule that they carry.
// Content is put first and the manifest last, so that what the manifest says is
// there is there. Everything is read back after it was put. Whoever publishes
// has read the manifest before, and fails where it is another one by then.
package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"time"

	"github.com/postern-dev/postern/compiler/model"
)

// ManifestName is the file that says what a place holds.
const ManifestName = "postern.json"

// FormatVersion is the version of the manifest that this package writes, and
// the only one that it reads.
const FormatVersion = 1

// maxFile bounds what is read back of a place.
const maxFile = 1 << 28

// Manifest is what was published to a place.
type Manifest struct {
	FormatVersion int    `json:"format_version"`
	Project       string `json:"project"`
	Revision      string `json:"revision"` // git commit of the source, "" when unknown
	Bundle        string `json:"bundle"`   // content_sha256 of the OPA bundle, "" without one
	// Files are the files beside the manifest, by path.
	Files map[string]FileState `json:"files"`
	// Rules are the hashes of what the files say, one for each policy, guard,
	// mask, table, group, user and so on, such as "policy own_notes".
	Rules map[string]string `json:"rules"`
	// Publishing is there while the files are being replaced, and stays when
	// that does not end: then the files may be those of either release.
	Publishing *Publishing `json:"publishing,omitempty"`
}

// Publishing marks a manifest that is being replaced.
type Publishing struct {
	ID       string    `json:"id"`       // random
	Revision string    `json:"revision"` // of what is being published
	Since    time.Time `json:"since"`    // UTC, whole seconds
}

// FileState is one file of a place.
type FileState struct {
	SHA256  string `json:"sha256"`  // of the file
	Content string `json:"content"` // of the file before it was signed
	Signed  string `json:"signed"`  // the key's id and algorithm, "" when not signed
}

// File is a file to put.
type File struct {
	Path string
	Data []byte
}

// Release is all that one publish block puts.
type Release struct {
	Files    []File // sorted by path
	Manifest Manifest
}

// Store is a place that files are put to.
type Store interface {
	// Get reads a file; an error that wraps fs.ErrNotExist when it is not there.
	Get(ctx context.Context, name string) ([]byte, error)
	// Put replaces files, in order; the last is the manifest, which points to
	// the others. Where the manifest is not the one any more that Get has read
	// last, the error wraps ErrMoved, and the manifest stays what it is.
	Put(ctx context.Context, files []File) error
}

// ErrMoved says that a place is not what it was when it was read.
var ErrMoved = errors.New("somebody else has published there since it was read")

// Secrets reads the value of a secret reference; its errors never hold it.
type Secrets func(*model.Secret) (string, error)

// ErrDamaged says that what a place holds is no manifest of this version.
var ErrDamaged = errors.New("what is published there cannot be read")

// Open gives the store of a block. Folders are relative to dir.
func Open(p *model.Publish, dir string, secrets Secrets) (Store, error) {
	read := func(s *model.Secret) (string, error) {
		if s == nil {
			return "", nil
		}
		return secrets(s)
	}
	switch x := p.Store.(type) {
	case *model.Folder:
		return openFolder(x, dir), nil
	case *model.HTTP:
		token, err := read(x.Token)
		return &objects{files: &web{url: x.URL, token: token}}, err
	case *model.Git:
		token, err := read(x.Token)
		return &branch{at: x, dir: dir, token: token}, err
	case *model.OCI:
		password, err := read(x.Password)
		if err != nil {
			return nil, err
		}
		return openRegistry(x, password)
	case *model.S3:
		access, err := read(x.AccessKey)
		if err != nil {
			return nil, err
		}
		secret, err := read(x.SecretKey)
		if err != nil {
			return nil, err
		}
		return openBucket(x, access, secret)
	}
	return nil, fmt.Errorf("publish.%s has no place", p.Name)
}

// Live reads what a place holds; nil when nothing was published there yet.
func Live(ctx context.Context, s Store) (*Manifest, error) {
	data, err := retried(ctx, func() ([]byte, error) { return s.Get(ctx, ManifestName) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what is published: %w", err)
	}
	return decode(data)
}

func decode(data []byte) (*Manifest, error) {
	m := &Manifest{}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(m); err != nil {
		return nil, fmt.Errorf("%w: %w; remove %s there to publish as if for the first time", ErrDamaged, err, ManifestName)
	}
	if m.FormatVersion != FormatVersion {
		return nil, fmt.Errorf("%w: it has format version %d, this version of postern reads %d", ErrDamaged, m.FormatVersion, FormatVersion)
	}
	for name := range m.Files {
		if !fs.ValidPath(name) || name == "." || path.Base(name) == ManifestName {
			return nil, fmt.Errorf("%w: it names the file %q", ErrDamaged, name)
		}
	}
	return m, nil
}

// Encode is the manifest's text; the same manifest always gives the same.
func (m *Manifest) Encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("writing the manifest: %w", err)
	}
	return b.Bytes(), nil
}

// Fingerprint names what a place holds, whether or not it is being replaced;
// "" for nothing.
func (m *Manifest) Fingerprint() (string, error) {
	if m == nil {
		return "", nil
	}
	rest := *m
	rest.Publishing = nil
	if len(rest.Files) == 0 {
		return "", nil
	}
	data, err := rest.Encode()
	return Sum(data), err
}

// Sum is the SHA-256 of data in hexadecimal.
func Sum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// ErrReadBack says that what was put is not what is read.
var ErrReadBack = errors.New("what is read back is not what was put")

// Put puts a release and reads it back.
func Put(ctx context.Context, s Store, r *Release) error {
	text, err := r.Manifest.Encode()
	if err != nil {
		return err
	}
	files := slices.Clone(r.Files)
	// The bundle is what running engines look for: all else is there before it.
	slices.SortStableFunc(files, func(a, b File) int { return after(a) - after(b) })
	files = append(files, File{ManifestName, text})
	if _, err := retried(ctx, func() ([]byte, error) { return nil, s.Put(ctx, files) }); err != nil {
		return err
	}
	for _, f := range files {
		data, err := retried(ctx, func() ([]byte, error) { return s.Get(ctx, f.Path) })
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrReadBack, f.Path, err)
		}
		if !bytes.Equal(data, f.Data) {
			return fmt.Errorf("%w: %s", ErrReadBack, f.Path)
		}
	}
	return nil
}

func after(f File) int {
	if f.Path == bundleFile {
		return 1
	}
	return 0
}

// Damage lists the files of a place that are not as its manifest says: by path
// "missing" or "changed".
func Damage(ctx context.Context, s Store, m *Manifest) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		data, err := retried(ctx, func() ([]byte, error) { return s.Get(ctx, name) })
		switch {
		case errors.Is(err, fs.ErrNotExist):
			out[name] = "missing"
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", name, err)
		case Sum(data) != m.Files[name].SHA256:
			out[name] = "changed"
		}
	}
	return out, nil
}
