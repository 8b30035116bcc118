package plan

import "bytes"

// indented appends compact JSON, which is valid, as json.Indent writes it with
// an indent of two spaces: further lines start with prefix. json.Indent looks
// at each byte of each string, and plans are mostly strings.
func indented(dst, compact []byte, prefix string) []byte {
	depth := 0
	line := func() {
		dst = append(append(dst, '\n'), prefix...)
		for range depth {
			dst = append(dst, "  "...)
		}
	}
	for i := 0; i < len(compact); i++ {
		switch c := compact[i]; c {
		case '"':
			end := i + 1 + stringEnd(compact[i+1:])
			dst = append(dst, compact[i:end]...)
			i = end - 1
		case '{', '[':
			dst = append(dst, c)
			if next := compact[i+1]; next == '}' || next == ']' {
				dst = append(dst, next)
				i++
				continue
			}
			depth++
			line()
		case '}', ']':
			depth--
			line()
			dst = append(dst, c)
		case ',':
			dst = append(dst, c)
			line()
		case ':':
			dst = append(dst, ": "...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// stringEnd is where the string that begins before text ends, after its quote.
func stringEnd(text []byte) int {
	for at := 0; ; {
		quote := at + bytes.IndexByte(text[at:], '"')
		slash := bytes.IndexByte(text[at:quote], '\\')
		if slash < 0 {
			return quote + 1
		}
		at += slash + 2
	}
}
