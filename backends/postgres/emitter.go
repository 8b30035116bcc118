package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// Emitter writes one psql script for each Postgres datasource:
// postgres/DATASOURCE.sql.
type Emitter struct{ Options DesiredOptions }

var _ backend.Emitter = Emitter{}

// Name is "postgres".
func (Emitter) Name() string { return "postgres" }

// Audit lists what of the program Postgres cannot express.
func (Emitter) Audit(p *model.Program) diag.List {
	var out diag.List
	for _, ds := range p.Datasources {
		if ds.Type == model.Postgres {
			out = append(out, auditDatasource(p, ds)...)
		}
	}
	return out.Sorted()
}

// Emit writes the scripts.
func (e Emitter) Emit(ctx context.Context, p *model.Program) ([]backend.Artifact, error) {
	var out []backend.Artifact
	for _, ds := range p.Datasources {
		if ds.Type != model.Postgres {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("postgres: %w", err)
		}
		state, diags := DesiredWith(p, ds, e.Options)
		if err := diags.Err(); err != nil {
			return nil, fmt.Errorf("datasource %s: %w", ds.Name, err)
		}
		script, err := Script(state, ds.Name, p.Revision)
		if err != nil {
			return nil, fmt.Errorf("datasource %s: %w", ds.Name, err)
		}
		out = append(out, backend.Artifact{Path: "postgres/" + fileName(ds.Name) + ".sql", Data: []byte(script)})
	}
	return out, nil
}

// fileName is a name with only characters that every file system takes, and,
// where others had to go, a hash that keeps two names apart.
func fileName(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, name)
	if plain == name && len(name) <= 100 {
		return plain
	}
	sum := sha256.Sum256([]byte(name))
	return plain[:min(len(plain), 100)] + "-" + hex.EncodeToString(sum[:4])
}
