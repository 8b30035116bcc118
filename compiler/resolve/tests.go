package resolve

import "github.com/postern-dev/postern/compiler/model"

func (r *resolver) tests() []*model.Test { return nil }
