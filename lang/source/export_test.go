package source

import "context"

// Fetch is the files of a repository's root at a revision, read as from a
// server.
func Fetch(ctx context.Context, repo, ref string) ([]string, error) {
	tree, err := gitSource{repo: repo, ref: ref}.fetch(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range tree.Entries {
		out = append(out, e.Name)
	}
	return out, nil
}
