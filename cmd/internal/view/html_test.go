package view

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/audit"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/compiler/explain"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// pageElements are all that a report is made of: nothing that runs or loads.
var pageElements = map[string]bool{
	"html": true, "head": true, "meta": true, "title": true, "style": true, "body": true, "header": true, "nav": true, "main": true, "section": true,
	"h1": true, "h2": true, "h3": true, "a": true, "p": true, "div": true, "table": true, "thead": true, "tbody": true, "tr": true, "th": true,
	"td": true, "code": true, "pre": true, "details": true, "summary": true, "ul": true, "li": true,
}

// pageAttributes are all the attributes of a report.
var pageAttributes = map[string]bool{
	"lang": true, "charset": true, "http-equiv": true, "content": true, "name": true, "aria-label": true, "aria-labelledby": true, "href": true,
	"id": true, "class": true, "tabindex": true, "role": true, "scope": true, "title": true,
}

func hostileReportPage(names []string) HTMLReport {
	m := &explain.Matrix{}
	for _, n := range names {
		m.Entries = append(m.Entries, explain.MatrixEntry{Title: n, Tables: []string{n}, Rows: []explain.MatrixRow{
			{Subject: n, Cells: [][]explain.MatrixCell{{{Action: model.Action(n), When: n}, {Action: "view", When: "true"}}}},
		}})
	}
	r := hostileReport(names)
	r.Undecided = names[0]
	var findings []audit.Finding
	for _, n := range names {
		findings = append(findings, audit.Finding{
			Rule: "grant-public", Severity: audit.Critical, Object: plan.Object{Kind: "table", Name: n}, Who: []string{n}, Effect: n, Fix: []string{n, n},
			Span: source.Span{File: n, Start: source.Pos{Line: 1}},
		})
	}
	audited := NewAudited(names[0], &audit.Report{Database: names[0], Server: names[0], Findings: findings, Unseen: names}, "never")
	return HTMLReport{
		Audits:  []Audited{audited},
		Project: strings.Join(names, ""), Revision: names[0], Matrix: m, Plans: []*plan.Plan{hostilePlan(names)}, Reports: []*review.Report{r},
	}
}

// TestHostileNamesInHTML: names are text, and the page neither runs nor loads
// anything.
func TestHostileNamesInHTML(t *testing.T) {
	t.Parallel()
	names := append([]string{`"><script>alert(1)</script>`, `' onmouseover='x`, `javascript:alert(1)`, `</style><img src=x>`, `</title><b>`, `{{.}}`}, hostile...)
	var b bytes.Buffer
	if err := WriteHTML(&b, hostileReportPage(names)); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	style, policy, summaries := "", "", 0
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch n.Type {
		case html.ElementNode:
			if !pageElements[n.Data] {
				t.Errorf("an element %s %v", n.Data, n.Attr)
			}
			for _, a := range n.Attr {
				if !pageAttributes[a.Key] || a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
					t.Errorf("an attribute %s=%q of %s", a.Key, a.Val, n.Data)
				}
			}
			switch n.Data {
			case "style":
				style = n.FirstChild.Data
			case "summary":
				summaries++
			case "meta":
				if len(n.Attr) > 1 && n.Attr[0].Val == "Content-Security-Policy" {
					policy = n.Attr[1].Val
				}
			}
		case html.CommentNode:
			t.Errorf("a comment %q", n.Data)
		case html.TextNode, html.ErrorNode, html.DocumentNode, html.DoctypeNode, html.RawNode:
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
	if want := 3*len(names) + 2; summaries != want {
		t.Errorf("%d summaries, want %d", summaries, want)
	}
	sum := sha256.Sum256([]byte(style))
	if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"; policy != want {
		t.Errorf("the policy is %q, want %q", policy, want)
	}
	for _, bad := range []string{"http:", "https:", "url(", "@import"} {
		if strings.Contains(style, bad) {
			t.Errorf("the style has %q", bad)
		}
	}
}
