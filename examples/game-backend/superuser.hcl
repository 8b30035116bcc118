# What superusers may do. The level has no magic: all of its power is written here.

policy "superusers_see_everything" {
  description = "Superusers see every record of the game, and can delete it."
  to          = [access_level.superuser]
  on = [
    table.game.users,
    table.game.profiles,
    table.game.sessions,
    table.game.scores,
    table.game.inventory_items,
    table.game.friendships,
    table.game.clubs,
    table.game.club_messages,
  ]
  allow = [view, delete]
}

policy "superusers_set_levels" {
  description = "Superusers alone change an account, and so a user's level."
  to          = [access_level.superuser]
  on          = [table.game.users]
  allow       = [edit]
  columns     = ["email", "level"]
}

policy "superusers_correct_profiles" {
  description = "Superusers change what any profile says."
  to          = [access_level.superuser]
  on          = [table.game.profiles]
  allow       = [edit]
  columns     = local.profile_fields
}

policy "superusers_found_clubs" {
  description = "Superusers found clubs."
  to          = [access_level.superuser]
  on          = [table.game.clubs]
  allow       = [create]
}

policy "superusers_correct_clubs" {
  description = "Superusers change how any club presents itself."
  to          = [access_level.superuser]
  on          = [table.game.clubs]
  allow       = [edit]
  columns     = local.club_fields
}

policy "superusers_give_items" {
  description = "Superusers give items to any player."
  to          = [access_level.superuser]
  on          = [table.game.inventory_items]
  allow       = [create]
}
