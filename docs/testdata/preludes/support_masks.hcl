# A help desk's callers, who sees them, and what is masked.

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

mask "ssn" {
  on      = [resource.desk.callers]
  columns = ["ssn"]
  unless  = [group.hr]
  with    = last(4)
}

mask "email" {
  on      = [resource.desk.callers]
  columns = ["email"]
  unless  = [group.hr]
  with    = redact("***")
}

mask "income" {
  on      = [resource.desk.callers]
  columns = ["income"]
  with    = null
}
