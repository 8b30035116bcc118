package resolve

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/lang/source"
)

var projectForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,40}$`)

// settings reads the `postern` block.
func (r *resolver) settings() {
	blocks := r.syntax.Settings
	if len(blocks) == 0 {
		r.diags.Fail(CodeProject, source.Span{}, "The project has no name",
			"Add a block `postern { project = \"NAME\" }`: every object that the project creates is marked with its name.")
		return
	}
	for _, b := range blocks[1:] {
		r.duplicate(b.Span, blocks[0].Span, "A second postern block")
	}
	b := blocks[0]
	r.program.Span = b.Span
	if b.RequiredVersion != nil {
		if want, ok := r.text(b.RequiredVersion, r.eval); ok {
			r.version(want, syntaxSpan(b.RequiredVersion))
		}
	}
	if b.HashKey != nil {
		r.program.HashKey = r.secret(b.HashKey, r.eval)
	}
	if b.Project == nil {
		r.diags.Fail(CodeProject, b.Span, "The project has no name",
			"Add `project = \"NAME\"`: every object that the project creates is marked with its name.")
		return
	}
	name, ok := r.text(b.Project, r.eval)
	if !ok {
		return
	}
	if !projectForm.MatchString(name) {
		r.diags.Fail(CodeProject, syntaxSpan(b.Project), "The project's name is not a valid one",
			"It must begin with a small letter and have at most 41 small letters, digits, `_` and `-`.")
		return
	}
	r.program.Project = name
}

var constraintForm = regexp.MustCompile(`^(=|!=|>=|<=|>|<|~>)?\s*v?(\d{1,6}(?:\.\d{1,6}){0,2})$`)

// version checks a constraint such as ">= 0.1, < 2", with Terraform's meaning.
func (r *resolver) version(want string, span source.Span) {
	have, known := versionParts(r.in.Version)
	for _, term := range strings.Split(want, ",") {
		m := constraintForm.FindStringSubmatch(strings.TrimSpace(term))
		if m == nil {
			r.diags.Fail(CodeProject, span, fmt.Sprintf("%q is not a version constraint", want),
				"Write something like `\">= 0.1\"` or `\">= 0.1, < 2.0\"`.")
			return
		}
		limit, _ := versionParts(m[2])
		if known && !satisfies(have, m[1], limit, strings.Count(m[2], ".")+1) {
			r.diags.Fail(CodeProject, span, fmt.Sprintf("The project needs Postern %s, and this is %s", want, r.in.Version),
				"Install a version that fits, or change required_version.")
			return
		}
	}
}

func versionParts(s string) (v [3]int, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "v"), "-")
	s, _, _ = strings.Cut(s, "+")
	parts := strings.Split(s, ".")
	if len(parts) > 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return v, false
		}
		v[i] = n
	}
	return v, true
}

func satisfies(have [3]int, op string, limit [3]int, parts int) bool {
	c := 0
	for i := range have {
		if c = have[i] - limit[i]; c != 0 {
			break
		}
	}
	switch op {
	case ">=":
		return c >= 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case "<":
		return c < 0
	case "!=":
		return c != 0
	case "~>":
		// Only the last stated part may grow.
		for i := range max(parts-1, 1) {
			if have[i] != limit[i] {
				return false
			}
		}
		return c >= 0
	}
	return c == 0
}
