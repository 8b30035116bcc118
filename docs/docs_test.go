// Package docs holds the documentation. Its tests keep the pages true: every
// HCL example is compiled, its tests are run, and every link leads somewhere.
//
// A block marked `hcl` is a whole project, or is completed by the prelude that
// an HTML comment before it names: `<!-- prelude: crm -->` adds
// testdata/preludes/crm.hcl. It must compile without any diagnostic, and its
// test blocks must pass on the reference evaluator. `<!-- file: modules/x/main.hcl -->` makes the block after it that file of the
// next example's project. A block marked
// `hcl-error CODE` must give an error with that code. After
// `<!-- conditions: crm table.crm.deals -->` each code span in the table's
// column "examples" must be a condition on that table.
package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// example is one piece of HCL on a page.
type example struct {
	page    string
	line    int // of the first line of the text, counted from 1
	text    string
	prelude string // "": a whole project
	want    diag.Code
	files   []source.File // modules
}

var (
	preludeForm    = regexp.MustCompile(`^<!-- prelude: ([a-z_]+) -->$`)
	fileForm       = regexp.MustCompile(`^<!-- file: ([a-z_/.]+) -->$`)
	conditionsForm = regexp.MustCompile(`^<!-- conditions: ([a-z_]+) ([a-z_.]+) -->$`)
	testBlock      = regexp.MustCompile(`(?m)^test "`)
	fixturesBlock  = regexp.MustCompile(`(?m)^(fixtures|matrix|assert) `)
	codeSpan       = regexp.MustCompile("`([^`]+)`")
)

// pages are the documents, by their path relative to this folder.
func pages(t *testing.T) map[string][]string {
	t.Helper()
	names, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"../*.md", "../examples/*.md", "../examples/*/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, more...)
	}
	out := map[string][]string{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = strings.Split(string(data), "\n")
	}
	return out
}

// examples reads the fenced blocks and the tables of conditions of a page.
func examples(page string, lines []string) ([]example, error) {
	var out []example
	prelude, file := "", ""
	var files []source.File
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if m := preludeForm.FindStringSubmatch(line); m != nil {
			prelude = m[1]
			continue
		}
		if m := fileForm.FindStringSubmatch(line); m != nil {
			file = m[1]
			continue
		}
		if m := conditionsForm.FindStringSubmatch(line); m != nil {
			found, err := conditions(page, lines, i+1, m[1], m[2])
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
			continue
		}
		info, fenced := strings.CutPrefix(line, "```")
		if !fenced {
			if strings.TrimSpace(line) != "" && prelude != "" {
				return nil, fmt.Errorf("%s:%d: a prelude stands directly before its block", page, i+1)
			}
			continue
		}
		end := i + 1
		for end < len(lines) && lines[end] != "```" {
			end++
		}
		if end == len(lines) {
			return nil, fmt.Errorf("%s:%d: the block does not end", page, i+1)
		}
		e := example{page: page, line: i + 2, text: strings.Join(lines[i+1:end], "\n") + "\n", prelude: prelude}
		words := strings.Fields(info)
		if file == "" {
			e.files, files = files, nil
		}
		switch {
		case file != "" && info == "hcl":
			files = append(files, source.File{Name: file, Data: []byte(strings.Repeat("\n", e.line-1) + e.text)})
		case len(words) == 1 && words[0] == "hcl":
			out = append(out, e)
		case len(words) == 2 && words[0] == "hcl-error":
			e.want = diag.Code(words[1])
			out = append(out, e)
		case strings.HasPrefix(info, "hcl"), prelude != "":
			return nil, fmt.Errorf("%s:%d: %q marks no example", page, i+1, info)
		}
		prelude, file = "", ""
		i = end
	}
	return out, nil
}

// conditions reads the column "examples" of the table at a line.
func conditions(page string, lines []string, at int, prelude, table string) ([]example, error) {
	var out []example
	column := -1
	for i := at; i < len(lines) && strings.HasPrefix(lines[i], "|"); i++ {
		cells := strings.Split(strings.ReplaceAll(lines[i], `\|`, "\x00"), "|")
		if column < 0 {
			column = slices.IndexFunc(cells, func(c string) bool { return strings.TrimSpace(c) == "examples" })
			if column < 0 {
				return nil, fmt.Errorf("%s:%d: the table has no column %q", page, i+1, "examples")
			}
			continue
		}
		for n, m := range codeSpan.FindAllStringSubmatch(cells[column], -1) {
			text := fmt.Sprintf("policy \"example_%d_%d\" {\n  on    = [%s]\n  to    = [everyone]\n  allow = [view]\n  when  = %s\n}\n",
				i, n, table, strings.ReplaceAll(m[1], "\x00", "|"))
			out = append(out, example{page: page, line: i + 1, text: text, prelude: prelude})
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s:%d: no conditions follow", page, at)
	}
	return out, nil
}

// set is the project that an example stands for. The example keeps the lines
// that it has on its page, so that messages point there.
func (e example) set() (*source.Set, error) {
	name := strings.ReplaceAll(strings.TrimPrefix(e.page, "../"), "/", "_")
	if testBlock.MatchString(e.text) || fixturesBlock.MatchString(e.text) {
		name += ".test"
	}
	set := &source.Set{Dir: e.page, Files: []source.File{
		{Name: name + ".hcl", Data: []byte(strings.Repeat("\n", e.line-1) + e.text)},
	}}
	set.Files = append(set.Files, e.files...)
	if e.prelude != "" {
		data, err := os.ReadFile(filepath.Join("testdata", "preludes", e.prelude+".hcl"))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", e.page, e.line, err)
		}
		set.Files = append(set.Files, source.File{Name: "prelude.hcl", Data: data})
	}
	slices.SortFunc(set.Files, func(a, b source.File) int { return strings.Compare(a.Name, b.Name) })
	return set, nil
}

func TestExamples(t *testing.T) {
	t.Parallel()
	total := 0
	for page, lines := range pages(t) {
		found, err := examples(page, lines)
		if err != nil {
			t.Error(err)
			continue
		}
		total += len(found)
		for n, e := range found {
			t.Run(fmt.Sprintf("%s:%d/%d", page, e.line, n), func(t *testing.T) {
				t.Parallel()
				e.test(t)
			})
		}
	}
	if total < 50 {
		t.Errorf("found only %d examples", total)
	}
}

func (e example) test(t *testing.T) {
	set, err := e.set()
	if err != nil {
		t.Fatal(err)
	}
	program, suite, diags := compiler.CompileSuite(t.Context(), set, compiler.Inputs{})
	if e.want != "" {
		if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Severity == diag.Error && d.Code == e.want }) {
			t.Errorf("no error %s, but:\n%s", e.want, diags)
		}
		return
	}
	if len(diags) > 0 {
		t.Fatalf("%s\nin\n%s", diags, e.text)
	}
	e.claims(t, program, suite.Asserts)
	results, err := testrun.Run(t.Context(), program, suite.Tests, nil)
	if err != nil {
		t.Fatal(err)
	}
	if written := len(testBlock.FindAllString(e.text, -1)); len(results) < written || len(results)+len(suite.Asserts) == 0 && fixturesBlock.MatchString(e.text) {
		t.Errorf("%d of %d tests were run", len(results), written)
	}
	for _, r := range results {
		if r.Decisions == 0 {
			t.Errorf("test %q asks nothing", r.Name)
		}
		for _, f := range r.Failures {
			t.Errorf("%s: test %q: %s", f.Span, r.Name, f.Message)
		}
	}
}

// claims proves the example's asserts.
func (e example) claims(t *testing.T, p *model.Program, asserts []*model.Assert) {
	t.Helper()
	for _, a := range asserts {
		for _, n := range a.Never {
			f, err := access.Never(t.Context(), p, n, access.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if f.Outcome != access.Proven {
				t.Errorf("%s: assert %q: %s: %s %s %s", n.Span, a.Name, f.Claim, f.Outcome, f.Witness, f.Reason)
			}
		}
	}
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)
)

// anchors are the fragments that a page's headings have on the forge.
func anchors(lines []string) map[string]bool {
	out := map[string]bool{}
	fenced := false
	for _, line := range lines {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		title := strings.TrimLeft(line, "#")
		if fenced || title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		slug := dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
		out[strings.ReplaceAll(slug, " ", "-")] = true
	}
	return out
}

func TestLinks(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for page, lines := range all {
		for i, line := range lines {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
					continue
				}
				path, fragment, _ := strings.Cut(m[1], "#")
				target := page
				if path != "" {
					target = strings.TrimPrefix(filepath.Join(filepath.Dir(page), path), "../docs/")
				}
				if _, err := os.Stat(target); err != nil {
					t.Errorf("%s:%d: the link %s leads nowhere", page, i+1, m[1])
					continue
				}
				if fragment != "" && !anchors(all[target])[fragment] {
					t.Errorf("%s:%d: %s has no heading for #%s", page, i+1, target, fragment)
				}
			}
		}
	}
}
