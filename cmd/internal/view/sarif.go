package view

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/postern-dev/postern/lang/source"
)

// SARIF is what one command found, for programs that collect the findings of
// many tools (OASIS Static Analysis Results Interchange Format, 2.1.0).
type SARIF struct {
	Version string // of Postern
	// Folder is where the project stands in its repository, slash-separated;
	// "" for the root. Spans are relative to the project, results to the
	// repository.
	Folder  string
	Rules   []SARIFRule // every rule that was asked; Write sorts them by ID
	Results []SARIFResult
}

// SARIFLevel is how bad a result is.
type SARIFLevel string

// The levels (SARIF 2.1.0, section 3.27.10).
const (
	SARIFError   SARIFLevel = "error"
	SARIFWarning SARIFLevel = "warning"
	SARIFNote    SARIFLevel = "note"
)

// SARIFRule is a rule that results are about.
type SARIFRule struct {
	ID      string
	Summary string // one sentence
	Reason  string // why it matters; may be empty
	HelpURL string // may be empty
	Level   SARIFLevel
	Tags    []string
}

// SARIFResult is one finding.
type SARIFResult struct {
	Rule    string // the ID of one of the rules
	Level   SARIFLevel
	Message string
	Span    source.Span // zero: none
	// Object names what the finding is about outside of the source, such as a
	// table of a database; may be empty.
	Object string
	// Suppressed is why the finding is accepted; "" where it is not.
	Suppressed string
	Related    []SARIFRelated
	Properties map[string]any
}

// SARIFRelated is a second place with a part in a result.
type SARIFRelated struct {
	Span    source.Span
	Message string
}

// Write prints the log. The same findings always give the same bytes.
func (s SARIF) Write(w io.Writer) error {
	rules := slices.SortedFunc(slices.Values(s.Rules), func(a, b SARIFRule) int { return strings.Compare(a.ID, b.ID) })
	driver := sarifDriver{Name: "postern", Version: s.Version, URI: "https://github.com/postern-dev/postern", Rules: []sarifRule{}}
	index := map[string]int{}
	for i, r := range rules {
		index[r.ID] = i
		rule := sarifRule{ID: r.ID, Short: sarifText{r.Summary}, HelpURI: r.HelpURL, Default: sarifConfiguration{r.Level}}
		if r.Reason != "" {
			rule.Full, rule.Help = &sarifText{r.Reason}, &sarifText{r.Reason}
		}
		if len(r.Tags) > 0 {
			rule.Properties = map[string]any{"tags": r.Tags}
		}
		driver.Rules = append(driver.Rules, rule)
	}
	run := sarifRun{Tool: sarifTool{driver}, ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	for _, r := range s.Results {
		run.Results = append(run.Results, s.result(r, index))
	}
	slices.SortStableFunc(run.Results, func(a, b sarifResult) int {
		return cmp.Or(strings.Compare(a.Rule, b.Rule), strings.Compare(a.Message.Text, b.Message.Text))
	})
	return writeJSON(w, sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func (s SARIF) result(r SARIFResult, index map[string]int) sarifResult {
	// What stays the same when lines move: the rule, the object and the file.
	sum := sha256.Sum256([]byte(r.Rule + "\x00" + r.Object + "\x00" + r.Span.File + "\x00" + r.Message))
	out := sarifResult{
		Rule: r.Rule, Level: r.Level, Message: sarifText{r.Message}, Properties: r.Properties,
		Fingerprints: map[string]string{"postern/v1": hex.EncodeToString(sum[:16])},
	}
	if i, known := index[r.Rule]; known {
		out.Index = &i
	}
	if r.Suppressed != "" {
		out.Suppressions = []sarifSuppression{{Kind: "inSource", Justification: r.Suppressed}}
	}
	location := sarifLocation{Physical: s.physical(r.Span)}
	if r.Object != "" {
		location.Logical = []sarifLogical{{Name: r.Object}}
	}
	if location.Physical != nil || location.Logical != nil {
		out.Locations = []sarifLocation{location}
	}
	for _, x := range r.Related {
		if at := s.physical(x.Span); at != nil {
			out.Related = append(out.Related, sarifLocation{ID: len(out.Related) + 1, Physical: at, Message: &sarifText{x.Message}})
		}
	}
	return out
}

// physical is a place in the source; nil for none, and for a file that stands
// outside of the project.
func (s SARIF) physical(at source.Span) *sarifPhysical {
	if at.IsZero() || path.IsAbs(at.File) {
		return nil
	}
	out := &sarifPhysical{Artifact: sarifArtifact{URI: uriPath(path.Join(s.Folder, at.File)), Base: "%SRCROOT%"}}
	if at.Start.Line > 0 {
		out.Region = &sarifRegion{StartLine: at.Start.Line, StartColumn: at.Start.Column, EndLine: at.End.Line, EndColumn: at.End.Column}
	}
	return out
}

// uriPath is a path as a relative reference (RFC 3986, section 4.2).
func uriPath(name string) string {
	var b strings.Builder
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/!$&'()*+,;=@"
	for i := range len(name) {
		if strings.IndexByte(plain, name[i]) >= 0 {
			b.WriteByte(name[i])
		} else {
			b.WriteString("%" + strings.ToUpper(hex.EncodeToString([]byte{name[i]})))
		}
	}
	return b.String()
}

type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		URI     string      `json:"informationUri"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID         string             `json:"id"`
		Short      sarifText          `json:"shortDescription"`
		Full       *sarifText         `json:"fullDescription,omitempty"`
		Help       *sarifText         `json:"help,omitempty"`
		HelpURI    string             `json:"helpUri,omitempty"`
		Default    sarifConfiguration `json:"defaultConfiguration"`
		Properties map[string]any     `json:"properties,omitempty"`
	}
	sarifConfiguration struct {
		Level SARIFLevel `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		Rule         string             `json:"ruleId"`
		Index        *int               `json:"ruleIndex,omitempty"`
		Level        SARIFLevel         `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations,omitempty"`
		Related      []sarifLocation    `json:"relatedLocations,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   map[string]any     `json:"properties,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
	sarifLocation struct {
		ID       int            `json:"id,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
	}
)
