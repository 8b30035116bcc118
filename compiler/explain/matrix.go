package explain

import (
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
)

// Matrix is what each subject of a program is granted on each table.
type Matrix struct {
	Entries []MatrixEntry `json:"entries"`
}

// MatrixEntry is the part of a matrix for one way into a datasource.
type MatrixEntry struct {
	Title  string      `json:"title"`  // "datasource.crm" or "datasource.crm through app.desk"
	Tables []string    `json:"tables"` // those on which a subject is granted something
	Rows   []MatrixRow `json:"rows"`
}

// MatrixRow is one subject; Cells are in the order of the tables.
type MatrixRow struct {
	Subject string         `json:"subject"` // as policies name it
	Cells   [][]MatrixCell `json:"cells"`
}

// MatrixCell is one action that the subject's policies grant.
type MatrixCell struct {
	Action model.Action `json:"action"`
	// When is the condition on the record as it stands, or for create on the new
	// one; "true" is every record. For edit and delete it holds what view asks.
	When string `json:"when"`
}

// MatrixOf is the access matrix of a program: for each subject that policies
// name, what they grant to it alone, with the guards and the app's own users.
func MatrixOf(p *model.Program) *Matrix {
	out := &Matrix{Entries: []MatrixEntry{}}
	for _, ds := range p.Datasources {
		for _, e := range ds.Entries() {
			entry := MatrixEntry{Title: "datasource." + ds.Name, Tables: []string{}, Rows: []MatrixRow{}}
			if e.App() != nil {
				entry.Title += " through app." + e.App().Name
			}
			var subjects []string
			for _, t := range ds.Tables {
				entry.Tables = append(entry.Tables, t.Name)
				for _, a := range t.Actions {
					subjects = append(subjects, p.Subjects(e, t, a)...)
				}
			}
			slices.Sort(subjects)
			for _, s := range slices.Compact(subjects) {
				row := MatrixRow{Subject: s}
				for _, t := range ds.Tables {
					row.Cells = append(row.Cells, matrixCells(p, e, t, s))
				}
				entry.Rows = append(entry.Rows, row)
			}
			if entry.dropEmpty(); len(entry.Rows) > 0 {
				out.Entries = append(out.Entries, entry)
			}
		}
	}
	return out
}

// dropEmpty leaves out the tables on which nobody is granted anything.
func (m *MatrixEntry) dropEmpty() {
	for i := len(m.Tables) - 1; i >= 0; i-- {
		if slices.ContainsFunc(m.Rows, func(r MatrixRow) bool { return len(r.Cells[i]) > 0 }) {
			continue
		}
		m.Tables = slices.Delete(m.Tables, i, i+1)
		for j := range m.Rows {
			m.Rows[j].Cells = slices.Delete(m.Rows[j].Cells, i, i+1)
		}
	}
}

func matrixCells(p *model.Program, e model.Entry, t *model.Table, subject string) []MatrixCell {
	var out []MatrixCell
	for _, a := range t.Actions {
		terms := []model.Cond{p.Entrance(e, t), p.Granted(e, t, a, a == model.Create, subject)}
		if a == model.Edit || a == model.Delete {
			terms = append(terms, p.Granted(e, t, model.View, false, ""))
		}
		c := simplify(terms, false)
		if _, never := c.(model.False); !never {
			out = append(out, MatrixCell{Action: a, When: print.Cond(c)})
		}
	}
	return out
}
