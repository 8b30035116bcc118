# In these tests the player is …a1, others are …a2 and …a3.

test "players see and edit only what is their own" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a1" }
  given "game" "users" {
    my_account    = { id = "00000000-0000-4000-8000-0000000000a1", level = "user" }
    other_account = { id = "00000000-0000-4000-8000-0000000000a2", level = "user" }
  }
  given "game" "profiles" {
    my_profile    = { user_id = "00000000-0000-4000-8000-0000000000a1", display_name = "Fox" }
    other_profile = { user_id = "00000000-0000-4000-8000-0000000000a2", display_name = "Otter" }
  }
  given "game" "scores" {
    my_score    = { user_id = "00000000-0000-4000-8000-0000000000a1" }
    other_score = { user_id = "00000000-0000-4000-8000-0000000000a2" }
  }
  given "game" "inventory_items" {
    my_lantern = { user_id = "00000000-0000-4000-8000-0000000000a1", keepsake = false }
    my_medal   = { user_id = "00000000-0000-4000-8000-0000000000a1", keepsake = true }
    other_rope = { user_id = "00000000-0000-4000-8000-0000000000a2", keepsake = false }
  }
  expect {
    view   = [my_account, my_profile, my_score, my_lantern, my_medal]
    edit   = [my_profile, my_lantern, my_medal]
    delete = [my_lantern]
    write "rename myself" {
      from    = my_profile
      to      = { display_name = "Vixen" }
      allowed = true
    }
    write "take over a profile" {
      from    = other_profile
      to      = { display_name = "Fox was here" }
      allowed = false
    }
    write "give my profile away" {
      from    = my_profile
      to      = { user_id = "00000000-0000-4000-8000-0000000000a3" }
      allowed = false
    }
    write "equip the lantern" {
      from    = my_lantern
      to      = { equipped = true }
      allowed = true
    }
    write "multiply the lantern" {
      from    = my_lantern
      to      = { quantity = 99 }
      allowed = false
    }
  }
}

test "players can't raise their level, nor write their score" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a1" }
  given "game" "users" {
    my_account = { id = "00000000-0000-4000-8000-0000000000a1", level = "user" }
  }
  expect {
    write "become a superuser" {
      from    = my_account
      to      = { level = "superuser" }
      allowed = false
    }
    write "a new high score" {
      table   = table.game.scores
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", points = 999999 }
      allowed = false
    }
    write "an item out of nothing" {
      table   = table.game.inventory_items
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", quantity = 1 }
      allowed = false
    }
  }
}

test "players log in, see their sessions, and log out" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a1" }
  now  = "2025-06-01T12:00:00Z"
  given "game" "sessions" {
    my_phone = { user_id = "00000000-0000-4000-8000-0000000000a1", expires_at = "2025-06-11T12:00:00Z" }
    other    = { user_id = "00000000-0000-4000-8000-0000000000a2", expires_at = "2025-06-11T12:00:00Z" }
    guest    = { user_id = null, expires_at = "2025-06-01T12:30:00Z" }
  }
  expect {
    view   = [my_phone]
    edit   = []
    delete = [my_phone]
    write "log in" {
      table   = table.game.sessions
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", expires_at = "2025-06-30T12:00:00Z" }
      allowed = true
    }
    write "log in for ever" {
      table   = table.game.sessions
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", expires_at = "2035-06-01T12:00:00Z" }
      allowed = false
    }
    write "log in as another" {
      table   = table.game.sessions
      to      = { user_id = "00000000-0000-4000-8000-0000000000a2", expires_at = "2025-06-30T12:00:00Z" }
      allowed = false
    }
  }
}

test "friendship is asked by one side and accepted by the other" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a1" }
  given "game" "friendships" {
    i_asked      = { user_id = "00000000-0000-4000-8000-0000000000a1", friend_id = "00000000-0000-4000-8000-0000000000a2", state = "asked" }
    they_asked   = { user_id = "00000000-0000-4000-8000-0000000000a3", friend_id = "00000000-0000-4000-8000-0000000000a1", state = "asked" }
    friends      = { user_id = "00000000-0000-4000-8000-0000000000a4", friend_id = "00000000-0000-4000-8000-0000000000a1", state = "accepted" }
    not_about_me = { user_id = "00000000-0000-4000-8000-0000000000a3", friend_id = "00000000-0000-4000-8000-0000000000a2", state = "accepted" }
  }
  expect {
    view   = [i_asked, they_asked, friends]
    delete = [i_asked, they_asked, friends]
    write "accept" {
      from    = they_asked
      to      = { state = "accepted" }
      allowed = true
    }
    write "accept in their place" {
      from    = i_asked
      to      = { state = "accepted" }
      allowed = false
    }
    write "turn an acceptance back" {
      from    = friends
      to      = { state = "asked" }
      allowed = false
    }
    write "accept somebody who never asked" {
      from    = they_asked
      to      = { user_id = "00000000-0000-4000-8000-0000000000a2", state = "accepted" }
      allowed = false
    }
    write "ask" {
      table   = table.game.friendships
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", friend_id = "00000000-0000-4000-8000-0000000000a5", state = "asked" }
      allowed = true
    }
    write "befriend by force" {
      table   = table.game.friendships
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", friend_id = "00000000-0000-4000-8000-0000000000a5", state = "accepted" }
      allowed = false
    }
    write "ask oneself" {
      table   = table.game.friendships
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", friend_id = "00000000-0000-4000-8000-0000000000a1", state = "asked" }
      allowed = false
    }
  }
}

assert "players give away nothing of others, and no keepsake" {
  never {
    who    = [access_level.user]
    action = delete
    on     = [table.game.inventory_items]
    app    = app.api
    when   = record.user_id != user.id && user.access_level == "user"
  }
  never {
    who    = [access_level.user]
    action = delete
    on     = [table.game.inventory_items]
    app    = app.api
    when   = record.keepsake && user.access_level == "user"
  }
}
