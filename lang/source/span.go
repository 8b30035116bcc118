package source

import "fmt"

// Pos is a place in a file. Line and Column count from 1; Column counts
// grapheme clusters as HCL does; Byte counts from 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Span is a half-open range of one file of a Set. The zero Span means
// "no place": a diagnostic about the run and not about a file.
type Span struct {
	File  string `json:"file"` // slash-separated, relative to the project folder
	Start Pos    `json:"start"`
	End   Pos    `json:"end"`
}

// IsZero reports whether the span names no place.
func (s Span) IsZero() bool { return s.File == "" }

// String prints "file:line" (the form editors and terminals make clickable).
func (s Span) String() string {
	if s.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s:%d", s.File, s.Start.Line)
}

// Compare orders spans by file, then by position, for stable listings.
func (s Span) Compare(o Span) int {
	switch {
	case s.File != o.File:
		if s.File < o.File {
			return -1
		}
		return 1
	case s.Start.Byte != o.Start.Byte:
		return s.Start.Byte - o.Start.Byte
	}
	return s.End.Byte - o.End.Byte
}
