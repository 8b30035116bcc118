# What a CRM needs, but for its policies.

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

datasource "crm" {
  type     = "postgres"
  url      = env("CRM_ADMIN_URL")
  identity = "signed"
  owner    = "exempt"
}

table "crm" "accounts" {
  column "id" { type = uuid }
  column "owner_id" { type = uuid }
  primary_key = ["id"]
}

table "crm" "deal_members" {
  column "deal_id" { type = uuid }
  column "user_id" { type = uuid }
  column "role" { type = string }
  primary_key = ["deal_id", "user_id"]
}

table "crm" "deals" {
  column "id" { type = uuid }
  column "tenant_id" { type = int }
  column "account_id" { type = uuid }
  column "owner_id" { type = uuid }
  column "team_id" { type = int }
  column "title" { type = string }
  column "status" { type = string }
  column "stage" {
    type   = enum("lead", "offer", "won", "lost")
    native = "public.deal_stage"
  }
  column "amount" { type = number }
  column "seats" { type = int }
  column "seats_used" { type = int }
  column "region" {
    type = string
    null = true
  }
  column "scope" { type = string }
  column "confidential" { type = bool }
  column "due" { type = date }
  column "created_at" { type = timestamp }
  column "tags" { type = set(string) }
  column "watchers" { type = set(uuid) }
  column "signed_from" {
    type = ip
    null = true
  }
  column "iban" {
    type = string
    null = true
    tags = ["pii"]
  }
  primary_key = ["id"]
  relation "account" {
    table = table.crm.accounts
    on    = { account_id = "id" }
  }
  relation "members" {
    table = table.crm.deal_members
    on    = { id = "deal_id" }
    many  = true
  }
}

service_account "crm_desk" {
  datasource = datasource.crm
  password   = env("CRM_DESK_PASSWORD")
}

app "desk" {
  users = [group.sales]
  connect {
    datasource      = datasource.crm
    service_account = service_account.crm_desk
  }
}
