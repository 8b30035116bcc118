# What groups add to the levels: club members, club officers, moderators.

locals {
  club_fields = ["name", "motto", "recruiting"]
}

# --- members -------------------------------------------------------------------------------------------------

policy "members_see_their_club" {
  description = "Players see the club they are in."
  to          = [access_level.user]
  on          = [table.game.clubs]
  allow       = [view]
  when        = record.id == user.club_id
}

policy "members_read_their_clubs_messages" {
  description = "Members read their club's messages; a hidden one is left to its author."
  to          = [access_level.user]
  on          = [table.game.club_messages]
  allow       = [view]
  when        = record.club_id == user.club_id && (!record.hidden || record.author_id == user.id)
}

policy "members_write_messages" {
  description = "Members write to their own club, in their own name."
  to          = [access_level.user]
  on          = [table.game.club_messages]
  allow       = [create]
  check = (
    record.club_id == user.club_id &&
    record.author_id == user.id &&
    !record.hidden &&
    between(length(record.body), 1, 500)
  )
}

policy "authors_take_back_messages" {
  description = "An author can take a message back within five minutes."
  to          = [access_level.user]
  on          = [table.game.club_messages]
  allow       = [delete]
  when        = record.author_id == user.id && in_last(record.sent_at, minutes(5))
}

# --- officers ------------------------------------------------------------------------------------------------

policy "officers_run_their_club" {
  description = "Officers change how their own club presents itself."
  to          = [group.club_officers]
  on          = [table.game.clubs]
  allow       = [edit]
  when        = record.id == user.club_id
  columns     = local.club_fields
}

policy "officers_read_hidden_messages" {
  description = "Officers read all messages of their own club."
  to          = [group.club_officers]
  on          = [table.game.club_messages]
  allow       = [view]
  when        = record.club_id == user.club_id
}

policy "officers_hide_messages" {
  description = "Officers hide messages of their own club, and show them again."
  to          = [group.club_officers]
  on          = [table.game.club_messages]
  allow       = [edit]
  when        = record.club_id == user.club_id
  columns     = ["hidden"]
}

# --- moderators ----------------------------------------------------------------------------------------------

policy "moderators_read_every_club" {
  description = "Moderators read the messages of every club."
  to          = [group.moderators]
  on          = [table.game.club_messages]
  allow       = [view]
}

policy "moderators_hide_messages" {
  description = "Moderators hide messages in every club, and show them again."
  to          = [group.moderators]
  on          = [table.game.club_messages]
  allow       = [edit]
  columns     = ["hidden"]
}
