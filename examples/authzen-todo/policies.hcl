policy "read_users" {
  description = "Everybody with an account sees who owns a to-do."
  to          = [access_level.user]
  on          = [resource.app.user]
  allow       = [can_read_user]
}

policy "read_todos" {
  description = "Everybody with an account sees the list."
  to          = [access_level.user]
  on          = [resource.app.todo]
  allow       = [can_read_todos]
}

policy "create_todos" {
  description = "Editors make to-dos."
  to          = [group.editor]
  on          = [resource.app.todo]
  allow       = [can_create_todo]
}

policy "own_todos" {
  description = "Editors change and delete the to-dos they own."
  to          = [group.editor]
  on          = [resource.app.todo]
  allow       = [can_update_todo, can_delete_todo]
  when        = record.ownerID == user.email
}

policy "delete_any_todo" {
  description = "Admins delete any to-do."
  to          = [group.admin]
  on          = [resource.app.todo]
  allow       = [can_delete_todo]
}

policy "update_any_todo" {
  description = "Evil geniuses change any to-do."
  to          = [group.evil_genius]
  on          = [resource.app.todo]
  allow       = [can_update_todo]
}
