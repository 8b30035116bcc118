package syntax

// HCL's parser and its trees call themselves for each level, and what is some
// hundred thousands of levels deep exhausts the stack, which nothing can
// recover from. So both ways to make a deep tree are bounded before parsing.
const (
	// maxNesting is how deep brackets may nest in a file.
	maxNesting = 2000
	// maxChain is how many operators may follow each other in one expression,
	// indexes and dots among them: `a + b + c` is a tree of two levels.
	maxChain = 20_000
)

// nesting follows the brackets of a file. It does not know strings and
// comments: what it counts there only makes the bounds a little lower.
type nesting struct {
	open  []byte // the brackets that are open
	chain []int  // the operators of the expression so far, for each of them
	signs int    // one after the other
	// choices are the question marks in one line: each nests what follows.
	choices int
}

// tooDeep finds the place where a file is deeper than a parser should follow.
func tooDeep(data []byte) (line int, deep bool) {
	n := &nesting{chain: []int{0}}
	line = 1
	for _, c := range data {
		if c == '\n' {
			line++
		}
		n.brackets(c)
		n.operators(c)
		if len(n.open) > maxNesting || n.signs > maxNesting || n.choices > maxNesting || n.chain[len(n.chain)-1] > maxChain {
			return line, true
		}
	}
	return 0, false
}

func (n *nesting) brackets(c byte) {
	switch c {
	case '(', '[', '{':
		n.chain[len(n.chain)-1]++ // an index or a call
		n.open, n.chain = append(n.open, c), append(n.chain, 0)
	case ')', ']', '}':
		if len(n.open) > 0 {
			n.open, n.chain = n.open[:len(n.open)-1], n.chain[:len(n.chain)-1]
		}
	}
}

func (n *nesting) operators(c byte) {
	last := len(n.chain) - 1
	switch c {
	case '!', '-':
		n.signs++
	case ' ', '\t':
	case '?':
		n.choices++
		n.signs = 0
	case '\n':
		n.signs, n.choices = 0, 0
	default:
		n.signs = 0
	}
	switch c {
	case '+', '-', '*', '/', '%', '&', '|', '<', '>', '!', '?', ':', '.':
		n.chain[last]++
	case ',', ';':
		n.chain[last] = 0
	case '\n':
		if len(n.open) == 0 || n.open[len(n.open)-1] == '{' {
			n.chain[last] = 0 // the argument ends here
		}
	}
}
