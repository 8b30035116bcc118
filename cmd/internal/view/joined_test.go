package view

import "testing"

func TestJoined(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"FOR SELECT\nUSING (a)":                            "FOR SELECT\nUSING (a)",
		"USING (( SELECT count(x.x) AS count\n   FROM u))": "USING (( SELECT count(x.x) AS count FROM u))",
		"USING (a = 'x\n  y')\nWITH CHECK (\"b\n  c\")":    "USING (a = 'x\n  y')\nWITH CHECK (\"b\n  c\")",
		"USING (a = 'it''s'\n  AND b)":                     "USING (a = 'it''s' AND b)",
	} {
		if got := joined(text); got != want {
			t.Errorf("joined(%q) = %q, want %q", text, got, want)
		}
	}
}
