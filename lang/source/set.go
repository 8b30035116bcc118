// Package source holds the text of a project: the files of one folder or of
// one git revision, and the places in them that diagnostics point at.
package source

import "slices"

// File is one source file: its slash-separated path relative to the project
// folder and its bytes.
type File struct {
	Name string
	Data []byte
}

// Set is the source text of one project, read once; everything later reads
// from it and never from the disk, so that a run sees one state of the files;
// the folders of modules are added when their blocks are found.
type Set struct {
	// Dir is where the files came from, for messages only.
	Dir string
	// Revision is the git commit the files were read at, or "" when unknown.
	Revision string
	// Files is sorted by Name.
	Files []File

	// home is the project's folder, nil for a set of files alone.
	home *Folder
	// fetched holds the git modules that were read, by address.
	fetched map[string]*commitTree
}

// File returns the file of that name, or nil.
func (s *Set) File(name string) *File {
	if s == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(s.Files, name, func(f File, n string) int {
		switch {
		case f.Name < n:
			return -1
		case f.Name > n:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return &s.Files[i]
}
