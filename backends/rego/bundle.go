package rego

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/open-policy-agent/opa/v1/bundle"
)

// pack writes the bundle. Its bytes follow from the content alone: the writer
// stamps no times, and members have one order.
func (c *content) pack() ([]byte, error) {
	var data map[string]any
	dec := json.NewDecoder(bytes.NewReader(c.data))
	dec.UseNumber()
	if err := dec.Decode(&data); err != nil {
		return nil, fmt.Errorf("data.json: %w", err)
	}
	b := bundle.Bundle{Manifest: c.manifest(), Data: data}
	for _, f := range c.files {
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: "/" + f.path, Path: "/" + f.path, Raw: f.text})
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).UseModulePath(true).DisableFormat(true).Write(b); err != nil {
		return nil, fmt.Errorf("write the bundle: %w", err)
	}
	return out.Bytes(), nil
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
	for _, f := range c.files {
		part([]byte(f.path))
		part(f.text)
	}
	return hex.EncodeToString(h.Sum(nil))
}
