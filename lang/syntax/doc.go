// Package syntax parses the files of a project into a Module: every block
// with its place, every value still an unevaluated HCL expression. Nothing is
// resolved here; the compiler does that.
package syntax
