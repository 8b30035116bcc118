package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/postern-dev/postern/compiler/model"
)

// The media types of an artifact's layers. OPA takes the first layer of the
// bundle's type from a registry.
const (
	artifactType = "application/vnd.postern.release.v1"
	bundleType   = "application/vnd.oci.image.layer.v1.tar+gzip"
	fileType     = "application/octet-stream"
	bundleFile   = "bundle.tar.gz"
)

// registry is a tag of a repository. All files are layers of one artifact, so
// that the tag moves from one release to the next as a whole.
type registry struct {
	repo *remote.Repository
	tag  string
	was  digest.Digest // of the tag when the manifest was read last; "": it was not there
	read bool          // the manifest was asked for
}

func openRegistry(at *model.OCI, password string) (*registry, error) {
	repo, err := remote.NewRepository(at.Repository)
	if err != nil {
		return nil, fmt.Errorf("the repository: %w", err)
	}
	repo.PlainHTTP = at.PlainHTTP
	client := &auth.Client{Client: &http.Client{}}
	if password != "" {
		client.Credential = auth.StaticCredential(repo.Reference.Registry, auth.Credential{Username: at.Username, Password: password})
	}
	repo.Client = client
	return &registry{repo: repo, tag: at.Tag}, nil
}

func (r *registry) Get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tagged, text, err := oras.FetchBytes(ctx, r.repo, r.tag, oras.FetchBytesOptions{MaxBytes: maxFile})
	if name == ManifestName && (err == nil || errors.Is(err, errdef.ErrNotFound)) {
		r.read, r.was = true, tagged.Digest
	}
	if err != nil {
		return nil, failedAt("reading", name, err)
	}
	layers, err := layersOf(text)
	if err != nil {
		return nil, final{err}
	}
	for _, l := range layers {
		if l.Annotations[ocispec.AnnotationTitle] != name {
			continue
		}
		data, err := content.FetchAll(ctx, r.repo, l)
		if err != nil {
			return nil, failedAt("reading", name, err)
		}
		return data, nil
	}
	return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// Put pushes the artifact and then moves the tag, if it is where it was. The
// protocol of registries has no condition for that: of two who move it within the
// same moment the later one wins, and the other finds that when it reads back.
func (r *registry) Put(ctx context.Context, files []File) error {
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	local := memory.New()
	var layers []ocispec.Descriptor
	for _, f := range files {
		l := ocispec.Descriptor{
			MediaType: fileType, Digest: digest.FromBytes(f.Data), Size: int64(len(f.Data)),
			Annotations: map[string]string{ocispec.AnnotationTitle: f.Path},
		}
		if f.Path == bundleFile {
			l.MediaType = bundleType
		}
		if err := local.Push(ctx, l, reader(f.Data)); err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
			return final{fmt.Errorf("publishing %s: %w", f.Path, err)}
		}
		layers = append(layers, l)
	}
	root, err := oras.PackManifest(ctx, local, oras.PackManifestVersion1_1, artifactType, oras.PackManifestOptions{
		Layers: layers,
		// No time: the same release is the same artifact.
		ManifestAnnotations: map[string]string{ocispec.AnnotationCreated: "1970-01-01T00:00:00Z"},
	})
	if err != nil {
		return final{fmt.Errorf("publishing: %w", err)}
	}
	if err := oras.CopyGraph(ctx, local, r.repo, root, oras.DefaultCopyGraphOptions); err != nil {
		return failedAt("publishing", "to the registry", err)
	}
	now, err := r.repo.Resolve(ctx, r.tag)
	if err != nil && !errors.Is(err, errdef.ErrNotFound) {
		return failedAt("publishing", "to the registry", err)
	}
	if r.read && now.Digest != r.was && now.Digest != root.Digest {
		return final{ErrMoved}
	}
	if err := r.repo.Tag(ctx, root, r.tag); err != nil {
		return failedAt("publishing", "to the registry", err)
	}
	return nil
}

func failedAt(doing, name string, err error) error {
	var answer *errcode.ErrorResponse
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		return fmt.Errorf("%s %s: %w", doing, name, fs.ErrNotExist)
	case errors.As(err, &answer) && answer.StatusCode < http.StatusInternalServerError && answer.StatusCode != http.StatusTooManyRequests:
		return final{fmt.Errorf("%s %s: the registry answers %d %s", doing, name, answer.StatusCode, http.StatusText(answer.StatusCode))}
	}
	return fmt.Errorf("%s %s: %w", doing, name, err)
}

// layersOf reads the layers of an artifact's manifest.
func layersOf(text []byte) ([]ocispec.Descriptor, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return m.Layers, nil
}
