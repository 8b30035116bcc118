package view

import (
	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
)

// Valid prints what a project holds.
func Valid(o Output, prog *model.Program, tests, asserts int) error {
	if o.JSON {
		return writeJSON(o.W, map[string]any{
			"format_version": FormatVersion, "valid": true, "project": prog.Project, "tables": len(prog.Tables),
			"policies": len(prog.Policies), "guards": len(prog.Guards), "tests": tests, "asserts": asserts,
		})
	}
	p := &printer{Output: o}
	some := ""
	if asserts > 0 {
		some = ", " + plural(asserts, "assert")
	}
	p.printf("%s The project %s is valid: %s, %s, %s, %s%s.\n", p.paint(green, "ok"), safe(prog.Project),
		plural(len(prog.Tables), "table"), policies(len(prog.Policies)), plural(len(prog.Guards), "guard"), plural(tests, "test"), some)
	return p.err
}

func policies(n int) string {
	if n == 1 {
		return "1 policy"
	}
	return plural(n, "policie")
}

// Built lists the artifacts that were written.
func Built(o Output, dir string, artifacts []backend.Artifact) error {
	type file struct {
		Path  string `json:"path"`
		Bytes int    `json:"bytes"`
	}
	files := make([]file, len(artifacts))
	for i, a := range artifacts {
		files[i] = file{Path: a.Path, Bytes: len(a.Data)}
	}
	if o.JSON {
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "dir": dir, "artifacts": files})
	}
	p := &printer{Output: o}
	for _, f := range files {
		p.printf("%8d  %s\n", f.Bytes, safe(f.Path))
	}
	p.printf("\nWrote %s to %s.\n", plural(len(files), "artifact"), dir)
	return p.err
}
