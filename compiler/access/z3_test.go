package access_test

import (
	"bufio"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// TestAgreesWithZ3 puts random pairs of conditions to Z3 as well, straight from
// what was written and in Kleene's three values, which shares nothing with the
// way through lowered forms. "make decide" asks for more pairs.
func TestAgreesWithZ3(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("z3")
	if err != nil {
		t.Skip("z3 is not installed: .ci/run installs it, and so does apt-get install z3")
	}
	pairs := 60
	if s := os.Getenv("Z3_PAIRS"); s != "" {
		if pairs, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	z := startZ3(t, path)
	asked, undecided, unanswered, changed := 0, 0, 0, 0
	for seed := uint64(1); asked < pairs; seed++ {
		a, b := newDraw(seed).pair(2)
		before, after := tryCompile(t, randomBase+randomPolicy(a)), tryCompile(t, randomBase+randomPolicy(b))
		if before == nil || after == nil {
			continue // a comparison that can never hold, for example
		}
		asked++
		d, err := access.Compare(t.Context(), before, after, access.Options{})
		if err != nil {
			t.Fatal(err)
		}
		gained, lost := outcomes(d)
		changed += len(d.Changes)
		x, y := before.Tables[0].Policies[0].When.Source, after.Tables[0].Policies[0].When.Source
		for _, q := range []struct {
			got      string
			has, not model.Expr
		}{{gained, y, x}, {lost, x, y}} {
			if q.got == "unknown" {
				undecided++
				continue
			}
			switch want := z.ask(q.has, q.not); {
			case want == "unknown":
				unanswered++
			case want != q.got:
				t.Errorf("seed %d: %s, but Z3 says %s\n%s\n%s", seed, q.got, want, indent(a), indent(b))
			}
		}
	}
	t.Logf("%d pairs, %d of them changed; %d of %d questions undecided; %d not answered by Z3", asked, changed, undecided, 2*asked, unanswered)
	if undecided*100 > 2*asked {
		t.Errorf("%d of %d questions are undecided, more than 1 %%", undecided, 2*asked)
	}
}

func tryCompile(t *testing.T, text string) *model.Program {
	t.Helper()
	p, _ := compiler.Compile(t.Context(), &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(text)}}}, compiler.Inputs{})
	return p
}

// outcomes is whether somebody gains and loses: sat, unsat or unknown.
func outcomes(d *access.Diff) (gained, lost string) {
	gained, lost = "unsat", "unsat"
	for _, c := range d.Changes {
		if c.Verdict == access.Undecided {
			gained, lost = "unknown", "unknown"
		}
		if c.Gained != nil {
			gained = "sat"
		}
		if c.Lost != nil {
			lost = "sat"
		}
	}
	return gained, lost
}

// z3 is a running solver, asked by SMT-LIB text.
type z3 struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Scanner
}

func startZ3(t *testing.T, path string) *z3 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path, "-in", "-t:2000", "-memory:1000")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &z3{t, in, bufio.NewScanner(out)}
}

// ask asks whether the one can be true where the other is not.
func (z *z3) ask(has, not model.Expr) string {
	s := &smtlib{names: map[string]bool{}}
	question := fmt.Sprintf("(assert %s)\n(assert (not %s))\n", s.is(has, true), s.is(not, true))
	text := "(reset)\n" + s.declarations.String() + question + "(check-sat)\n"
	if _, err := io.WriteString(z.in, text); err != nil {
		z.t.Fatal(err)
	}
	for z.out.Scan() {
		switch line := z.out.Text(); line {
		case "sat", "unsat", "unknown":
			return line
		case "timeout":
			return "unknown"
		default:
			z.t.Fatalf("Z3 says %s\n%s", line, text)
		}
	}
	z.t.Fatal("Z3 has ended", z.out.Err())
	return ""
}

// smtlib writes expressions as SMT-LIB terms.
type smtlib struct {
	declarations strings.Builder
	names        map[string]bool
}

func (s *smtlib) line(format string, args ...any) { fmt.Fprintf(&s.declarations, format+"\n", args...) }

func (s *smtlib) once(name string) bool {
	if s.names[name] {
		return false
	}
	s.names[name] = true
	return true
}

// unknown declares an unknown with when it is known, and null for columns.
func (s *smtlib) unknown(name string, t model.Type, column *model.Column) (known, value string) {
	known, value = "k_"+name, "v_"+name
	if !s.once(name) {
		return known, value
	}
	sort := map[model.Kind]string{
		model.KindInt: "Int", model.KindNumber: "Real", model.KindString: "String", model.KindBool: "Bool", model.KindTimestamp: "Int",
		model.KindSet: "(Array String Bool)",
	}[t.Kind]
	s.line("(declare-const %s Bool)\n(declare-const %s %s)", known, value, sort)
	switch t.Kind {
	case model.KindInt:
		s.line("(assert (and (<= (- 9223372036854775808) %s) (<= %s 9223372036854775807)))", value, value)
	case model.KindTimestamp:
		s.line("(assert (and (<= %s %s) (<= %s %d)))", integer(big.NewInt(int64(model.MinTimestamp))), value, value, model.MaxTimestamp)
	case model.KindSet:
		s.line("(declare-const n_%s Int)\n(assert (>= n_%s 0))", name, name)
	default:
	}
	if column == nil { // an attribute: an anonymous user has none
		s.anonymous()
		s.line("(assert (=> anon (not %s)))", known)
	} else {
		s.line("(declare-const z_%s Bool)\n(assert (not (and z_%s %s)))", name, name, known)
		if !column.Null {
			s.line("(assert (not z_%s))", name)
		}
		if k := t.Kind; k == model.KindInt || k == model.KindString || k == model.KindBool {
			s.line("(assert (or z_%s %s))", name, known)
		}
	}
	return known, value
}

func (s *smtlib) anonymous() {
	if s.once("anon") {
		s.line("(declare-const anon Bool)\n(declare-const k_groups Bool)\n(declare-const stated (Array String Bool))\n(assert (=> anon (not k_groups)))")
	}
}

func integer(n *big.Int) string {
	if n.Sign() < 0 {
		return "(- " + new(big.Int).Neg(n).String() + ")"
	}
	return n.String()
}
