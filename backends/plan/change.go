package plan

import (
	"fmt"

	"github.com/postern-dev/postern/lang/source"
)

// Kind is the kind of an object of a target, such as "policy" or "grant".
type Kind string

// Object names one object of a target. Name is printed in the target's own
// quoted form, such as `"deals: view" on public.deals`, so that two different
// objects never have the same name.
type Object struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
}

// String is the kind and the name.
func (o Object) String() string { return string(o.Kind) + " " + o.Name }

// ReasonDrift says that a change undoes what was made outside the project.
const ReasonDrift = "drift: made outside this project"

// ReasonBefore says the same of a database that nothing was applied to yet.
const ReasonBefore = "was there before this project"

// About is what every change says of its object.
type About struct {
	Object Object      `json:"object"`
	Span   source.Span `json:"span"`   // the block of the source that wants it; zero for what it does not know
	Reason string      `json:"reason"` // why, where the source alone does not say it; may be empty
	// Drift says that the change undoes what was made by hand after the last
	// plan was applied; else it is the source that has changed.
	Drift bool `json:"drift"`
}

// Change is one difference between what a target holds and what it should
// hold: Add, Modify or Remove.
//
//sumtype:decl
type Change interface {
	change()
	// What is the object that changes, where it is written and why.
	What() About
}

type (
	// Add makes an object that is not there.
	Add struct {
		About
		After string // the object as it will be
	}
	// Modify changes an object in place.
	Modify struct {
		About
		Before, After string
	}
	// Remove takes an object away.
	Remove struct {
		About
		Before string // the object as it is
	}
)

func (Add) change()    {}
func (Modify) change() {}
func (Remove) change() {}

// What is the object that changes.
func (a About) What() About { return a }

// With is the change with something else said of its object.
func With(c Change, about About) Change {
	switch x := c.(type) {
	case Add:
		x.About = about
		return x
	case Modify:
		x.About = about
		return x
	case Remove:
		x.About = about
		return x
	}
	return c
}

// Action is the word for a change in the JSON form.
type Action string

// The actions.
const (
	ActionAdd    Action = "add"
	ActionChange Action = "change"
	ActionRemove Action = "remove"
)

// ActionOf is the action of a change.
func ActionOf(c Change) Action {
	switch c.(type) {
	case Add:
		return ActionAdd
	case Modify:
		return ActionChange
	case Remove:
		return ActionRemove
	}
	return ""
}

// Texts are the object as it was and as it will be; "" where there is none.
func Texts(c Change) (before, after string) {
	switch x := c.(type) {
	case Add:
		return "", x.After
	case Modify:
		return x.Before, x.After
	case Remove:
		return x.Before, ""
	}
	return "", ""
}

type changeJSON struct {
	Action Action `json:"action"`
	About
	Before string `json:"before"`
	After  string `json:"after"`
}

func encodeChange(c Change) changeJSON {
	before, after := Texts(c)
	return changeJSON{Action: ActionOf(c), About: c.What(), Before: before, After: after}
}

func (j changeJSON) decode() (Change, error) {
	switch {
	case j.Action == ActionAdd && j.Before == "":
		return Add{About: j.About, After: j.After}, nil
	case j.Action == ActionChange:
		return Modify{About: j.About, Before: j.Before, After: j.After}, nil
	case j.Action == ActionRemove && j.After == "":
		return Remove{About: j.About, Before: j.Before}, nil
	}
	return nil, fmt.Errorf("change of %s: action %q does not fit its texts", j.Object, j.Action)
}
