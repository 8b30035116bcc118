// Package print writes a program of the model as HCL that compiles to the same
// program: one block for each object, instances of for_each spelt out, constants
// folded. It is what a shrunk counterexample is made of.
package print
