package throwaway

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFinder(t *testing.T) {
	t.Parallel()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(root, name) }
	for _, dir := range []string{"pg/9/bin", "pg/15/bin", "pg/16/bin", "named", "whole"} {
		install(t, at(dir), "initdb", "postgres")
	}
	install(t, at("pg/17/bin"), "psql") // a client alone is no server
	install(t, at("half"), "initdb")
	links := at("links")
	if err := os.Mkdir(links, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"initdb", "postgres"} {
		if err := os.Symlink(at("whole/"+name), filepath.Join(links, name)); err != nil {
			t.Fatal(err)
		}
	}
	list := func(dirs ...string) string {
		var path string
		for _, d := range dirs {
			path += at(d) + string(filepath.ListSeparator)
		}
		return path
	}
	globs := []string{at("none/*/bin"), at("pg/*/bin")}
	tests := []struct {
		name, explicit, env, path string
		globs                     []string
		want                      string
		looked                    []string
	}{
		{name: "named wins", explicit: at("named"), env: at("whole"), path: list("links"), globs: globs, want: at("named")},
		{name: "environment wins over PATH", env: at("named"), path: list("links"), globs: globs, want: at("named")},
		{name: "PATH wins over the usual places", path: list("half", "links"), globs: globs, want: at("whole")},
		{name: "newest of the usual places", path: list("half"), globs: globs, want: at("pg/16/bin")},
		{name: "named is not replaced", explicit: at("half"), path: list("links"), globs: globs, looked: []string{at("half")}},
		{name: "environment is not replaced", env: at("half"), path: list("links"), globs: globs, looked: []string{at("half")}},
		{name: "nowhere", path: list("half"), globs: globs[:1], looked: []string{"PATH", at("none/*/bin")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := finder{getenv: func(string) string { return tt.env }, path: tt.path, globs: tt.globs}
			got, err := f.dir(tt.explicit)
			if got != tt.want {
				t.Errorf("found %q, want %q (%v)", got, tt.want, err)
			}
			var missing *NotFoundError
			if errors.As(err, &missing) != (tt.looked != nil) {
				t.Fatalf("error: %v", err)
			}
			if missing != nil {
				if diff := cmp.Diff(tt.looked, missing.Looked); diff != "" {
					t.Errorf("places named (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func install(t *testing.T, dir string, names ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
