package view

import "github.com/postern-dev/postern/backends/plan"

// Effect says what the state that a change undoes lets whom do; "" where that
// is not known.
func Effect(c plan.Change) string { return effect(c) }

// Resent is what became of the events in a dead-letter file.
type Resent struct {
	Notify string `json:"notify"`
	Sent   int    `json:"sent"`
	Left   int    `json:"left"`
}

// Resends prints what was delivered after all.
func Resends(o Output, list []Resent) error {
	if o.JSON {
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "notify": list})
	}
	p := &printer{Output: o}
	for _, r := range list {
		p.printf("notify.%s: %s delivered, %d left\n", safe(r.Notify), plural(r.Sent, "event"), r.Left)
	}
	if len(list) == 0 {
		p.printf("The project has no notify block.\n")
	}
	return p.err
}
