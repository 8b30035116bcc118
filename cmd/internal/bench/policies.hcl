postern { project = "bench" }
identity {
  attribute "id"        { type = uuid }
  attribute "tenant_id" { type = int }
  attribute "regions"   { type = set(string) }
}
datasource "main" {
  type     = "postgres"
  url      = env("BENCH_URL")
  identity = "%s"
  owner    = "exempt"
}
service_account "bench" {
  datasource = datasource.main
  password   = env("BENCH_PASSWORD")
}
group "contractors" { description = "Contractors" }
table "main" "accounts" {
  column "id"       { type = int }
  column "owner_id" { type = uuid }
  primary_key = ["id"]
}
table "main" "members" {
  column "deal_id" { type = int }
  column "user_id" { type = uuid }
  primary_key = ["deal_id", "user_id"]
}
table "main" "items" {
  column "id"          { type = int }
  column "deal_id"     { type = int }
  column "status"      { type = string }
  column "reviewer_id" { type = uuid }
  primary_key = ["id"]
}
table "main" "deals" {
  column "id"         { type = int }
  column "owner_id"   { type = uuid }
  column "region"     { type = string }
  column "tenant_id"  { type = int }
  column "account_id" { type = int }
  column "brand_id"   { type = int }
  column "amount"     { type = number }
  column "title"      { type = string }
  primary_key = ["id"]
  relation "account" {
    table = table.main.accounts
    on    = { account_id = "id" }
  }
  relation "brand" {
    table = table.main.accounts
    on    = { brand_id = "id" }
  }
  relation "members" {
    table = table.main.members
    on    = { id = "deal_id" }
    many  = true
  }
  relation "items" {
    table = table.main.items
    on    = { id = "deal_id" }
    many  = true
  }
}
