package view

import (
	"regexp"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
)

// leadingTabs are those that lay out a statement; any other tab is shown as
// what it is.
var leadingTabs = regexp.MustCompile(`(?m)^\t+`)

// statementText is a statement for a reader, with its semicolon.
func statementText(s plan.Statement) string {
	return safe(leadingTabs.ReplaceAllStringFunc(s.Text(), func(tabs string) string { return strings.Repeat("  ", len(tabs)) })) + ";"
}
