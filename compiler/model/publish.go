package model

import (
	"time"

	"github.com/postern-dev/postern/lang/source"
)

// Publish is a place that artifacts are brought to by apply. It has no part in
// any decision.
type Publish struct {
	Name        string
	Description string
	Targets     []string // "rego", "json": whose artifacts
	Store       Store
	Sign        *Sign // nil: the bundle is not signed
	OPAs        []*OPA
	Wait        time.Duration // how long apply waits for all OPAs
	Span        source.Span
}

// Sign says what signs a bundle.
type Sign struct {
	Key       *Secret
	ID        string // what OPA's configuration calls the key
	Algorithm string // HS256, RS256 or ES256
}

// OPA is a running OPA that must serve what was published.
type OPA struct {
	Name  string
	URL   string  // http or https, without a path
	Token *Secret // nil: none
	Span  source.Span
}

// Store is where artifacts are put: Folder, Git, HTTP, OCI or S3.
//
//sumtype:decl
type Store interface{ store() }

type (
	// Folder is a folder of this machine, relative to the project's.
	Folder struct{ Path string }
	// Git is a branch of a repository; Path is a folder in it, "" its root.
	Git struct {
		URL, Branch, Path string
		Token             *Secret // nil: none
	}
	// HTTP is a URL below which files are read with GET and written with PUT.
	HTTP struct {
		URL   string
		Token *Secret // nil: none
	}
	// OCI is a tag of a repository in a registry, such as
	// "registry.example.com/acme/policies".
	OCI struct {
		Repository, Tag, Username string
		Password                  *Secret // nil: anonymous
		PlainHTTP                 bool
	}
	// S3 is a prefix in a bucket of an S3-compatible server.
	S3 struct {
		Endpoint, Region, Bucket, Prefix string
		AccessKey, SecretKey             *Secret
		PlainHTTP                        bool
	}
)

func (*Folder) store() {}
func (*Git) store()    {}
func (*HTTP) store()   {}
func (*OCI) store()    {}
func (*S3) store()     {}

// StoreString names a store for a reader, without secrets.
func StoreString(s Store) string {
	switch x := s.(type) {
	case *Folder:
		return "folder " + x.Path
	case *Git:
		return "git " + x.URL + " branch " + x.Branch
	case *HTTP:
		return x.URL
	case *OCI:
		return "oci " + x.Repository + ":" + x.Tag
	case *S3:
		return "s3 " + x.Endpoint + "/" + x.Bucket + "/" + x.Prefix
	}
	return ""
}
