package model

import "github.com/postern-dev/postern/lang/source"

// Notify is a place that is told of what happens to access. It has no part in
// any decision.
type Notify struct {
	Name        string
	Description string
	On          []Occasion
	URL         *Secret // http or https; webhook addresses often hold a secret
	// Secret is what events are signed with; nil: they are not.
	Secret *Secret
	// DeadLetter is the file that takes events which could not be delivered,
	// relative to the project's folder.
	DeadLetter string
	Span       source.Span
}

// Occasion is what an event is about.
type Occasion string

// The occasions.
const (
	OnWider    Occasion = "wider"    // a plan gives somebody access, or may
	OnNarrower Occasion = "narrower" // a plan takes access from somebody, or may
	OnDrift    Occasion = "drift"    // a target is not as the project says
	OnApplied  Occasion = "applied"  // a plan was applied to a target
	OnFailed   Occasion = "failed"   // a plan, apply or drift ended in an error
)

// Occasions are all of them.
func Occasions() []Occasion { return []Occasion{OnWider, OnNarrower, OnDrift, OnApplied, OnFailed} }

// Wants reports whether the place is told of an occasion.
func (n *Notify) Wants(o Occasion) bool {
	for _, x := range n.On {
		if x == o {
			return true
		}
	}
	return false
}
