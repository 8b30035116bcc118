# A record of an app: here, of one in which people ask for things.
table "platform" "app_records" {
  column "id" { type = uuid }
  column "title" {
    type   = string
    native = "character varying(120)"
  }
  column "status" {
    type   = enum("draft", "open", "waiting", "approved", "closed")
    native = "public.record_status"
  }
  column "amount" { type = number }
  column "region" {
    type = string
    null = true
  }
  column "requester_id" { type = uuid }
  column "assignee_id" {
    type = uuid
    null = true
  }
  column "mentions" { type = set(uuid) }
  column "confidential" { type = bool }
  column "opened_at" { type = timestamp }
  primary_key = ["id"]
}

# An element: something that many apps refer to, such as a vendor.
table "platform" "elements" {
  column "id" { type = uuid }
  column "name" { type = string }
  column "code" { type = string }
  column "scope" { type = string } # a path, such as "dept.eng.web"
  column "owner_group" { type = string }
  column "certificates" { type = set(string) }
  column "verified" { type = bool }
  column "contract_ends" {
    type = date
    null = true
  }
  column "notes" {
    type = string
    null = true
  }
  primary_key = ["id"]
}

table "platform" "tasks" {
  column "id" { type = uuid }
  column "title" { type = string }
  column "project_id" { type = int }
  column "team_id" { type = int }
  column "assignee_id" {
    type = uuid
    null = true
  }
  column "priority" { type = int }
  column "estimate_hours" { type = int }
  column "spent_hours" { type = int }
  column "starts_at" { type = timestamp }
  column "done" { type = bool }
  primary_key = ["id"]
}

# A row of a user-made table, such as a price list.
table "platform" "table_rows" {
  column "id" { type = uuid }
  column "table_name" { type = string }
  column "label" { type = string }
  column "day" { type = date }
  column "clearance" { type = int } # how much a reader must have
  primary_key = ["id"]
}
