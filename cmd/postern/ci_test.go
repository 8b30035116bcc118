package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// invocation is a call of postern in a script, up to what ends a command.
var invocation = regexp.MustCompile(`(?m)(?:^|[\s;&|])postern (-C "\$[A-Z_]+" )?([a-z][^\n;&|>]*)`)

// TestCIFilesCallWhatThereIs: every command and flag in the files for CI
// systems, and in the guide, is one that postern has.
func TestCIFilesCallWhatThereIs(t *testing.T) {
	t.Parallel()
	least := map[string]int{
		"action.yml": 7, "templates/postern.yml": 7, ".pre-commit-hooks.yaml": 3, "docs/gitops.md": 7,
	}
	for name, want := range least {
		data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		texts := fenced(string(data))
		if !strings.HasSuffix(name, ".md") {
			texts = scalars(t, name, data)
		}
		calls := 0
		for _, text := range texts {
			for _, m := range invocation.FindAllStringSubmatch(text, -1) {
				calls++
				called(t, name, m[2])
			}
		}
		if calls < want {
			t.Errorf("%s calls postern %d times, want at least %d", name, calls, want)
		}
	}
}

// called checks one command line.
func called(t *testing.T, file, line string) {
	t.Helper()
	var args []string
	line, _, _ = strings.Cut(line, " #")
	for _, w := range strings.Fields(line) {
		args = append(args, strings.NewReplacer(`"`, "", `'`, "").Replace(w))
	}
	root := newRoot(&session{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: os.Getenv, environ: os.Environ})
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == root {
		t.Errorf("%s: postern %s: there is no such command", file, line)
		return
	}
	if err := parsed(cmd, rest); err != nil {
		t.Errorf("%s: postern %s: %v", file, line, err)
	}
}

func parsed(cmd *cobra.Command, args []string) error {
	if err := cmd.ParseFlags(args); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// scalars are all texts of a file of YAML, which must be well formed.
func scalars(t *testing.T, name string, data []byte) []string {
	t.Helper()
	var out []string
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			out = append(out, n.Value)
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	for {
		var n yaml.Node
		err := dec.Decode(&n)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		walk(&n)
	}
}

// fenced are the code blocks of a page.
func fenced(page string) []string {
	var out []string
	for i, part := range strings.Split(page, "```") {
		if i%2 == 1 {
			out = append(out, part)
		}
	}
	return out
}

// TestActionTakesNoInputAsText: an input stands in a script as a variable alone.
func TestActionTakesNoInputAsText(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Runs struct {
			Using string
			Steps []struct{ Run, Shell string }
		}
	}
	if err := yaml.Unmarshal(data, &action); err != nil {
		t.Fatal(err)
	}
	if action.Runs.Using != "composite" || len(action.Runs.Steps) == 0 {
		t.Errorf("%+v", action.Runs)
	}
	for _, s := range action.Runs.Steps {
		if strings.Contains(s.Run, "${{") {
			t.Errorf("a script is put together from expressions:\n%s", s.Run)
		}
		if s.Run != "" && s.Shell == "" {
			t.Error("a script of a composite action names its shell")
		}
	}
}

// TestContainerfile: what it copies and builds is there, with the Go of go.mod.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))[1]
	text := string(data)
	for _, want := range []string{"golang:" + version + " ", "./cmd/postern", "USER 10001"} {
		if !strings.Contains(text, want) {
			t.Errorf("the Containerfile has no %q", want)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^COPY ([^-].*) \./?$`).FindAllStringSubmatch(text, -1) {
		for _, name := range strings.Fields(m[1]) {
			if _, err := os.Stat(filepath.Join("..", "..", name)); err != nil {
				t.Error(err)
			}
		}
	}
}
