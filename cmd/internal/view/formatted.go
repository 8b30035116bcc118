package view

import "strings"

// FormattedFile is a file that was not in canonical form.
type FormattedFile struct {
	Path string `json:"path"`
	Diff string `json:"diff,omitempty"` // unified
}

// Formatted lists the files that were changed, or with check would be.
func Formatted(o Output, files []FormattedFile, check bool) error {
	if o.JSON {
		if files == nil {
			files = []FormattedFile{}
		}
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "check": check, "files": files})
	}
	p := &printer{Output: o}
	for _, f := range files {
		if f.Diff == "" {
			p.printf("%s\n", safeLine(f.Path))
			continue
		}
		for line := range strings.Lines(f.Diff) {
			color := ""
			switch {
			case strings.HasPrefix(line, "+"):
				color = green
			case strings.HasPrefix(line, "-"):
				color = red
			case strings.HasPrefix(line, "@@"), strings.HasPrefix(line, "diff "):
				color = dim
			}
			p.printf("%s\n", p.paint(color, safeLine(strings.TrimSuffix(line, "\n"))))
		}
	}
	return p.err
}

// Made lists the files of a new project.
func Made(o Output, dir, template string, files []string) error {
	if o.JSON {
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "dir": dir, "template": template, "files": files})
	}
	p := &printer{Output: o}
	for _, f := range files {
		p.printf("  %s %s\n", p.paint(green, "+"), safeLine(f))
	}
	where := "in " + safeLine(dir)
	if dir == "." {
		where = "here"
	}
	p.printf("\nMade a project after the template %s %s.\n\n", template, where)
	p.printf("  postern validate   %s\n", p.paint(dim, "checks it"))
	p.printf("  postern test       %s\n", p.paint(dim, "runs its tests"))
	p.printf("  README.md          %s\n", p.paint(dim, "says what it shows and how to load its database"))
	return p.err
}

// Pulled prints table blocks, or says which file holds them.
func Pulled(o Output, file, text string, tables, notes int) error {
	if o.JSON {
		return writeJSON(o.W, map[string]any{
			"format_version": FormatVersion, "file": file, "tables": tables, "notes": notes, "hcl": text,
		})
	}
	p := &printer{Output: o}
	if file == "" {
		p.printf("%s", text)
		return p.err
	}
	p.printf("Wrote %s to %s.\n", plural(tables, "table"), safeLine(file))
	return p.err
}
