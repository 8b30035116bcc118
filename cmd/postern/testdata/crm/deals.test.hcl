test "deals of one's own and of one's region" {
  user = { id = 1, region = "EMEA" }
  given "crm" "deals" {
    mine     = { owner_id = 1, region = "APAC" }
    regional = { owner_id = 2, region = "EMEA" }
    other    = { owner_id = 2, region = "APAC" }
  }
  expect {
    view = [mine, regional]
  }
}
