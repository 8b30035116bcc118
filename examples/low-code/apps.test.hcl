# None of these users is in group.internal, so none of them sees records by default.

test "anyone signed in: what they asked for, have to do, or are mentioned in" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", groups = [] }
  given "platform" "app_records" {
    asked     = { requester_id = "00000000-0000-4000-8000-0000000000a1", status = "open", confidential = false }
    draft     = { requester_id = "00000000-0000-4000-8000-0000000000a1", status = "draft", confidential = false }
    to_do     = { assignee_id = "00000000-0000-4000-8000-0000000000a1", requester_id = "00000000-0000-4000-8000-0000000000a2", confidential = false }
    mentioned = { mentions = ["00000000-0000-4000-8000-0000000000a3", "00000000-0000-4000-8000-0000000000a1"], requester_id = "00000000-0000-4000-8000-0000000000a2", confidential = false }
    unrelated = { mentions = [], assignee_id = null, requester_id = "00000000-0000-4000-8000-0000000000a2", confidential = false }
  }
  expect {
    view   = [asked, draft, to_do, mentioned]
    edit   = [draft]
    delete = []
    write "ask for something" {
      table   = table.platform.app_records
      to      = { requester_id = "00000000-0000-4000-8000-0000000000a1", title = "A chair", status = "draft", confidential = false }
      allowed = true
    }
    write "ask in another's name" {
      table   = table.platform.app_records
      to      = { requester_id = "00000000-0000-4000-8000-0000000000a2", title = "A chair", status = "draft", confidential = false }
      allowed = false
    }
    write "hand a draft in" {
      from    = draft
      to      = { status = "open" }
      allowed = true
    }
    write "approve one's own draft" {
      from    = draft
      to      = { status = "approved" }
      allowed = false
    }
    write "change what is handed in" {
      from    = asked
      to      = { title = "Something else" }
      allowed = false
    }
  }
}

test "support: incidents that need somebody" {
  user = { id = "00000000-0000-4000-8000-0000000000a2", groups = [group.support] }
  given "platform" "app_records" {
    open_incident    = { title = "INC-118 Printer on fire", status = "open", confidential = false }
    waiting_incident = { title = "INC-120 Screen flickers", status = "waiting", confidential = false }
    closed_incident  = { title = "INC-3 Mouse", status = "closed", confidential = false }
    lower_case       = { title = "inc-118 printer on fire", status = "open", confidential = false }
    spam             = { title = "INC-119 You have won [spam]", status = "open", confidential = false }
    other            = { title = "New laptop", status = "open", confidential = false }
  }
  expect {
    view = [open_incident, waiting_incident]
    edit = []
  }
}

test "finance: middling amounts and invoices, out of draft" {
  user = { id = "00000000-0000-4000-8000-0000000000a4", groups = [group.finance] }
  given "platform" "app_records" {
    lowest  = { title = "Laptop", amount = 1000, status = "open", confidential = false }
    highest = { title = "Lorry", amount = 50000, status = "closed", confidential = false }
    below   = { title = "Chair", amount = 999.99, status = "open", confidential = false }
    above   = { title = "Building", amount = 50000.01, status = "open", confidential = false }
    draft   = { title = "Laptop", amount = 2000, status = "draft", confidential = false }
    invoice = { title = "INVOICE 2025-031, cleaning", amount = 12.5, status = "waiting", confidential = false }
  }
  expect {
    view = [lowest, highest, invoice]
  }
}

test "approvers: small amounts" {
  user = { id = "00000000-0000-4000-8000-0000000000a5", groups = [group.approvers] }
  given "platform" "app_records" {
    small       = { amount = 89, status = "open", confidential = false }
    done        = { amount = 89, status = "closed", confidential = false }
    small_draft = { amount = 89, status = "draft", confidential = false }
    hundred     = { amount = 100, status = "open", confidential = false }
  }
  expect {
    view = [small, done]
    write "approve" {
      from    = small
      to      = { status = "approved" }
      allowed = true
    }
    write "approve and raise the amount" {
      from    = small
      to      = { status = "approved", amount = 5000 }
      allowed = false
    }
    write "open again" {
      from    = done
      to      = { status = "open" }
      allowed = false
    }
    write "decide again" {
      from    = done
      to      = { status = "approved" }
      allowed = false
    }
    write "approve a large amount" {
      from    = hundred
      to      = { status = "approved" }
      allowed = false
    }
  }
}

test "policies add up: finance and support in one person" {
  user = { id = "00000000-0000-4000-8000-0000000000a4", groups = [group.finance, group.support] }
  given "platform" "app_records" {
    incident = { title = "INC-118 Printer on fire", amount = 0, status = "open", confidential = false }
    laptop   = { title = "New laptop", amount = 1899, status = "open", confidential = false }
    chair    = { title = "Chair", amount = 89, status = "open", confidential = false }
  }
  expect {
    view = [incident, laptop]
  }
}

test "auditors: the last 90 days, from inside" {
  user    = { id = "00000000-0000-4000-8000-0000000000a6", groups = [group.auditors] }
  request = { ip = "10.20.30.40" }
  now     = "2025-06-30T12:00:00Z"
  given "platform" "app_records" {
    today       = { opened_at = "2025-06-30T12:00:00Z", confidential = true }
    ninety_days = { opened_at = "2025-04-01T12:00:00Z", confidential = false }
    older       = { opened_at = "2025-04-01T11:59:59Z", confidential = false }
    tomorrow    = { opened_at = "2025-07-01T12:00:00Z", confidential = false }
  }
  expect {
    view = [today, ninety_days]
  }
}

test "auditors see nothing from outside" {
  user    = { id = "00000000-0000-4000-8000-0000000000a6", groups = [group.auditors] }
  request = { ip = "203.0.113.7" }
  now     = "2025-06-30T12:00:00Z"
  given "platform" "app_records" {
    today = { opened_at = "2025-06-30T12:00:00Z", confidential = false }
  }
  expect {
    view = []
  }
}

test "field engineers in EMEA also see records without a region" {
  user = { id = "00000000-0000-4000-8000-0000000000a7", region = "EMEA", groups = [group.field] }
  given "platform" "app_records" {
    emea    = { region = "EMEA", confidential = false }
    apac    = { region = "APAC", confidential = false }
    nowhere = { region = null, confidential = false }
    no_name = { region = "", confidential = false }
  }
  expect {
    view = [emea, nowhere]
  }
}

test "field engineers without a region see only records without one" {
  user = { id = "00000000-0000-4000-8000-0000000000a7", groups = [group.field] }
  given "platform" "app_records" {
    emea    = { region = "EMEA", confidential = false }
    nowhere = { region = null, confidential = false }
  }
  expect {
    view = [nowhere]
  }
}

test "a confidential record stays inside, for its requester too" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", groups = [] }
  given "platform" "app_records" {
    settlement = { requester_id = "00000000-0000-4000-8000-0000000000a1", confidential = true }
    chair      = { requester_id = "00000000-0000-4000-8000-0000000000a1", confidential = false }
  }
  expect {
    view = [chair]
  }
}

test "whoever is not signed in sees nothing" {
  request = { ip = "10.20.30.40" }
  given "platform" "app_records" {
    record = { title = "INC-118 Printer on fire", status = "open", region = null, confidential = false }
  }
  given "platform" "table_rows" {
    holiday = { table_name = "Holidays", day = "2025-01-01", clearance = 0 }
  }
  expect {
    view   = []
    edit   = []
    delete = []
  }
}
