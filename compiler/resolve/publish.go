package resolve

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// publishes makes the places that artifacts are brought to; only the project
// itself has them.
func (r *resolver) publishes() {
	blocks := map[string]source.Span{}
	for _, b := range r.syntax.Publishes {
		if !r.once("publish", &b.Header, blocks) {
			continue
		}
		p := &model.Publish{
			Name: b.Label(0), Description: r.description(b.Description, r.eval), Span: b.Span,
			Targets: []string{"rego"}, Wait: 2 * time.Minute,
		}
		if b.Targets != nil {
			p.Targets = r.published(b.Targets)
		}
		if d := r.timeout(b.Wait, r.eval); d != nil {
			p.Wait = time.Duration(*d) * time.Microsecond
		}
		opas := map[string]source.Span{}
		for _, part := range b.Parts {
			r.part(p, part, opas)
		}
		if p.Store == nil {
			r.diags.Fail(CodePublish, b.Span, "Nothing says where to publish to", "Add one of the blocks folder, git, http, oci, s3.")
		}
		if (p.Sign != nil || len(p.OPAs) > 0) && !slices.Contains(p.Targets, "rego") {
			r.diags.Fail(CodePublish, b.Span, "Only the target \"rego\" is signed and served by an OPA", "Add \"rego\" to targets, or remove the blocks sign and opa.")
		}
		r.program.Publishes = append(r.program.Publishes, p)
	}
	slices.SortFunc(r.program.Publishes, func(a, b *model.Publish) int { return strings.Compare(a.Name, b.Name) })
}

func (r *resolver) published(expr hcl.Expression) []string {
	list, ok := r.texts(expr, r.eval)
	if ok && len(list) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(expr), "Nothing is published", "Name \"rego\", \"json\" or both.")
	}
	var out []string
	for _, x := range list {
		switch {
		case x.text != "rego" && x.text != "json":
			r.diags.Fail(CodePublish, x.span, fmt.Sprintf("The target %q cannot be published", x.text), "Name \"rego\", \"json\" or both.")
		case slices.Contains(out, x.text):
			r.repeated(x.span, fmt.Sprintf("%q", x.text))
		default:
			out = append(out, x.text)
		}
	}
	return out
}

// part reads one of the blocks inside.
func (r *resolver) part(p *model.Publish, b *syntax.PublishPart, opas map[string]source.Span) {
	switch b.Kind {
	case "opa":
		if first, twice := opas[b.Label(0)]; twice {
			r.duplicate(b.Span, first, fmt.Sprintf("A second opa %q", b.Label(0)))
			return
		}
		opas[b.Label(0)] = b.Span
		token := r.secretOf(b, "token")
		p.OPAs = append(p.OPAs, &model.OPA{Name: b.Label(0), URL: r.webAddress(b, "url", token != nil), Token: token, Span: b.Span})
	case "sign":
		if p.Sign != nil {
			r.diags.Fail(CodePublish, b.Span, "A second sign block", "A bundle is signed with one key.")
			return
		}
		p.Sign = &model.Sign{
			Key: r.secretOf(b, "key"), ID: r.word(b, "id", ""),
			Algorithm: r.choice(CodePublish, b.Args["algorithm"], r.eval, "HS256", "HS256", "RS256", "ES256"),
		}
	default:
		if p.Store != nil {
			r.diags.Fail(CodePublish, b.Span, "A second place to publish to", "One publish block has one of folder, git, http, oci, s3. Write another publish block.")
			return
		}
		p.Store = r.store(b)
	}
}

func (r *resolver) store(b *syntax.PublishPart) model.Store {
	switch b.Kind {
	case "folder":
		return &model.Folder{Path: r.word(b, "path", "")}
	case "git":
		token := r.secretOf(b, "token")
		return &model.Git{URL: r.gitAddress(b, token != nil), Branch: r.word(b, "branch", "main"), Path: r.inside(b, "path"), Token: token}
	case "http":
		token := r.secretOf(b, "token")
		return &model.HTTP{URL: strings.TrimRight(r.webAddress(b, "url", token != nil), "/"), Token: token}
	case "oci":
		return &model.OCI{
			Repository: r.word(b, "repository", ""), Tag: r.word(b, "tag", "latest"), Username: r.optional(b, "username"),
			Password: r.secretOf(b, "password"), PlainHTTP: r.flag(b.Args["plain_http"], r.eval, false),
		}
	case "s3":
		return &model.S3{
			Endpoint: r.word(b, "endpoint", ""), Region: r.word(b, "region", "us-east-1"), Bucket: r.word(b, "bucket", ""),
			Prefix: r.inside(b, "prefix"), AccessKey: r.secretOf(b, "access_key"), SecretKey: r.secretOf(b, "secret_key"),
			PlainHTTP: r.flag(b.Args["plain_http"], r.eval, false),
		}
	}
	return nil
}

func (r *resolver) secretOf(b *syntax.PublishPart, name string) *model.Secret {
	if b.Args[name] == nil {
		return nil
	}
	return r.secret(b.Args[name], r.eval)
}

// word is a text that is not empty; otherwise where it is not written.
func (r *resolver) word(b *syntax.PublishPart, name, otherwise string) string {
	expr := b.Args[name]
	if expr == nil {
		return otherwise
	}
	s, ok := r.text(expr, r.eval)
	if ok && (s == "" || strings.ContainsFunc(s, func(c rune) bool { return c < ' ' })) {
		r.diags.Fail(CodePublish, syntaxSpan(expr), fmt.Sprintf("%s cannot be %q", name, s), "Write a text without control characters.")
	}
	return s
}

// inside is a folder in a repository or bucket; "" is its root.
func (r *resolver) inside(b *syntax.PublishPart, name string) string {
	s := r.word(b, name, ".")
	clean := path.Clean(s)
	if path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") || clean == ".git" || strings.HasPrefix(clean, ".git/") {
		r.diags.Fail(CodePublish, syntaxSpan(b.Args[name]), fmt.Sprintf("%q leads out of the place that is published to", s), "Write a relative path, such as \"policies/prod\".")
	}
	if clean == "." {
		return ""
	}
	return clean
}

// gitAddress is a URL, or the path of a repository.
func (r *resolver) gitAddress(b *syntax.PublishPart, secret bool) string {
	s := r.word(b, "url", "")
	if scheme, _, has := strings.Cut(s, "://"); has && scheme != "ssh" && scheme != "file" {
		return r.webAddress(b, "url", secret)
	}
	return s
}

// address is an http or https URL without secrets in it.
func (r *resolver) webAddress(b *syntax.PublishPart, name string, secret bool) string {
	s := r.word(b, name, "")
	expr := b.Args[name]
	if expr == nil || s == "" {
		return s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "":
		r.diags.Fail(CodePublish, syntaxSpan(expr), "This is no URL to publish to", "Write http://HOST/PATH or https://HOST/PATH.")
	case u.User != nil:
		r.diags.Add(diag.Diagnostic{
			Code: CodeSecret, Span: syntaxSpan(expr), Summary: "A secret stands in the URL",
			Detail: "Take it out of the URL, and name it with token = env(\"NAME\").", Secret: true,
		})
	case secret && u.Scheme == "http" && !loopback(u.Hostname()):
		r.diags.Fail(CodePublish, syntaxSpan(expr), "A token would go over the network in clear", "Write https.")
	}
	return s
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (r *resolver) optional(b *syntax.PublishPart, name string) string {
	if b.Args[name] == nil {
		return ""
	}
	return r.word(b, name, "")
}
