package rego

import "math/big"

// term is a Rego term: name, ref, call, text, number, decimal, boolean, null, list, set,
// object, infix or count.
//
//sumtype:decl
type term interface{ term() }

type (
	// name is a variable or a rule of the same package; the emitter makes all
	// of them up, so they need no quoting.
	name string
	// ref is base.path[0].path[1]…
	ref struct {
		base string
		path []string
	}
	// call is fn(args…); fn is a built-in or a function of the library.
	call struct {
		fn   string
		args []term
	}
	text    string
	number  struct{ *big.Int }
	decimal string // the exact text of a number with decimals
	boolean bool
	null    struct{}
	list    []term
	set     []term
	object  []field
	// infix is x op y; its operands are put in parentheses when they are infix
	// themselves.
	infix struct {
		op   string
		x, y term
	}
	// count is the number of elements that satisfy a body.
	count struct {
		each string
		of   term
		body body
	}
)

func (name) term()    {}
func (ref) term()     {}
func (call) term()    {}
func (text) term()    {}
func (number) term()  {}
func (decimal) term() {}
func (boolean) term() {}
func (null) term()    {}
func (list) term()    {}
func (set) term()     {}
func (object) term()  {}
func (infix) term()   {}
func (count) term()   {}

// field is a member of an object.
type field struct {
	key   string
	value term
}

// body is a conjunction of statements.
type body []statement

// statement is one line of a body: test, let, some or every.
//
//sumtype:decl
type statement interface{ statement() }

type (
	// test is satisfied when its term is defined and not false (not: when it is
	// false; all that can be unknown in the term must then be defined by the
	// statements before it).
	test struct {
		term term
		not  bool
		// input is what the test reads as its input, runtime what opa.runtime() gives
		// it; nil: those that there are.
		input, runtime term
	}
	// let is name := value.
	let struct {
		name  string
		value term
	}
	// some binds each in turn to the elements of a list.
	some struct {
		each string
		of   term
	}
	// every is satisfied when the body is for all elements of a list.
	every struct {
		each string
		of   term
		body body
	}
)

func (test) statement()  {}
func (let) statement()   {}
func (some) statement()  {}
func (every) statement() {}

// rule is one rule: a function when it has args, a member of an object when it
// has a key or a path of keys, otherwise a value.
type rule struct {
	note *note
	name string
	key  string   // "" for none
	keys []string // instead of key, where objects lie in objects
	args []term
	// value is what the rule gives; nil: true.
	value term
	body  body // nil: always
}

// note is the metadata of a rule or of a package.
type note struct {
	scope                      string // "": of the rule that follows
	title, description, source string
	schemas                    []typed
	entry                      bool // the rule is one to ask for
	unknown                    *ref // what is unknown when it is asked for by the Compile API
}

// typed says which schema a document below input or data satisfies; the path is
// below `schema`.
type typed struct {
	document ref
	schema   []string
}

// file is one Rego file.
type file struct {
	path    string // below the bundle's root
	note    *note
	pkg     []string
	imports []imported
	rules   []rule
	// text is Rego that follows the imports as it stands, from the library.
	text string
}

// imported is a document or package that a file names by an alias; "" means
// the last part of its path.
type imported struct {
	path  []string
	alias string
}
