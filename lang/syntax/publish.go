package syntax

import "github.com/hashicorp/hcl/v2"

func (p *parser) publish(b *hcl.Block) *Publish {
	out := &Publish{}
	c := p.read(b, "publish", &out.Header)
	out.Description, out.Targets, out.Wait = c.expr("description"), c.expr("targets"), c.expr("wait")
	for _, inner := range c.blocks {
		part := &PublishPart{Kind: inner.Type, Args: map[string]hcl.Expression{}}
		schema := "publish/" + inner.Type
		pc := p.read(inner, schema, &part.Header)
		for _, a := range p.schemas[schema].Attributes {
			if e := pc.expr(a.Name); e != nil {
				part.Args[a.Name] = e
			}
		}
		out.Parts = append(out.Parts, part)
	}
	return out
}
