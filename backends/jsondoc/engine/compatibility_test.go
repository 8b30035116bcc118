package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
)

// TestOlderDocuments holds what docs/targets.md promises of versions: the
// documents of testdata are never rewritten, and each version's are loaded.
func TestOlderDocuments(t *testing.T) {
	t.Parallel()
	for version := document.OldestSchemaVersion; version <= document.SchemaVersion; version++ {
		files, err := filepath.Glob(filepath.Join("testdata", fmt.Sprintf("v%d", version), "*.json"))
		if err != nil || len(files) == 0 {
			t.Errorf("version %d has no document in testdata: %v", version, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := engine.Load(bytes.TrimSpace(data)); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// TestOlderAnswers holds an older document to the answers it always gave.
func TestOlderAnswers(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("testdata", "v2", "game-backend.json"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	const moderator, player, suspended = "7b0e1f2a-0000-4000-8000-000000000001", "7b0e1f2a-0000-4000-8000-000000000002", "00000000-0000-4000-8000-0000000000af"
	for _, c := range []struct {
		user, group, action, of, level, strikes string
		want                                    bool
	}{
		{moderator, "moderators", "ban", player, "user", "3", true},
		{moderator, "moderators", "ban", player, "user", "2", false},
		{moderator, "moderators", "ban", player, "superuser", "3", false},
		{moderator, "moderators", "ban", moderator, "user", "3", false},
		{moderator, "moderators", "mute", player, "user", "0", true},
		{moderator, "lead_moderators", "ban", player, "user", "0", true},
		{moderator, "lead_moderators", "mute", player, "user", "0", true},
		{moderator, "club_officers", "view", player, "user", "3", false},
		{suspended, "moderators", "mute", player, "user", "3", false},
	} {
		got := e.Decide(
			&engine.Request{User: map[string]any{"id": c.user, "groups": []any{c.group}}},
			&engine.Question{
				Datasource: "moderation", Table: "player", Action: c.action,
				Old: map[string]any{"user_id": c.of, "level": c.level, "strikes": json.Number(c.strikes)},
			})
		if got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestUnknownVersions(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join("testdata", "v2", "game-backend.json"))
	if err != nil {
		t.Fatal(err)
	}
	current := fmt.Sprintf(`"schema_version":%d`, document.SchemaVersion)
	for version, want := range map[int]string{
		document.SchemaVersion + 1:       "newer",
		document.OldestSchemaVersion - 1: "no longer",
		-1:                               "no longer",
	} {
		changed := bytes.Replace(data, []byte(current), fmt.Appendf(nil, `"schema_version":%d`, version), 1)
		_, err := engine.Load(changed)
		var unknown *document.VersionError
		if !errors.As(err, &unknown) || unknown.Version != version || !strings.Contains(err.Error(), want) {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

// TestImports holds the engine to the standard library and the document: no
// HCL, no policy engine, no driver comes into a program with it.
func TestImports(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"github.com/postern-dev/postern/backends/jsondoc/document", "github.com/postern-dev/postern/backends/jsondoc/engine"}
	if got := strings.Fields(string(out)); !slices.Equal(got, want) {
		t.Errorf("the engine needs %v", got)
	}
}
