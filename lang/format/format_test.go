package format_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/lang/format"
	"github.com/postern-dev/postern/lang/source"
)

// TestFormat formats `NAME.hcl` and compares it with `NAME.hcl.want`.
func TestFormat(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "format.txtar")
	arch, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		out := &txtar.Archive{Comment: arch.Comment}
		for _, f := range arch.Files {
			if strings.HasSuffix(f.Name, ".want") {
				continue
			}
			got, _ := format.Format(source.File{Name: f.Name, Data: f.Data})
			out.Files = append(out.Files, f, txtar.File{Name: f.Name + ".want", Data: got})
		}
		if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := map[string]string{}
	for _, f := range arch.Files {
		want[f.Name] = string(f.Data)
	}
	for _, f := range arch.Files {
		if strings.HasSuffix(f.Name, ".want") {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			got, diags := format.Format(source.File{Name: f.Name, Data: f.Data})
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			if d := cmp.Diff(want[f.Name+".want"], string(got)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			again, _ := format.Format(source.File{Name: f.Name, Data: got})
			if d := cmp.Diff(string(got), string(again)); d != "" {
				t.Errorf("a second run changes it (-first +second):\n%s", d)
			}
		})
	}
}

func TestFormatLeavesBadFiles(t *testing.T) {
	t.Parallel()
	bad := []byte("a = \n")
	got, diags := format.Format(source.File{Name: "bad.hcl", Data: bad})
	if !diags.HasErrors() || string(got) != string(bad) {
		t.Errorf("got %q, %v", got, diags)
	}
}

func TestFormatLineEnds(t *testing.T) {
	t.Parallel()
	got, diags := format.Format(source.File{Name: "a.hcl", Data: []byte("\xef\xbb\xbfa=1\r\n\r\n\r\nb =  2   \r\n\n\n")})
	if want := "a = 1\n\nb = 2\n"; len(diags) > 0 || string(got) != want {
		t.Errorf("got %q, %v", got, diags)
	}
}

// FuzzFormat holds that a second run changes nothing, and that no file that
// could be read becomes one that cannot.
func FuzzFormat(f *testing.F) {
	f.Add([]byte("a = \"${b}\"\n# c\nx y {\n\n\n d=<<EOT\n  q  \nEOT\n}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		once, diags := format.Format(source.File{Name: "a.hcl", Data: data})
		if diags.HasErrors() {
			return
		}
		twice, diags := format.Format(source.File{Name: "a.hcl", Data: once})
		if diags.HasErrors() {
			t.Fatalf("%q became %q: %v", data, once, diags)
		}
		if string(once) != string(twice) {
			t.Errorf("%q became %q, then %q", data, once, twice)
		}
	})
}
