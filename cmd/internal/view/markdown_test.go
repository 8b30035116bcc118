package view

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	htmlrenderer "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// hostile are names that would be markup, mentions or links if they could.
var hostile = []string{
	"<script>alert(1)</script>", "a`b", "`", "``x``", "```", "|", `\|`, `\`, "`|`", "a|b|c", "@everyone", "[x](https://example.invalid)",
	"https://example.invalid/x", "www.example.invalid", "![i](https://example.invalid/i.png)", "**bold**", "_em_", "<img src=x onerror=y>",
	"<!-- x", "-->", "</details>", "#1", "\n\n# heading", "\r\n", "<details>", "&lt;b&gt;", "$x$", "~~~", "| --- |", " lead", "\x1b[31m", "\u202egnp",
	"a@example.invalid", "~~~\n</pre>", "<https://example.invalid>", "x:smile:", "`` ` ``",
	"x|@everyone|<img src=x>|www.example.invalid", "x\\|@everyone|", "a`@everyone", "``a` @everyone `b``", "```\n<img src=x>\n@everyone", "``` ```` <img src=x>",
}

func hostileReport(names []string) *review.Report {
	r := &review.Report{Datasource: names[0], Before: review.Side{Kind: review.Applied, Revision: names[0], By: names[0]}, After: review.Side{Kind: review.Planned}}
	for i, n := range names {
		verdict := []access.Verdict{access.Wider, access.Narrower, access.Both, access.Undecided}[i%4]
		r.Changes = append(r.Changes, review.Change{Change: access.Change{
			Verdict: verdict, Subject: "user." + n, Action: model.Action(n), Table: "table." + n, Columns: []string{n, n}, Apps: []string{n}, Reason: n,
			Gained:  &access.Witness{User: map[string]any{n: n}, Record: model.Document{n: n}},
			Spans:   []source.Span{{File: n, Start: source.Pos{Line: 1}}},
			Removed: []access.Rule{{Object: n, Span: source.Span{File: n}}},
			Added:   []access.Rule{{Object: n}},
		}, Hash: "00"})
		r.ByHand = append(r.ByHand, review.ByHand{Verdict: verdict, Object: plan.Object{Kind: "policy", Name: n}, Action: plan.ActionRemove, Before: n})
	}
	return r
}

func hostilePlan(names []string) *plan.Plan {
	p := &plan.Plan{Project: names[0], Datasource: names[0], Fingerprint: "x"}
	for _, n := range names {
		p.Changes = append(p.Changes, plan.Add{About: plan.About{Object: plan.Object{Kind: "policy", Name: n}}, After: n})
		p.Statements = append(p.Statements, plan.Statement{SQL: "CREATE POLICY " + n})
	}
	return p
}

func markdownOf(t *testing.T, names []string) string {
	t.Helper()
	var b bytes.Buffer
	var refused []review.Refusal
	var approved []review.Approval
	for _, n := range names {
		approved = append(approved, review.Approval{Key: n, Line: 1, Commit: n, Author: n})
		refused = append(refused, review.Refusal{Change: n, Approve: n + " sha256:00"})
	}
	if err := PlansMarkdown(&b, []*plan.Plan{hostilePlan(names)}, []*review.Report{hostileReport(names)}, review.Outcome{Refused: refused, Approved: approved}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// rendered is the HTML that a forge makes of a comment, before it takes out
// what is dangerous.
func rendered(t *testing.T, markdown string) *html.Node {
	t.Helper()
	var b bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(htmlrenderer.WithUnsafe()))
	if err := md.Convert([]byte(markdown), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// ours are the elements that a comment is made of.
var ours = map[string]bool{
	"html": true, "head": true, "body": true, "h3": true, "p": true, "strong": true, "code": true, "table": true, "thead": true, "tbody": true,
	"tr": true, "th": true, "td": true, "br": true, "details": true, "summary": true, "pre": true, "ul": true, "li": true,
}

// TestHostileNamesInMarkdown: whatever a name holds stands inside of code, and
// each row of the table stays a row.
func TestHostileNamesInMarkdown(t *testing.T) {
	t.Parallel()
	for i := range hostile {
		names := append([]string{hostile[i]}, hostile...)
		doc := rendered(t, markdownOf(t, names))
		rows, details := 0, 0
		var walk func(n *html.Node, code bool)
		walk = func(n *html.Node, code bool) {
			switch n.Type {
			case html.ElementNode:
				if !ours[n.Data] {
					t.Errorf("with %q: an element %s %v", hostile[i], n.Data, n.Attr)
				}
				code = code || n.Data == "code"
				if n.Data == "details" {
					details++
				}
				if n.Data == "tr" {
					rows++
					if cells := len(children(n)); cells != 5 {
						t.Errorf("with %q: a row of %d cells", hostile[i], cells)
					}
				}
			case html.TextNode:
				for _, bad := range []string{"alert", "example.invalid", "@", "onerror", "smile", "bold"} {
					if !code && strings.Contains(n.Data, bad) {
						t.Errorf("with %q: outside of code: %q", hostile[i], n.Data)
					}
				}
			case html.CommentNode:
				if n.Data != " postern " {
					t.Errorf("with %q: a comment %q", hostile[i], n.Data)
				}
			case html.ErrorNode, html.DocumentNode, html.DoctypeNode, html.RawNode:
			}
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c, code)
			}
		}
		walk(doc, false)
		if want := 1 + 2*len(names); rows != want || details != 1 {
			t.Errorf("with %q: %d rows and %d details, want %d and 1", hostile[i], rows, details, want)
		}
	}
}

func children(n *html.Node) []*html.Node {
	var out []*html.Node
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == html.ElementNode {
			out = append(out, c)
		}
	}
	return out
}

// TestMarkdownFits: however much there is, a comment keeps its size, counts what
// is left out, and keeps what widens.
func TestMarkdownFits(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 5000 {
		names = append(names, fmt.Sprintf("%s %d", strings.Repeat("é`<", 50), i))
	}
	for _, n := range []int{1, 10, 100, 1000, 5000} {
		text := markdownOf(t, names[:n])
		if len(text) > maxMarkdown {
			t.Errorf("%d changes: %d bytes", n, len(text))
		}
		if !utf8.ValidString(text) || !strings.HasPrefix(text, Marker+"\n") || strings.Count(text, "<details>") != strings.Count(text, "</details>") {
			t.Errorf("%d changes: cut inside of something", n)
		}
		if text != markdownOf(t, names[:n]) {
			t.Errorf("%d changes: not the same bytes again", n)
		}
		if n >= 1000 {
			for _, want := range []string{"more changes in access, which are not listed here", "more, which are not shown here", "🔺 wider", fmt.Sprintf("⛔ **%d changes are not approved.**", n)} {
				if !strings.Contains(text, want) {
					t.Errorf("%d changes: nothing says %q", n, want)
				}
			}
			if strings.Contains(text, "🔽") {
				t.Error("what narrows is listed before all that widens")
			}
		}
	}
}

// TestMarkdownOfManyPlans: each datasource has its share.
func TestMarkdownOfManyPlans(t *testing.T) {
	t.Parallel()
	var plans []*plan.Plan
	var reports []*review.Report
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("%s %d", strings.Repeat("x", 100), i))
	}
	for i := range 40 {
		p, r := hostilePlan(names), hostileReport(names)
		p.Datasource, r.Datasource = fmt.Sprintf("ds%d", i), fmt.Sprintf("ds%d", i)
		plans, reports = append(plans, p), append(reports, r)
	}
	var b bytes.Buffer
	if err := PlansMarkdown(&b, plans, reports, review.Outcome{}); err != nil {
		t.Fatal(err)
	}
	if b.Len() > maxMarkdown {
		t.Errorf("%d bytes", b.Len())
	}
	for _, ds := range []string{"`datasource.ds0`", "`datasource.ds39`"} {
		if strings.Count(b.String(), ds) != 2 {
			t.Errorf("%s is there %d times", ds, strings.Count(b.String(), ds))
		}
	}
}
