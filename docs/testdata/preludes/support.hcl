# A help desk's callers, and who sees them.

postern { project = "support" }

identity {
  attribute "id" { type = int }
}

group "agents" { description = "Support" }

group "hr" {
  description = "People team"
  member_of   = [group.agents]
}

datasource "desk" { type = "service" }

resource "desk" "callers" {
  attribute "id" { type = int }
  attribute "ssn" { type = string }
  attribute "email" { type = string }
  attribute "income" { type = number }
}

policy "agents_see_callers" {
  on    = [resource.desk.callers]
  to    = [group.agents]
  allow = [view, edit]
}
