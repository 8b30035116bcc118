// Package examples holds the example projects, so that the commands init and
// demo bring them along.
package examples

import "embed"

// Files are the example projects, a folder each.
//
//go:embed llm-apps game-backend low-code authzen-todo postgrest
var Files embed.FS

// Names lists the projects.
func Names() []string {
	return []string{"llm-apps", "game-backend", "low-code", "authzen-todo", "postgrest"}
}
