postern { project = "before" }
identity {
  attribute "id"     { type = string }
  attribute "region" {
    type  = string
    claim = "app_metadata.region"
  }
  attribute "regions" { type = set(string) }
}
group "reps" { description = "d" }
group "managers" {
  description = "d"
  member_of   = [group.reps]
}
user "moved" {
  groups     = [group.managers]
  attributes = { id = "moved", region = "EMEA" }
}
datasource "db" {
  type     = "postgres"
  url      = env("BEFORE_URL")
  identity = "setting"
  owner    = "exempt"
}
service_account "web" {
  datasource = datasource.db
  role       = "before_role"
}
app "web" {
  users = [everyone]
  connect {
    datasource      = datasource.db
    service_account = service_account.web
  }
}
table "db" "accounts" {
  column "id"    { type = int }
  column "owner" { type = string }
  primary_key = ["id"]
}
table "db" "people" {
  column "id"   { type = int }
  column "team" { type = string }
  column "ssn"  { type = string }
  primary_key = ["id"]
}
table "db" "deals" {
  column "id"         { type = int }
  column "owner"      { type = string }
  column "region"     { type = string }
  column "account_id" { type = int }
  primary_key = ["id"]
  relation "account" {
    table = table.db.accounts
    on    = { account_id = "id" }
  }
}
policy "own" {
  on    = [table.db.deals]
  to    = [access_level.user]
  allow = [view, edit, delete]
  when  = record.owner == user.id || record.account.owner == user.id
}
policy "of_the_region" {
  on    = [table.db.deals]
  to    = [group.reps]
  allow = [view]
  when  = record.region == user.region || contains(user.regions, record.region)
}
policy "all" {
  on    = [table.db.deals]
  to    = [access_level.superuser]
  allow = [view]
}
policy "people" {
  on    = [table.db.people]
  to    = [access_level.user]
  allow = [view]
}
mask "ssn" {
  on      = [table.db.people]
  columns = ["ssn"]
  unless  = [group.managers]
  with    = last(4)
}
