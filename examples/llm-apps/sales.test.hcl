test "the sales app reads the customers who have not asked to be forgotten" {
  app = app.sales
  given "warehouse" "customers" {
    north     = { region = "north", tenant_id = 1, erasure_requested = false }
    south     = { region = "south", tenant_id = 2, erasure_requested = false }
    forgotten = { region = "south", tenant_id = 2, erasure_requested = true }
  }
  expect {
    view   = [north, south]
    edit   = []
    delete = []
  }
}

test "the sales app reads nothing else" {
  app = app.sales
  given "warehouse" "orders" {
    order = { tenant_id = 1 }
  }
  given "warehouse" "support_tickets" {
    ticket = { tenant_id = 1 }
  }
  given "warehouse" "finance_summary" {
    month = { tenant_id = 1, closed = true }
  }
  given "warehouse" "salaries" {
    pay = { tenant_id = 1 }
  }
  expect {
    view = []
  }
}
