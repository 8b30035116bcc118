test "superusers see every record" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a0", access_level = access_level.superuser }
  given "game" "users" {
    player = { id = "00000000-0000-4000-8000-0000000000a1", level = "user" }
  }
  given "game" "profiles" {
    profile = { user_id = "00000000-0000-4000-8000-0000000000a1" }
  }
  given "game" "sessions" {
    guest = { user_id = null }
  }
  given "game" "club_messages" {
    hidden_message = { hidden = true }
  }
  given "game" "inventory_items" {
    medal = { user_id = "00000000-0000-4000-8000-0000000000a1", keepsake = true }
  }
  expect {
    view   = [player, profile, guest, hidden_message, medal]
    edit   = [player, profile]
    delete = [player, profile, guest, hidden_message, medal]
  }
}

test "only superusers raise a level" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a0", access_level = access_level.superuser }
  given "game" "users" {
    player = { id = "00000000-0000-4000-8000-0000000000a1", level = "user" }
  }
  expect {
    write "raise" {
      from    = player
      to      = { level = "superuser" }
      allowed = true
    }
    write "turn one account into another" {
      from    = player
      to      = { id = "00000000-0000-4000-8000-0000000000a2" }
      allowed = false
    }
  }
}

test "a moderator is not a superuser" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a1", groups = [group.lead_moderators] }
  given "game" "users" {
    player = { id = "00000000-0000-4000-8000-0000000000a2", level = "user" }
  }
  expect {
    view = []
    edit = []
  }
}

test "superusers found and correct clubs, and give items" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a0", access_level = access_level.superuser }
  given "game" "clubs" {
    night_owls = { name = "Night owls", recruiting = false }
  }
  expect {
    edit = [night_owls]
    write "a club" {
      table   = table.game.clubs
      to      = { name = "Riverbank", recruiting = true }
      allowed = true
    }
    write "an item" {
      table   = table.game.inventory_items
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", kind = "medal" }
      allowed = true
    }
    write "a score" {
      table   = table.game.scores
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", points = 1 }
      allowed = false
    }
  }
}
