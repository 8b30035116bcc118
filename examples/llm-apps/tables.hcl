# The warehouse's tables. Two companies share it: most rows carry the company's tenant_id.

# --- sales ---------------------------------------------------------------------------------------------------

table "warehouse" "customers" {
  column "id" { type = uuid }
  column "tenant_id" { type = int }
  column "owner_id" { type = uuid } # the rep who looks after this customer
  column "name" { type = string }
  column "region" {
    type   = string
    native = "character varying(16)"
  }
  column "email" {
    type = string
    tags = ["pii"]
  }
  column "phone" {
    type = string
    null = true
    tags = ["pii"]
  }
  column "tax_id" {
    type = string
    null = true
    tags = ["pii"]
  }
  column "erasure_requested" { type = bool }
  primary_key = ["id"]
}

table "warehouse" "products" {
  column "sku" {
    type   = string
    native = "character varying(24)"
  }
  column "name" { type = string }
  column "list_price" { type = number }
  primary_key = ["sku"]
}

table "warehouse" "orders" {
  column "id" { type = uuid }
  column "tenant_id" { type = int }
  column "customer_id" { type = uuid }
  column "rep_id" { type = uuid }
  column "region" {
    type   = string
    native = "character varying(16)"
  }
  column "status" {
    type   = enum("open", "shipped", "cancelled")
    native = "public.order_status"
  }
  column "total" { type = number }
  column "ordered_at" { type = timestamp }
  primary_key = ["id"]
}

table "warehouse" "order_lines" {
  column "order_id" { type = uuid }
  column "line" { type = int }
  column "tenant_id" { type = int }
  column "sku" {
    type   = string
    native = "character varying(24)"
  }
  column "quantity" { type = int }
  column "unit_price" { type = number }
  primary_key = ["order_id", "line"]
}

table "warehouse" "support_tickets" {
  column "id" { type = uuid }
  column "tenant_id" { type = int }
  column "customer_id" { type = uuid }
  column "assignee_id" {
    type = uuid
    null = true # nobody has taken it yet
  }
  column "subject" { type = string }
  column "opened_at" { type = timestamp }
  column "solved" { type = bool }
  primary_key = ["id"]
}

# --- finance -------------------------------------------------------------------------------------------------

table "warehouse" "journal_entries" {
  column "id" { type = uuid }
  column "tenant_id" { type = int }
  column "booked_on" { type = date }
  column "account" { type = string }
  column "amount" { type = number }
  column "memo" { type = string }
  primary_key = ["id"]
}

table "warehouse" "finance_summary" {
  column "tenant_id" { type = int }
  column "month" { type = date } # its first day
  column "revenue" { type = number }
  column "costs" { type = number }
  column "closed" { type = bool } # false while the month's figures may still change
  primary_key = ["tenant_id", "month"]
}

# --- people --------------------------------------------------------------------------------------------------

table "warehouse" "employees" {
  column "id" { type = uuid }
  column "tenant_id" { type = int }
  column "manager_id" {
    type = uuid
    null = true
  }
  column "name" { type = string }
  column "job" { type = string }
  column "home_address" {
    type = string
    tags = ["pii"]
  }
  primary_key = ["id"]
}

table "warehouse" "salaries" {
  column "employee_id" { type = uuid }
  column "valid_from" { type = date }
  column "tenant_id" { type = int }
  column "yearly" { type = number }
  primary_key = ["employee_id", "valid_from"]
}
