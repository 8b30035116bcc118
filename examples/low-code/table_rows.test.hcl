test "rows up to one's clearance, and the holidays" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", clearance = 2, groups = [] }
  given "platform" "table_rows" {
    lower        = { table_name = "Price list", day = "2024-06-01", clearance = 1 }
    equal        = { table_name = "Price list", day = "2024-06-01", clearance = 2 }
    higher       = { table_name = "Price list", day = "2024-06-01", clearance = 3 }
    budget       = { table_name = "Budget draft 2026", day = "2025-05-01", clearance = 1 }
    holiday      = { table_name = "Holidays", day = "2025-01-01", clearance = 3 }
    past_holiday = { table_name = "Holidays", day = "2024-12-31", clearance = 3 }
  }
  expect {
    view = [lower, equal, holiday]
  }
}

test "without a clearance there are only the holidays" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", groups = [] }
  given "platform" "table_rows" {
    lower   = { table_name = "Price list", day = "2024-06-01", clearance = 0 }
    holiday = { table_name = "Holidays", day = "2025-01-01", clearance = 3 }
  }
  expect {
    view = [holiday]
  }
}

test "auditors see the audited year" {
  user = { id = "00000000-0000-4000-8000-0000000000a6", clearance = 0, groups = [group.auditors] }
  given "platform" "table_rows" {
    first  = { table_name = "Price list", day = "2024-01-01", clearance = 9 }
    last   = { table_name = "Price list", day = "2024-12-31", clearance = 9 }
    before = { table_name = "Price list", day = "2023-12-31", clearance = 9 }
    after  = { table_name = "Price list", day = "2025-01-01", clearance = 9 }
  }
  expect {
    view = [first, last]
  }
}
