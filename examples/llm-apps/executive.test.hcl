test "the executive app reads closed months" {
  app = app.executive
  given "warehouse" "finance_summary" {
    march = { tenant_id = 1, month = "2025-03-01", closed = true }
    april = { tenant_id = 1, month = "2025-04-01", closed = false }
  }
  expect {
    view = [march]
  }
}

test "the executive app reads neither the entries behind them nor anything else" {
  app = app.executive
  given "warehouse" "journal_entries" {
    entry = { tenant_id = 1 }
  }
  given "warehouse" "orders" {
    order = { tenant_id = 1 }
  }
  given "warehouse" "customers" {
    customer = { tenant_id = 1, erasure_requested = false }
  }
  given "warehouse" "salaries" {
    pay = { tenant_id = 1 }
  }
  expect {
    view = []
  }
}
