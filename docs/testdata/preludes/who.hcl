# A project, its identity and its groups.

postern {
  project = "acme"
}

identity {
  attribute "id" { type = uuid }
  attribute "tenant_id" { type = int }
  attribute "region" { type = string }
  attribute "regions" { type = set(string) }
  attribute "team_id" { type = int }
  attribute "context" { type = string }
}

request {
  attribute "ip" { type = ip }
}

group "sales" { description = "Everyone in sales" }

group "sales_managers" {
  description = "Their managers"
  member_of   = [group.sales]
}

group "hr" { description = "People team" }
