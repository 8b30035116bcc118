policy "published" {
  description = "Whoever comes sees what is published."
  on          = [table.main.notes]
  to          = [everyone]
  allow       = [view]
  when        = record.published
}

policy "own" {
  description = "Users see and write their own notes."
  on          = [table.main.notes]
  to          = [access_level.user]
  allow       = [view, create, edit, delete]
  when        = record.owner_id == user.sub
  via         = [app.api]
}

policy "team" {
  description = "Users see the notes of their team."
  on          = [table.main.notes]
  to          = [access_level.user]
  allow       = [view]
  when        = record.team == user.team
}

policy "moderators" {
  description = "Moderators see all notes, and take them down."
  on          = [table.main.notes]
  to          = [access_level.user]
  allow       = [view, delete]
  when        = contains(user.roles, "moderator")
  via         = [app.api]
}
