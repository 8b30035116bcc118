package access

import "context"

// ask answers a question.
func (c *comparer) ask(_ context.Context, q *question) answer {
	if impossible(q.part) {
		return answer{}
	}
	return answer{outcome: unknown, reason: "the conditions are written differently"}
}

// impossible reports whether a formula is plainly never satisfied.
func impossible(f formula) bool {
	switch x := f.(type) {
	case allOf:
		for _, t := range x {
			if impossible(t) {
				return true
			}
		}
		return false
	case anyOf:
		for _, t := range x {
			if !impossible(t) {
				return false
			}
		}
		return true
	case *holds, not:
		return false
	}
	return false
}

func (c *cell) together(context.Context) []Change { return nil }
