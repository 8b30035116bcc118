# Goes with default.hcl: delete both together.

test "internal users see all records, which is not to say they may change them" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", groups = [group.internal, group.support] }
  given "platform" "app_records" {
    incident = { title = "INC-118 Printer on fire", status = "open", confidential = false }
    laptop   = { title = "New laptop", status = "draft", confidential = false }
  }
  given "platform" "elements" {
    element = { code = "K201" }
  }
  given "platform" "tasks" {
    task = { team_id = 9, done = true }
  }
  given "platform" "table_rows" {
    row = { table_name = "Price list", clearance = 5 }
  }
  expect {
    view   = [incident, laptop, element, task, row]
    edit   = []
    delete = []
  }
}

test "the guard holds for internal users too" {
  user    = { id = "00000000-0000-4000-8000-0000000000a1", groups = [group.internal] }
  request = { ip = "203.0.113.7" }
  given "platform" "app_records" {
    settlement = { title = "Settlement", confidential = true }
    laptop     = { title = "New laptop", confidential = false }
  }
  expect {
    view = [laptop]
  }
}
