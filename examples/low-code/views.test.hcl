# The same records, seen by several users.

fixtures {
  given "platform" "app_records" {
    printer = { title = "INC-118 Printer on fire", status = "open", amount = 0, region = "EMEA", requester_id = "00000000-0000-4000-8000-0000000000a1", assignee_id = "00000000-0000-4000-8000-0000000000a2", mentions = [], confidential = false }
    laptop  = { title = "New laptop", status = "approved", amount = 1899, region = "EMEA", requester_id = "00000000-0000-4000-8000-0000000000a2", assignee_id = null, mentions = ["00000000-0000-4000-8000-0000000000a1"], confidential = false }
    invoice = { title = "INVOICE 2025-031, cleaning", status = "waiting", amount = 412.5, region = "APAC", requester_id = "00000000-0000-4000-8000-0000000000a3", assignee_id = null, mentions = [], confidential = false }
    chair   = { title = "A chair for a new colleague", status = "draft", amount = 89, region = null, requester_id = "00000000-0000-4000-8000-0000000000a1", assignee_id = null, mentions = [], confidential = false }
    secret  = { title = "Settlement", status = "open", amount = 30000, region = null, requester_id = "00000000-0000-4000-8000-0000000000a4", assignee_id = null, mentions = [], confidential = true }
  }
}

test "a1, in no group" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", groups = [] }
  expect {
    view = [printer, laptop, chair]
    edit = [chair]
  }
}

test "a2, on the support desk" {
  user = { id = "00000000-0000-4000-8000-0000000000a2", groups = [group.support] }
  expect {
    view = [printer, laptop]
    edit = []
  }
}

test "a4, in finance, at home" {
  user    = { id = "00000000-0000-4000-8000-0000000000a4", groups = [group.finance] }
  request = { ip = "203.0.113.7" }
  expect {
    view = [laptop, invoice]
  }
}

test "a4, in finance, at the office" {
  user    = { id = "00000000-0000-4000-8000-0000000000a4", groups = [group.finance] }
  request = { ip = "10.20.30.40" }
  expect {
    view = [laptop, invoice, secret]
  }
}

test "a5, an approver" {
  user = { id = "00000000-0000-4000-8000-0000000000a5", groups = [group.approvers] }
  expect {
    view = [printer]
  }
}

test "a7, a field engineer in EMEA" {
  user = { id = "00000000-0000-4000-8000-0000000000a7", region = "EMEA", groups = [group.field] }
  expect {
    view = [printer, laptop, chair]
  }
}

test "nobody who is signed in" {
  expect {
    view = []
  }
}
