package rego

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/open-policy-agent/opa/v1/bundle"
)

// pack writes the bundle. Its bytes follow from the content alone: no times are
// stamped, and members have one order. It is written here and not by the
// library, whose writer has no place for schemas and would read the data again.
func (c *content) pack() ([]byte, error) {
	manifest, err := json.Marshal(c.manifest())
	if err != nil {
		return nil, fmt.Errorf("the bundle's manifest: %w", err)
	}
	members := []printed{{bundle.ManifestExt, manifest}, {"data.json", c.data}}
	members = append(append(members, c.files...), c.schemas...)
	return packed(members)
}

// manifest names the bundle by its commit, or by its content when that is
// unknown.
func (c *content) manifest() bundle.Manifest {
	hash := c.hash()
	revision := c.revision
	if revision == "" {
		revision = "sha256:" + hash
	}
	version := 1
	return bundle.Manifest{
		Revision:    revision,
		Roots:       &[]string{"postern/" + c.project},
		RegoVersion: &version,
		Metadata:    map[string]any{"project": c.project, "commit": c.revision, "content_sha256": hash},
	}
}

// hash is the SHA-256 of all files, each with its path and both with their
// lengths before them.
func (c *content) hash() string {
	h := sha256.New()
	part := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	part([]byte("data.json"))
	part(c.data)
	for _, f := range append(append([]printed{}, c.files...), c.schemas...) {
		part([]byte(f.path))
		part(f.text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// packed is an archive of these files in this order.
func packed(members []printed) ([]byte, error) {
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	archive := tar.NewWriter(compressed)
	for _, m := range members {
		// Paths begin with "/", as in bundles that the engine's own tools write.
		header := &tar.Header{Name: "/" + m.path, Mode: 0o600, Typeflag: tar.TypeReg, Size: int64(len(m.text))}
		if err := archive.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("write the bundle: %w", err)
		}
		if _, err := archive.Write(m.text); err != nil {
			return nil, fmt.Errorf("write the bundle: %w", err)
		}
	}
	if err := errors.Join(archive.Close(), compressed.Close()); err != nil {
		return nil, fmt.Errorf("write the bundle: %w", err)
	}
	return out.Bytes(), nil
}

// maxMember bounds a file of a bundle that is read; the largest one written is
// the data, about 10 MB for 10,000 policies.
const maxMember = 1 << 30

// unpacked reads an archive that packed wrote; paths have no leading "/".
func unpacked(data []byte) ([]printed, error) {
	compressed, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read the bundle: %w", err)
	}
	archive := tar.NewReader(compressed)
	var out []printed
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the bundle: %w", err)
		}
		text, err := io.ReadAll(io.LimitReader(archive, maxMember+1))
		if err != nil {
			return nil, fmt.Errorf("read the bundle: %w", err)
		}
		if len(text) > maxMember {
			return nil, fmt.Errorf("read the bundle: %s is larger than %d bytes", header.Name, maxMember)
		}
		out = append(out, printed{strings.TrimPrefix(header.Name, "/"), text})
	}
}

// ContentHash is the hash of a bundle's content that its manifest states as
// content_sha256: what a running OPA tells of the bundle that it serves.
func ContentHash(data []byte) (string, error) {
	members, err := unpacked(data)
	if err != nil {
		return "", err
	}
	for _, m := range members {
		if m.path != bundle.ManifestExt {
			continue
		}
		var manifest struct {
			Metadata struct {
				Content string `json:"content_sha256"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(m.text, &manifest); err != nil {
			return "", fmt.Errorf("read the bundle's manifest: %w", err)
		}
		return manifest.Metadata.Content, nil
	}
	return "", errors.New("read the bundle: it has no manifest")
}
