table "main" "notes" {
  column "id" { type = int }
  column "owner_id" { type = uuid }
  column "team" {
    type = int
    null = true
  }
  column "title" { type = string }
  column "published" { type = bool }
  primary_key = ["id"]
}
