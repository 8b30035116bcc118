test "a department sees what is at or below it" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", department = "dept.eng", groups = [] }
  given "platform" "elements" {
    at      = { scope = "dept.eng" }
    below   = { scope = "dept.eng.web" }
    above   = { scope = "dept" }
    beside  = { scope = "dept.engine" }
    outside = { scope = "dept.ops" }
  }
  expect {
    view = [at, below]
  }
}

test "a group sees what it owns" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", groups = [group.dispatchers] }
  given "platform" "elements" {
    ours          = { owner_group = "dispatchers", scope = "dept.ops" }
    planners_too  = { owner_group = "planners", scope = "dept.ops" }
    somebody_else = { owner_group = "buyers", scope = "dept.ops" }
  }
  expect {
    view = [ours, planners_too]
  }
}

test "buyers see trusted vendors under contract" {
  user = { id = "00000000-0000-4000-8000-0000000000a8", groups = [group.buyers] }
  given "platform" "elements" {
    secure      = { verified = true, contract_ends = "2026-01-31", certificates = ["iso-27001"], owner_group = "ops" }
    two_bodies  = { verified = true, contract_ends = "2026-01-31", certificates = ["iso-9001", "iso-14001"], owner_group = "ops" }
    one_twice   = { verified = true, contract_ends = "2026-01-31", certificates = ["iso-9001", "iso-9001"], owner_group = "ops" }
    no_contract = { verified = true, contract_ends = null, certificates = ["iso-27001"], owner_group = "ops" }
    unverified  = { verified = false, contract_ends = "2026-01-31", certificates = ["iso-27001"], owner_group = "ops" }
  }
  expect {
    view = [secure, two_bodies]
  }
}

test "stewards see what needs care" {
  user = { id = "00000000-0000-4000-8000-0000000000a9", groups = [group.stewards] }
  given "platform" "elements" {
    fine        = { verified = true, notes = "Renewed every year", code = "K201", owner_group = "ops" }
    unverified  = { verified = false, notes = "Renewed every year", code = "K201", owner_group = "ops" }
    null_notes  = { verified = true, notes = null, code = "K201", owner_group = "ops" }
    empty_notes = { verified = true, notes = "", code = "K201", owner_group = "ops" }
    short_code  = { verified = true, notes = "Boxes in the cellar", code = "A3", owner_group = "ops" }
  }
  expect {
    view = [unverified, null_notes, empty_notes, short_code]
  }
}

test "finance sees contracts about to end, and the old ones" {
  user = { id = "00000000-0000-4000-8000-0000000000a4", groups = [group.finance] }
  now  = "2025-06-01T00:00:00Z"
  given "platform" "elements" {
    ends_soon    = { contract_ends = "2025-07-13", owner_group = "ops" }
    ends_later   = { contract_ends = "2025-07-14", owner_group = "ops" }
    ended_lately = { contract_ends = "2025-05-31", owner_group = "ops" }
    ended_long   = { contract_ends = "2019-12-31", owner_group = "ops" }
    no_end       = { contract_ends = null, owner_group = "ops" }
  }
  expect {
    view = [ends_soon, ended_long]
  }
}

test "auditors see this year's sample of codes" {
  user = { id = "00000000-0000-4000-8000-0000000000a6", groups = [group.auditors] }
  given "platform" "elements" {
    first      = { code = "K", owner_group = "ops" }
    inside     = { code = "K201", owner_group = "ops" }
    last       = { code = "KZZZ", owner_group = "ops" }
    lower_case = { code = "k201", owner_group = "ops" }
    outside    = { code = "L000", owner_group = "ops" }
  }
  expect {
    view = [first, inside, last]
  }
}
