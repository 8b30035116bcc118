package docs

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestReadmePlan makes the README's plan: its example, on a database where the
// policy was applied without its second half. The title, which names the
// server and the revision, is not compared. UPDATE_GOLDEN=1 fills the plan in.
func TestReadmePlan(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(page)
	source := between(t, readme, "```hcl\n", "```")
	shown := between(t, readme, "```text\n", "```")
	const second = " || record.region == user.region"
	if strings.Count(source, second) != 1 {
		t.Fatalf("the example has no%s", second)
	}

	dir := t.TempDir()
	copyFile(t, filepath.Join("testdata", "preludes", "crm.hcl"), filepath.Join(dir, "crm.hcl"))
	binary := filepath.Join(dir, "postern")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/postern").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	url := pgtest.Database(t)
	schema(t, url)
	postern := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "CRM_ADMIN_URL="+url, "CRM_DESK_PASSWORD=only for this test")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("postern %s: %v\n%s", strings.Join(args, " "), err, &stderr)
		}
		return string(out)
	}
	write(t, filepath.Join(dir, "policies.hcl"), strings.Replace(source, second, "", 1))
	postern("apply", "--auto-approve")
	write(t, filepath.Join(dir, "policies.hcl"), source)
	plan := postern("plan")

	if os.Getenv("UPDATE_GOLDEN") == "1" {
		write(t, "../README.md", strings.Replace(readme, shown, plan, 1))
		return
	}
	if diff := cmp.Diff(untitled(plan), untitled(shown)); diff != "" {
		t.Errorf("the README shows another plan (-made +shown); UPDATE_GOLDEN=1 fills it in:\n%s", diff)
	}
}

func between(t *testing.T, s, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(s, from)
	text, _, ends := strings.Cut(rest, to)
	if !ok || !ends {
		t.Fatalf("the README has no block %q", from)
	}
	return text
}

// untitled is a plan without its first line.
func untitled(plan string) string {
	_, rest, _ := strings.Cut(plan, "\n")
	return rest
}

func schema(t *testing.T, url string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "preludes", "crm.sql"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	if _, err := conn.Exec(t.Context(), string(text)); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, string(data))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
