package plan_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/lang/source"
)

func sample() *plan.Plan {
	role := plan.Object{Kind: "role", Name: `"<reps> & \"co\""`}
	span := source.Span{File: "crm.hcl", Start: source.Pos{Line: 12, Column: 1, Byte: 88}, End: source.Pos{Line: 14, Column: 2, Byte: 120}}
	return &plan.Plan{
		Project: "acme", Revision: "3f2c1e9", Created: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), Datasource: "crm",
		Server: "PostgreSQL 15.18", ServerVersion: 150018, Database: "crm", Fingerprint: "ab12",
		Changes: []plan.Change{
			plan.Add{About: plan.About{Object: role, Span: span}, After: "LOGIN"},
			plan.Modify{About: plan.About{Object: plan.Object{Kind: "policy", Name: `"p" on "public"."deals"`}, Span: span}, Before: "a", After: "b"},
			plan.Remove{About: plan.About{Object: plan.Object{Kind: "grant", Name: "DELETE"}, Reason: plan.ReasonDrift}, Before: "x"},
		},
		Scope: plan.Scope{
			Tables: []plan.TableName{{Schema: "public", Name: "deals"}}, Schemas: []string{"public"}, Roles: []string{"r"},
			Generated: []plan.GeneratedName{{TableName: plan.TableName{Schema: "postern", Name: "groups"}, Columns: []string{"a"}}},
		},
		LockTables: []string{`"public"."deals"`},
		Statements: []plan.Statement{
			{SQL: `ALTER ROLE "r" PASSWORD `, Object: role, Secret: &plan.Secret{At: 24, Account: "reps", Role: "r", From: "env(PW)"}},
			{SQL: "SELECT 1", Object: role},
		},
		Hazards: []plan.Hazard{
			plan.Locks{Mode: "ACCESS EXCLUSIVE", Tables: []string{"a", "b", "c", "d"}},
			plan.LosesAccess{Role: "x", Objects: []string{"t"}},
			plan.KeepsRights{Roles: []string{"r"}},
			plan.BindsOwner{Owner: "o", Tables: []string{"t"}, Affects: []string{"view v"}},
			plan.DropsRole{Role: "r"},
		},
	}
}

func TestSaveLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "p.plan")
	want := sample()
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := plan.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: want 0600", info.Mode(), err)
	}
	a, c, r := got.Count()
	if a != 1 || c != 1 || r != 1 {
		t.Errorf("counts %d %d %d", a, c, r)
	}
	if got := got.Statements[0].Text(); got != `ALTER ROLE "r" PASSWORD «env(PW)»` {
		t.Errorf("text %s", got)
	}
	if got := got.Statements[0].With("'v'"); got != `ALTER ROLE "r" PASSWORD 'v'` {
		t.Errorf("with %s", got)
	}
}

func TestHashNamesContent(t *testing.T) {
	t.Parallel()
	a, b := sample(), sample()
	b.Statements[1].SQL = "SELECT 2"
	ha, err := a.Hash()
	if err != nil {
		t.Fatal(err)
	}
	hb, err := b.Hash()
	if err != nil {
		t.Fatal(err)
	}
	if ha == hb || len(ha) != 64 {
		t.Errorf("%s %s", ha, hb)
	}
	data, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(`"hash": "`+ha+`"`)) {
		t.Error("the hash is not in the file")
	}
}

// TestEncodeIndents compares with what encoding/json makes of the same values.
func TestEncodeIndents(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*plan.Plan{"full": sample(), "empty": {Created: time.Unix(0, 0)}} {
		data, err := p.Encode()
		if err != nil {
			t.Fatal(err)
		}
		var compact, want bytes.Buffer
		if err := json.Compact(&compact, data); err != nil {
			t.Fatal(name, err)
		}
		if err := json.Indent(&want, compact.Bytes(), "", "  "); err != nil {
			t.Fatal(err)
		}
		want.WriteByte('\n')
		if d := cmp.Diff(want.String(), string(data)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		sum := sha256.Sum256(regexp.MustCompile(`"hash": "\w+"`).ReplaceAll(data, []byte(`"hash": ""`)))
		if hash, err := p.Hash(); err != nil || hash != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: hash %s, %v, want %x", name, hash, err, sum)
		}
	}
}

func TestSets(t *testing.T) {
	t.Parallel()
	other := sample()
	other.Datasource = "other"
	for _, plans := range [][]*plan.Plan{{}, {sample()}, {sample(), other}} {
		data, err := plan.EncodeSet(plans)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := plan.DecodeSet(data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(plans, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		text := string(data)
		for name, changed := range map[string]string{
			"space in front": " " + text,
			"text behind":    text + " ",
			"other frame":    strings.Replace(text, `"plans": [`, `"plans":  [`, 1),
			"member":         strings.Replace(text, `{"format_version": 1, `, `{"format_version": 1, "x": 1, `, 1),
			"plans twice":    strings.Replace(text, `{"format_version": 1, `, `{"format_version": 1, "plans": [], `, 1),
			"version":        strings.Replace(text, `{"format_version": 1`, `{"format_version": 9`, 1),
			"statement":      strings.Replace(text+"SELECT 1", "SELECT 1", "SELECT 3", 1),
		} {
			if _, _, err := plan.DecodeSet([]byte(changed)); !errors.Is(err, plan.ErrFile) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	good, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	text := string(good)
	cases := map[string]struct{ data, want string }{
		"empty":            {"", "damaged or cut short"},
		"truncated":        {text[:len(text)/2], "damaged or cut short"},
		"other statement":  {strings.Replace(text, "SELECT 1", "SELECT 2", 1), "changed after it was made"},
		"other whitespace": {strings.Replace(text, "  \"project\"", " \"project\"", 1), "changed after it was made"},
		"unknown member":   {strings.Replace(text, `"project"`, `"extra": 1, "project"`, 1), "unknown field"},
		"unknown in change": {
			strings.Replace(text, `"reason": ""`, `"reason": "", "more": 1`, 1),
			"unknown field",
		},
		"repeated member": {strings.Replace(text, `"project"`, `"project": "evil", "project"`, 1), "changed after it was made"},
		"trailing":        {text + "{}", "damaged"},
		"newer format":    {strings.Replace(text, `"format_version": 1`, `"format_version": 2`, 1), "format version 2"},
		"no format":       {"{}", "format version 0"},
		"unknown hazard":  {strings.Replace(text, `"locks"`, `"rocks"`, 1), "unknown kind of hazard"},
		"unknown action":  {strings.Replace(text, `"action": "add"`, `"action": "ask"`, 1), "does not fit"},
		"secret outside":  {strings.Replace(text, `"at": 24`, `"at": 99`, 1), "outside of it"},
		"no fingerprint":  {strings.Replace(text, `"ab12"`, `""`, 1), "no datasource or no state"},
		"empty statement": {strings.Replace(text, `"SELECT 1"`, `""`, 1), "is empty"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := plan.Decode([]byte(c.data))
			if !errors.Is(err, plan.ErrFile) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestLoadNames(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none")
	if _, err := plan.Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, []byte("PK\x03\x04"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want the file's name", err)
	}
}

func TestHazardMessages(t *testing.T) {
	t.Parallel()
	for _, h := range sample().Hazards {
		if m := h.Message(); m == "" || strings.HasSuffix(m, ".") {
			t.Errorf("%T: %q", h, m)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data, err := sample().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"format_version":1}`))
	f.Add(data[:len(data)-10])
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := plan.Decode(data)
		if err != nil {
			return
		}
		again, err := p.Encode()
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("accepted a file that is not what Encode writes: %v", err)
		}
		for _, s := range p.Statements {
			_ = s.Text()
		}
	})
}
