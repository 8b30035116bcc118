resource "app" "user" {
  attribute "id" { type = string }
  actions = ["can_read_user"]
}

resource "app" "todo" {
  attribute "id" { type = string }
  attribute "ownerID" { type = string } # the e-mail address of who made it
  actions = ["can_read_todos", "can_create_todo", "can_update_todo", "can_delete_todo"]
}
