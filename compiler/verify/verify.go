// Package verify asks several engines the same questions about a program and
// finds where they disagree. It makes the users, requests and records itself,
// from the conditions of the program: each boundary and its neighbours, nulls,
// what is not a value at all, and for each policy and guard combinations that
// make it hold and fail. All that it makes follows from a seed.
package verify

import (
	"context"

	"github.com/postern-dev/postern/compiler/model"
)

// Engine answers questions in bulk.
type Engine interface {
	// Name is the target's name.
	Name() string
	// Covers reports whether the engine decides about a table.
	Covers(t *model.Table) bool
	// Ask answers a query about a table that the engine covers. The records are
	// those of the world that Keep was called with last.
	Ask(ctx context.Context, q *Query) (*Answer, error)
}

// Keeper is an engine that holds the records itself, such as a database.
type Keeper interface {
	Engine
	// Keep makes the world's records those that there are, drops from the world
	// those that the engine cannot hold, and replaces the documents of the others
	// by what it made of them.
	Keep(ctx context.Context, w *World) error
}

// Record is one record of a world.
type Record struct {
	// Doc is the record as JSON, as a model.Document without relations.
	Doc model.Document
	// Text holds, for columns whose JSON does not say it all, the value as
	// Postgres reads it in.
	Text map[string]string
}

// World is what questions are asked about: requests, all at one time, and the
// records of each table.
type World struct {
	Now      model.Timestamp
	Requests []model.Request
	Records  map[*model.Table][]*Record
	about    map[int][]*model.Table // the tables that a request is asked about, by its number
}

// Query is all that is asked for one request about one table.
type Query struct {
	// Request has what the table's datasource looks up in its tables in the
	// claims.
	Request model.Request
	// Stated is the request as it came, for engines that look it up themselves;
	// nil: the same.
	Stated *model.Request
	Table  *model.Table
	// Records are documents with related records nested in them.
	Records []model.Document
	// Edits are pairs of numbers of records: the first one is to become what the
	// second one is.
	Edits [][2]int
	// Columns are numbers of records of which is asked what the request sees.
	Columns []int
}

// AsStated is the request as it came.
func (q *Query) AsStated() model.Request {
	if q.Stated != nil {
		return *q.Stated
	}
	return q.Request
}

// Answer is what an engine says.
type Answer struct {
	// Allowed tells for each action of the table and each record whether the
	// request may do it: for create, make such a record; for edit, one that
	// changes nothing.
	Allowed map[model.Action][]bool
	// Only are the actions that the engine tells of, and then nothing else; nil: it
	// tells of all that is asked.
	Only    []model.Action
	Edits   []bool
	Sights  []model.Sight // of the records of Columns
	Columns [][]string    // instead of Sights, from what tells columns by name alone: those that are seen, in the table's order
}
