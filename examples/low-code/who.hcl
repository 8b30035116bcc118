# What the server says about the current user and their request, and the groups a policy can name.

identity {
  attribute "id" { type = uuid }
  attribute "team_id" { type = int }
  attribute "region" { type = string }
  attribute "department" { type = string } # a path, such as "dept.eng"
  attribute "clearance" { type = int }
  attribute "context" { type = string } # what the user is working in, such as "project:17"
}

request {
  attribute "ip" { type = ip }
}

group "internal" { description = "Everyone on the payroll" }
group "support" { description = "Support desk" }
group "finance" { description = "Finance" }
group "approvers" { description = "People who may approve small amounts" }
group "auditors" { description = "Auditors, in house and from outside" }
group "field" { description = "Field engineers" }
group "buyers" { description = "Purchasing" }
group "stewards" { description = "People who look after the quality of elements" }
group "planners" { description = "People who plan the work" }

group "dispatchers" {
  description = "Planners who send people out"
  member_of   = [group.planners]
}
