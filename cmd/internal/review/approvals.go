package review

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// ApprovalsFile is the file beside the project's sources in which changes are
// approved. It counts as it is committed.
const ApprovalsFile = "postern.approve"

// CodeApproval is for a line of ApprovalsFile that names no change.
const CodeApproval diag.Code = "approval-line" // a line of postern.approve that names no change

// Approval is one change that may pass a gate.
type Approval struct {
	Key string `json:"change"` // the change, as Change.Key writes it
	// Hash is that of what the change leads to; "" approves whatever this run
	// leads to, and is for the command line alone.
	Hash  string    `json:"hash,omitempty"`
	Until time.Time `json:"-"`              // the last day (UTC) on which it counts; zero: for ever
	Line  int       `json:"line,omitempty"` // in ApprovalsFile, from 1; 0 for the command line
	// Commit wrote the line, Author is whom it names for that; "" for the command
	// line, and where a shallow checkout does not tell.
	Commit string `json:"commit,omitempty"`
	Author string `json:"author,omitempty"`
}

// Outcome is what a gate says of changes.
type Outcome struct {
	Refused  []Refusal
	Approved []Approval // those that let changes pass
}

// Source says where an approval was given, and by whom.
func (a Approval) Source() string {
	switch {
	case a.Line == 0:
		return "--allow"
	case a.Commit == "":
		return fmt.Sprintf("%s:%d (the checkout is shallow: who committed it is not known)", ApprovalsFile, a.Line)
	}
	return fmt.Sprintf("%s:%d (%s in %s)", ApprovalsFile, a.Line, a.Author, a.Commit[:min(7, len(a.Commit))])
}

// String is the approval as a line of ApprovalsFile.
func (a Approval) String() string {
	s := a.Key
	if a.Hash != "" {
		s += " sha256:" + a.Hash
	}
	if !a.Until.IsZero() {
		s += " until " + a.Until.Format(time.DateOnly)
	}
	return s
}

// covers reports whether the approval is for a change, today.
func (a Approval) covers(key, hash string, now time.Time) bool {
	if a.Key != key || a.Hash != "" && a.Hash != hash {
		return false
	}
	return a.Until.IsZero() || now.Before(a.Until.AddDate(0, 0, 1))
}

// line is the change, its hash, and the day on which the approval ends.
var line = regexp.MustCompile(`^(.*\S)\s+sha256:([0-9a-f]{64})(?:\s+until\s+([0-9]{4}-[0-9]{2}-[0-9]{2}))?(?:\s+#.*)?$`)

// ParseApprovals reads ApprovalsFile: one change a line with its hash; empty
// lines and those that begin with # say nothing.
func ParseApprovals(data []byte) ([]Approval, diag.List) {
	var out []Approval
	var diags diag.List
	at := 0
	for i, text := range strings.Split(string(data), "\n") {
		start := at
		at += len(text) + 1
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		a, err := parseApproval(text)
		if err != nil {
			span := source.Span{File: ApprovalsFile, Start: source.Pos{Line: i + 1, Column: 1, Byte: start}, End: source.Pos{Line: i + 1, Column: len(text) + 1, Byte: start + len(text)}}
			diags.Fail(CodeApproval, span, "This line approves nothing", strings.ToUpper(err.Error()[:1])+err.Error()[1:])
			continue
		}
		a.Line = i + 1
		out = append(out, a)
	}
	return out, diags
}

func parseApproval(text string) (Approval, error) {
	m := line.FindStringSubmatch(text)
	if m == nil {
		return Approval{}, errors.New("a line is a change and its hash, as a refused run prints it: group.sales view table.crm.deals sha256:…")
	}
	a := Approval{Key: words(m[1]), Hash: m[2]}
	if m[3] != "" {
		until, err := time.Parse(time.DateOnly, m[3])
		if err != nil {
			return a, fmt.Errorf("%s is no day of the form 2026-12-31", m[3])
		}
		a.Until = until
	}
	return a, nil
}

// ParseAllow reads an approval of the command line: a change, with or without
// its hash.
func ParseAllow(text string) (Approval, error) {
	text = strings.TrimSpace(text)
	if strings.Contains(text, " sha256:") {
		return parseApproval(text)
	}
	if len(strings.Fields(text)) < 3 {
		return Approval{}, fmt.Errorf("--allow %q names no change such as 'group.sales view table.crm.deals'", text)
	}
	return Approval{Key: words(text)}, nil
}

// words puts one space between words.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }
