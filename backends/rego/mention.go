package rego

import "strings"

// mentionsLibrary reports whether a rule uses the library: an unused import is
// an error under strict checking.
func mentionsLibrary(list []rule) bool {
	for _, r := range list {
		if (r.value != nil && termMentions(r.value)) || bodyMentions(r.body) {
			return true
		}
	}
	return false
}

func bodyMentions(b body) bool {
	for _, s := range b {
		switch x := s.(type) {
		case test:
			if termMentions(x.term) {
				return true
			}
		case let:
			if termMentions(x.value) {
				return true
			}
		case some:
			if termMentions(x.of) {
				return true
			}
		case every:
			if termMentions(x.of) || bodyMentions(x.body) {
				return true
			}
		}
	}
	return false
}

func termMentions(t term) bool {
	switch x := t.(type) {
	case ref:
		return x.base == "lib"
	case call:
		return strings.HasPrefix(x.fn, library) || termsMention(x.args)
	case list:
		return termsMention(x)
	case set:
		return termsMention(x)
	case infix:
		return termMentions(x.x) || termMentions(x.y)
	case count:
		return termMentions(x.of) || bodyMentions(x.body)
	case name, text, number, decimal, boolean, null:
		return false
	}
	return false
}

func termsMention(list []term) bool {
	for _, t := range list {
		if termMentions(t) {
			return true
		}
	}
	return false
}
