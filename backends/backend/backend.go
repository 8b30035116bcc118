// Package backend defines what the targets have in common: an Emitter writes
// artifacts from a program, and says what the target cannot express.
package backend

import (
	"context"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// Artifact is one file that a target is given.
type Artifact struct {
	Path string // slash-separated, relative to the output folder
	Data []byte
}

// Emitter writes a program in a target's own form.
type Emitter interface {
	// Name is the target's name on the command line: postgres, rego or json.
	Name() string
	// Audit lists what of the program the target cannot express exactly; an
	// error there means that Emit must not be called.
	Audit(p *model.Program) diag.List
	// Emit writes the artifacts, sorted by path and byte for byte the same for
	// the same program. Nothing secret is ever in them.
	Emit(ctx context.Context, p *model.Program) ([]Artifact, error)
}

// Question is one decision an engine is asked for. Old is the record as it
// stands (nil for a create), New the record a write makes (nil otherwise). For
// Edit with New nil it asks for editing without a change.
type Question struct {
	Request model.Request
	Table   *model.Table
	Action  model.Action
	Old     model.Document
	New     model.Document
	Set     []string // the columns that a write sets; nil asks nothing about columns
}

// Viewer tells what a user sees of a record.
type Viewer interface {
	// See answers for the question's Request, Table and Old; a record that may
	// not be viewed shows nothing.
	See(ctx context.Context, q Question) (model.Sight, error)
}

// Decider answers questions; all targets must give the same answers.
type Decider interface {
	Decide(ctx context.Context, q Question) (bool, error)
}
