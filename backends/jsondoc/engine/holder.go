package engine

import (
	"sync/atomic"
)

// Holder holds the engine in force and lets another take its place while
// decisions are made: readers take no lock, and each decision is made by one
// engine from beginning to end. The zero Holder holds none.
type Holder struct{ engine atomic.Pointer[Engine] }

// NewHolder holds an engine.
func NewHolder(e *Engine) *Holder {
	h := &Holder{}
	h.Store(e)
	return h
}

// Engine is the engine in force, nil when there has been none. Take it once
// for questions that belong together; handles of typed records (Table, Column,
// Record) belong to the engine that made them.
func (h *Holder) Engine() *Engine { return h.engine.Load() }

// Store puts an engine in force.
func (h *Holder) Store(e *Engine) { h.engine.Store(e) }

// Load reads a document and puts its engine in force. On an error the engine
// that was in force stays.
func (h *Holder) Load(data []byte, options ...Option) error {
	e, err := Load(data, options...)
	if err != nil {
		return err
	}
	h.Store(e)
	return nil
}

// Decide answers by the engine in force; false when there is none.
func (h *Holder) Decide(r *Request, q *Question) bool {
	e := h.Engine()
	return e != nil && e.Decide(r, q)
}
