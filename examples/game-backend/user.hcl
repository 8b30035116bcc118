# What a player may do: see and change what is their own. Superusers are players too.

locals {
  profile_fields = ["display_name", "motto"]
}

# --- account -------------------------------------------------------------------------------------------------

policy "players_see_their_account" {
  description = "Players see their own account; nothing lets them edit it, for their level stands there."
  to          = [access_level.user]
  on          = [table.game.users]
  allow       = [view]
  when        = record.id == user.id
}

policy "players_keep_their_sessions" {
  description = "Players log in for up to 30 days, see where they are logged in, and log out."
  to          = [access_level.user]
  on          = [table.game.sessions]
  allow       = [view, create, delete]
  when        = record.user_id == user.id
  check       = record.user_id == user.id && in_next(record.expires_at, days(30))
}

policy "players_have_a_profile" {
  description = "Players make and see their own profile."
  to          = [access_level.user]
  on          = [table.game.profiles]
  allow       = [view, create]
  when        = record.user_id == user.id
}

policy "players_edit_their_profile" {
  description = "Players change what their profile says, not whose it is."
  to          = [access_level.user]
  on          = [table.game.profiles]
  allow       = [edit]
  when        = record.user_id == user.id
  columns     = local.profile_fields
}

# --- play ----------------------------------------------------------------------------------------------------

policy "players_see_their_game" {
  description = "Players see their own scores and items; match servers write them."
  to          = [access_level.user]
  on          = [table.game.scores, table.game.inventory_items]
  allow       = [view]
  when        = record.user_id == user.id
}

policy "players_equip_their_items" {
  description = "Players put their items on and off."
  to          = [access_level.user]
  on          = [table.game.inventory_items]
  allow       = [edit]
  when        = record.user_id == user.id
  columns     = ["equipped"]
}

policy "players_drop_their_items" {
  description = "Players throw items away, but not the keepsakes."
  to          = [access_level.user]
  on          = [table.game.inventory_items]
  allow       = [delete]
  when        = record.user_id == user.id && !record.keepsake
}

# --- friends -------------------------------------------------------------------------------------------------

policy "players_see_and_end_their_friendships" {
  description = "Both sides see a friendship, and either may end it."
  to          = [access_level.user]
  on          = [table.game.friendships]
  allow       = [view, delete]
  when        = record.user_id == user.id || record.friend_id == user.id
}

policy "players_ask_for_friendship" {
  description = "Players ask others in their own name."
  to          = [access_level.user]
  on          = [table.game.friendships]
  allow       = [create]
  check = (
    record.user_id == user.id &&
    record.friend_id != user.id &&
    record.state == "asked"
  )
}

policy "players_accept_friendship" {
  description = "Only the one who was asked can accept."
  to          = [access_level.user]
  on          = [table.game.friendships]
  allow       = [edit]
  when        = record.friend_id == user.id
  check       = record.friend_id == user.id && record.state == "accepted"
  columns     = ["state"]
}
