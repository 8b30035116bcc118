# What the examples of lints.md speak of.

postern {
  project = "desk"
}

identity {
  attribute "id" { type = string }
  attribute "clearance" { type = int }
}

group "agents" { description = "Whoever answers tickets" }

group "leads" {
  description = "Who leads agents"
  member_of   = [group.agents]
}

datasource "desk" { type = "service" }

resource "desk" "ticket" {
  attribute "owner" { type = string }
  attribute "level" { type = int }
  actions = ["view", "close"]
}

datasource "notes" {
  type     = "postgres"
  url      = env("NOTES_URL")
  identity = "signed"
  owner    = "exempt"
}

table "notes" "notes" {
  column "id" { type = int }
  column "owner" { type = string }
  primary_key = ["id"]
}
