# A database with one table, as pull writes it.

postern {
  project = "notes"
}

datasource "main" {
  type     = "postgres"
  url      = env("NOTES_ADMIN_URL")
  identity = "setting"
  owner    = "exempt"
}

table "main" "notes" {
  column "id" { type = int }
  column "owner" { type = string }
  column "body" {
    type = string
    null = true
  }
  primary_key = ["id"]
}
