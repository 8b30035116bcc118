# In these tests …a1 manages sales, …a2 and …a3 are reps, …a4 is a support agent, …a5 is in the people team.

test "a rep sees the customers and orders that are theirs" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1, groups = [group.sales_reps] }
  given "warehouse" "customers" {
    mine      = { owner_id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1, region = "north", erasure_requested = false }
    forgotten = { owner_id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1, region = "north", erasure_requested = true }
    neighbour = { owner_id = "00000000-0000-4000-8000-0000000000a3", tenant_id = 1, region = "north", erasure_requested = false }
  }
  given "warehouse" "orders" {
    my_order    = { rep_id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1, region = "north" }
    other_order = { rep_id = "00000000-0000-4000-8000-0000000000a3", tenant_id = 1, region = "north" }
  }
  expect {
    view   = [mine, my_order]
    edit   = []
    delete = []
  }
}

test "a manager sees their regions as well" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a1", tenant_id = 1, regions = ["north", "west"], groups = [group.sales_managers] }
  given "warehouse" "customers" {
    mine      = { owner_id = "00000000-0000-4000-8000-0000000000a1", tenant_id = 1, region = "east", erasure_requested = false }
    regional  = { owner_id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1, region = "north", erasure_requested = false }
    elsewhere = { owner_id = "00000000-0000-4000-8000-0000000000a3", tenant_id = 1, region = "south", erasure_requested = false }
    sister    = { owner_id = "00000000-0000-4000-8000-0000000000b1", tenant_id = 2, region = "north", erasure_requested = false }
  }
  given "warehouse" "orders" {
    regional_order = { rep_id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1, region = "west" }
    south_order    = { rep_id = "00000000-0000-4000-8000-0000000000a3", tenant_id = 1, region = "south" }
  }
  expect {
    view = [mine, regional, regional_order]
  }
}

test "regions without the group, or the group without regions, open nothing" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1, regions = ["north"], groups = [group.sales_reps] }
  given "warehouse" "customers" {
    regional = { owner_id = "00000000-0000-4000-8000-0000000000a3", tenant_id = 1, region = "north", erasure_requested = false }
  }
  expect {
    view = []
  }
}

test "the tenant holds even for one's own customers" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 2, groups = [group.sales_reps] }
  given "warehouse" "customers" {
    left_behind = { owner_id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1, erasure_requested = false }
  }
  expect {
    view = []
  }
}

test "a token without a tenant opens no tenant's rows" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a5", groups = [group.hr] }
  given "warehouse" "employees" {
    me      = { id = "00000000-0000-4000-8000-0000000000a5", tenant_id = 1 }
    another = { id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 2 }
  }
  given "warehouse" "products" {
    lamp = { sku = "LAMP-1" }
  }
  expect {
    view = [lamp]
  }
}

test "a support agent sees their queue" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a4", tenant_id = 1, groups = [group.support_agents] }
  given "warehouse" "support_tickets" {
    mine   = { assignee_id = "00000000-0000-4000-8000-0000000000a4", tenant_id = 1 }
    free   = { assignee_id = null, tenant_id = 1 }
    theirs = { assignee_id = "00000000-0000-4000-8000-0000000000a0", tenant_id = 1 }
    sister = { assignee_id = null, tenant_id = 2 }
  }
  expect {
    view = [mine, free]
  }
}

test "staff see their own pay, and their reports but not their reports' pay" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a1", tenant_id = 1, groups = [group.sales_managers] }
  given "warehouse" "employees" {
    me     = { id = "00000000-0000-4000-8000-0000000000a1", manager_id = "00000000-0000-4000-8000-0000000000a0", tenant_id = 1 }
    report = { id = "00000000-0000-4000-8000-0000000000a2", manager_id = "00000000-0000-4000-8000-0000000000a1", tenant_id = 1 }
    peer   = { id = "00000000-0000-4000-8000-0000000000a4", manager_id = "00000000-0000-4000-8000-0000000000a0", tenant_id = 1 }
    boss   = { id = "00000000-0000-4000-8000-0000000000a0", manager_id = null, tenant_id = 1 }
  }
  given "warehouse" "salaries" {
    my_pay     = { employee_id = "00000000-0000-4000-8000-0000000000a1", valid_from = "2025-01-01", tenant_id = 1 }
    report_pay = { employee_id = "00000000-0000-4000-8000-0000000000a2", valid_from = "2025-01-01", tenant_id = 1 }
  }
  expect {
    view = [me, report, my_pay]
  }
}

test "the people team sees every employee and their pay, of its own company" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a5", tenant_id = 1, groups = [group.hr] }
  given "warehouse" "employees" {
    colleague = { id = "00000000-0000-4000-8000-0000000000a2", manager_id = "00000000-0000-4000-8000-0000000000a1", tenant_id = 1 }
    sister    = { id = "00000000-0000-4000-8000-0000000000b1", manager_id = null, tenant_id = 2 }
  }
  given "warehouse" "salaries" {
    pay        = { employee_id = "00000000-0000-4000-8000-0000000000a2", valid_from = "2025-01-01", tenant_id = 1 }
    sister_pay = { employee_id = "00000000-0000-4000-8000-0000000000b1", valid_from = "2025-01-01", tenant_id = 2 }
  }
  expect {
    view = [colleague, pay]
  }
}

test "a board member sees the open month of their company too" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a0", tenant_id = 1, groups = [group.executives] }
  given "warehouse" "finance_summary" {
    march        = { tenant_id = 1, month = "2025-03-01", closed = true }
    april        = { tenant_id = 1, month = "2025-04-01", closed = false }
    sister_march = { tenant_id = 2, month = "2025-03-01", closed = true }
  }
  given "warehouse" "journal_entries" {
    entry = { tenant_id = 1 }
  }
  expect {
    view = [march, april]
  }
}

test "a signed user who is not staff sees nothing" {
  app  = app.assistant
  user = { id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1, groups = [] }
  given "warehouse" "employees" {
    me = { id = "00000000-0000-4000-8000-0000000000a2", tenant_id = 1 }
  }
  given "warehouse" "products" {
    lamp = { sku = "LAMP-1" }
  }
  expect {
    view = []
  }
}

test "without a token there is nothing to see" {
  app = app.assistant
  given "warehouse" "products" {
    lamp = { sku = "LAMP-1" }
  }
  given "warehouse" "support_tickets" {
    free = { assignee_id = null, tenant_id = 1 }
  }
  expect {
    view = []
  }
}

assert "no model reads the data of another tenant" {
  never {
    who    = [everyone]
    action = view
    on     = [table.warehouse.customers, table.warehouse.salaries, table.warehouse.support_tickets]
    app    = app.assistant
    when   = record.tenant_id != user.tenant_id
  }
}

assert "nobody but the people team reads what others earn" {
  never {
    who    = [everyone]
    action = view
    on     = [table.warehouse.salaries]
    app    = app.assistant
    when   = !member_of(group.hr) && record.employee_id != user.id
  }
}
