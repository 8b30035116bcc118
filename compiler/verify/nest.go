package verify

import (
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
)

// relatedLimit bounds the related records of one record; beyond it a world says
// little more, and nested documents would grow without end.
const relatedLimit = 4

// prune drops records until no record is related to more than a few, and to at
// most one where a relation leads to one.
func (w *World) prune(p *model.Program) {
	for _, t := range p.Tables {
		for _, r := range t.Relations {
			limit := 1
			if r.Many {
				limit = relatedLimit
			}
			seen := map[string]int{}
			var kept []*Record
			for _, rec := range w.Records[r.Table] {
				k, ok := joinKey(rec.Doc, r, false)
				if ok {
					if seen[k]++; seen[k] > limit {
						continue
					}
				}
				kept = append(kept, rec)
			}
			w.Records[r.Table] = kept
		}
	}
}

// joinKey is the values by which a record joins, as text; false when one is
// null or unknown.
func joinKey(doc model.Document, r *model.Relation, from bool) (string, bool) {
	key := ""
	for _, pair := range r.On {
		c := pair.To
		if from {
			c = pair.From
		}
		v := eval.Parse(doc[c.Name], c.Type, c.Native)
		if _, unknown := v.(model.Unknown); unknown || v == nil {
			return "", false
		}
		if d, ok := v.(model.Date); ok {
			v = d.Instant()
		}
		key += shown(v) + "\x00"
	}
	return key, true
}

// lookUp is a request as engines without a database are asked about records of
// a table.
func (w *World) lookUp(p *model.Program, t *model.Table, req model.Request) model.Request {
	return eval.LookUp(p, t.Datasource, req, func(from *model.Table) []model.Document {
		out := make([]model.Document, len(w.Records[from]))
		for i, r := range w.Records[from] {
			out[i] = r.Doc
		}
		return out
	})
}

// documents are the records of all tables with related ones nested in them.
func (w *World) documents(p *model.Program) map[*model.Table][]model.Document {
	index := map[*model.Relation]map[string][]*Record{}
	for _, t := range p.Tables {
		for _, r := range t.Relations {
			byKey := map[string][]*Record{}
			for _, rec := range w.Records[r.Table] {
				if k, ok := joinKey(rec.Doc, r, false); ok {
					byKey[k] = append(byKey[k], rec)
				}
			}
			index[r] = byKey
		}
	}
	depth := testrun.RelationDepth(p)
	out := map[*model.Table][]model.Document{}
	for _, t := range p.Tables {
		for _, rec := range w.Records[t] {
			out[t] = append(out[t], nested(index, t, rec.Doc, depth))
		}
	}
	return out
}

func nested(index map[*model.Relation]map[string][]*Record, t *model.Table, doc model.Document, depth int) model.Document {
	if depth == 0 || len(t.Relations) == 0 {
		return doc
	}
	out := make(model.Document, len(doc)+len(t.Relations))
	for k, v := range doc {
		out[k] = v
	}
	for _, r := range t.Relations {
		list := []any{}
		if k, ok := joinKey(doc, r, true); ok {
			for _, rec := range index[r][k] {
				list = append(list, nested(index, r.Table, rec.Doc, depth-1))
			}
		}
		switch {
		case r.Many:
			out[r.Name] = list
		case len(list) > 0:
			out[r.Name] = list[0]
		}
	}
	return out
}
