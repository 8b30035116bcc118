package view

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"short":    {"USING (true)", "USING (true)"},
		"doubled":  {"USING (((a = b)))", "USING (a = b)"},
		"aliases":  {"USING (( SELECT postern.user_id() AS user_id) = a)", "USING ((SELECT postern.user_id()) = a)"},
		"literals": {"USING (a = ' AND (( SELECT x AS y)')", "USING (a = ' AND (( SELECT x AS y)')"},
		"deep": {
			"USING ((aaaaaaaaaa = 1) AND ((bbbbbbbbbb = 2) OR (cccccccccc = 'x AND y')))",
			"USING (\n  (aaaaaaaaaa = 1)\n  AND (\n    (bbbbbbbbbb = 2)\n    OR (cccccccccc = 'x AND y')\n  )\n)",
		},
		"unbalanced": {"USING ((a AND b", "USING ((a AND b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(wrap(plain(c.in), 40), "\n")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"public"."deals"`:             `public.deals`,
		`"Public"."user"`:              `"Public"."user"`,
		`"PUBLIC"`:                     `"PUBLIC"`,
		`PUBLIC`:                       `PUBLIC`,
		`"""; drop table x; --"`:       `"""; drop table x; --"`,
		`"a""b" on "t"`:                `"a""b" on t`,
		`"x'y" TO "z"`:                 `"x'y" TO z`,
		"\"a\x1b[31m\u202e\"":          `"a\x1b[31m\u202e"`,
		"\"two\nlines\"":               `"two\nlines"`,
		`GRANT SELECT ("id") TO "ünï"`: `GRANT SELECT (id) TO "ünï"`,
	} {
		if got := safeLine(unquoted(in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}
