package rego

import "strings"

// mentions reports whether a body names a variable, or, for "lib", the library:
// an argument or import without use is an error under strict checking.
func (b body) mentions(v string) bool {
	for _, s := range b {
		switch x := s.(type) {
		case test:
			if termMentions(x.term, v) || x.input != nil && termMentions(x.input, v) {
				return true
			}
		case let:
			if termMentions(x.value, v) {
				return true
			}
		case some:
			if termMentions(x.of, v) {
				return true
			}
		case every:
			if termMentions(x.of, v) || x.body.mentions(v) {
				return true
			}
		}
	}
	return false
}

func termMentions(t term, v string) bool {
	switch x := t.(type) {
	case name:
		return string(x) == v
	case ref:
		return x.base == v
	case call:
		return strings.HasPrefix(x.fn, v+".") || termsMention(x.args, v)
	case list:
		return termsMention(x, v)
	case set:
		return termsMention(x, v)
	case object:
		for _, f := range x {
			if termMentions(f.value, v) {
				return true
			}
		}
		return false
	case infix:
		return termMentions(x.x, v) || termMentions(x.y, v)
	case count:
		return termMentions(x.of, v) || x.body.mentions(v)
	case text, number, decimal, boolean, null:
		return false
	}
	return false
}

func termsMention(list []term, v string) bool {
	for _, t := range list {
		if termMentions(t, v) {
			return true
		}
	}
	return false
}

// argument is a parameter's name, "_" where a body does not use it.
func (b body) argument(v string) term {
	if b.mentions(v) {
		return name(v)
	}
	return name("_")
}
