package postgres

import (
	"github.com/postern-dev/postern/backends/postgres/readback"
	"github.com/postern-dev/postern/compiler/model"
)

// requestFunctions are the generated functions that tell of the request, and
// what they tell: what is printed for an operand (renderer.request) is read
// back by this table.
func requestFunctions(p *model.Program) map[readback.Name]readback.Function {
	names := newAccessors(p)
	out := map[readback.Name]readback.Function{}
	add := func(name string, x model.Expr) {
		out[readback.Name{Schema: RuntimeSchema, Name: name}] = readback.Function{Value: x}
	}
	for attr, name := range names.names {
		add(name, &model.AttrRef{Node: model.Node{Type: attr.Type}, Attribute: attr})
	}
	add(groupsFunction, &model.GroupsRef{Node: model.Node{Type: model.StringSet}})
	add(levelFunction, &model.LevelRef{Node: model.Node{Type: model.String}})
	return out
}
