package explain

import (
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/lang/source"
)

// Archive reads the project of a case.
func Archive(t *testing.T, path string) *source.Set {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	set := &source.Set{}
	for _, f := range txtar.Parse(data).Files {
		if source.IsSource(f.Name) && !strings.HasSuffix(f.Name, ".test.hcl") {
			set.Files = append(set.Files, source.File{Name: f.Name, Data: f.Data})
		}
	}
	slices.SortFunc(set.Files, func(a, b source.File) int { return strings.Compare(a.Name, b.Name) })
	return set
}
