package postgres

import (
	"github.com/postern-dev/postern/backends/postgres/readback"
	"github.com/postern-dev/postern/compiler/model"
)

// meanings are what generated functions say: the tables by which is read back
// what is printed.
type meanings map[readback.Name]readback.Function

func (m meanings) add(function string, f readback.Function) {
	m[readback.Name{Schema: RuntimeSchema, Name: function}] = f
}

// requestFunctions are the generated functions that tell of the request, and
// what they tell: what is printed for an operand (renderer.request) is read
// back by this table.
func requestFunctions(p *model.Program) meanings {
	names := newAccessors(p)
	out := meanings{}
	add := func(name string, x model.Expr) { out.add(name, readback.Function{Value: x}) }
	for attr, name := range names.names {
		add(name, &model.AttrRef{Node: model.Node{Type: attr.Type}, Attribute: attr})
	}
	add(groupsFunction, &model.GroupsRef{Node: model.Node{Type: model.StringSet}})
	add(levelFunction, &model.LevelRef{Node: model.Node{Type: model.String}})
	return out
}
