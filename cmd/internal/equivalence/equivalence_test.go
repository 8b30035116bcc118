package equivalence_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/postern-dev/postern/cmd/internal/equivalence"
	"github.com/postern-dev/postern/cmd/internal/targets"
)

// setting is a number from the environment.
func setting(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestEnginesAgree has random programs answered by all engines.
// EQUIVALENCE_DECISIONS and EQUIVALENCE_SEED ask for more, and for others.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	total, found, err := equivalence.Run(t.Context(), equivalence.Options{
		Seed: setting(t, "EQUIVALENCE_SEED", 1), Budget: setting(t, "EQUIVALENCE_DECISIONS", 20_000), PerProgram: 600, Names: targets.Names(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *total)
	report(t, found)
}

// report fails the test with a disagreement, as small as it can be.
func report(t *testing.T, found *equivalence.Found) {
	t.Helper()
	if found == nil {
		return
	}
	small, err := found.Shrunk(t.Context())
	if err != nil {
		t.Error(err)
	}
	if small == "" {
		small = found.Source
	}
	t.Errorf("seed %d: %v\n%s", found.Seed, found.Disagreement, small)
}

// TestFiltersAgree has random programs whose tables all ask for data filters
// answered by Postgres under its policies, and by what OPA's Compile API makes of
// the filters: SQL on the same rows, and UCAST.
func TestFiltersAgree(t *testing.T) {
	t.Parallel()
	total, found, err := equivalence.Run(t.Context(), equivalence.Options{
		Seed: setting(t, "EQUIVALENCE_SEED", 1), Budget: setting(t, "EQUIVALENCE_DECISIONS", 10_000), PerProgram: 400,
		Names: []string{"postgres", "rego"}, Filters: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *total)
	if total.Targets["filters"] == 0 {
		t.Error("no filter was asked for")
	}
	report(t, found)
}
