package syntax

// maxNesting is how deep brackets may nest in a file. HCL's parser calls
// itself for each level, and some tens of thousands exhaust the stack, which
// nothing can recover from.
const maxNesting = 2000

// tooDeep finds the place where brackets, or signs before an operand, nest
// deeper than a parser should follow. It does not know strings and comments:
// what it counts there only makes the bound a little lower.
func tooDeep(data []byte) (line int, deep bool) {
	depth, signs, choices := 0, 0, 0
	line = 1
	for _, c := range data {
		switch c {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(depth-1, 0)
		case '\n':
			line++
		}
		switch c {
		case '!', '-':
			signs++ // one after the other
		case ' ', '\t':
		case '?':
			choices++ // in one line
		case '\n':
			signs, choices = 0, 0
		default:
			signs = 0
		}
		if depth > maxNesting || signs > maxNesting || choices > maxNesting {
			return line, true
		}
	}
	return 0, false
}
