# What a signed token says about its user, and the groups it may name.

identity {
  attribute "id" { type = uuid }
  attribute "tenant_id" { type = int }
  attribute "regions" { type = set(string) } # the sales regions a manager answers for
}

group "staff" { description = "Everyone who works here" }

group "analysts" {
  description = "Data team"
  member_of   = [group.staff]
}

group "sales_reps" {
  description = "Sales, each with customers of their own"
  member_of   = [group.staff]
}

group "sales_managers" {
  description = "Sales managers: reps as well, and each answers for some regions"
  member_of   = [group.sales_reps]
}

group "support_agents" {
  description = "Support desk"
  member_of   = [group.staff]
}

group "executives" {
  description = "Management board"
  member_of   = [group.staff]
}

group "hr" {
  description = "People team"
  member_of   = [group.staff]
}
