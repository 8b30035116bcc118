test "the analyst app reads the business of both companies" {
  app = app.analyst
  given "warehouse" "orders" {
    order_1 = { tenant_id = 1, region = "north" }
    order_2 = { tenant_id = 2, region = "south" }
  }
  given "warehouse" "journal_entries" {
    entry = { tenant_id = 1 }
  }
  given "warehouse" "finance_summary" {
    open_month = { tenant_id = 1, month = "2025-04-01", closed = false }
  }
  given "warehouse" "products" {
    lamp = { sku = "LAMP-1" }
  }
  expect {
    view   = [order_1, order_2, entry, open_month, lamp]
    edit   = []
    delete = []
  }
}

test "the analyst app reads nothing about people" {
  app = app.analyst
  given "warehouse" "employees" {
    somebody = { tenant_id = 1 }
  }
  given "warehouse" "salaries" {
    pay = { tenant_id = 1 }
  }
  expect {
    view = []
  }
}

test "a customer who asked to be forgotten is gone for the analyst app" {
  app = app.analyst
  given "warehouse" "customers" {
    stays     = { erasure_requested = false }
    forgotten = { erasure_requested = true }
  }
  expect {
    view = [stays]
  }
}
