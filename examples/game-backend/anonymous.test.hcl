# A test without a `user` is a request without valid credentials.

test "anonymous sees recruiting clubs and nothing else" {
  app = app.api
  given "game" "clubs" {
    recruiting = { recruiting = true }
    closed     = { recruiting = false }
  }
  given "game" "users" {
    somebody = { level = "user" }
  }
  given "game" "profiles" {
    profile = { user_id = "00000000-0000-4000-8000-0000000000a1" }
  }
  given "game" "sessions" {
    guest_session = { user_id = null }
    session       = { user_id = "00000000-0000-4000-8000-0000000000a1" }
  }
  given "game" "scores" {
    score = { user_id = "00000000-0000-4000-8000-0000000000a1" }
  }
  expect {
    view   = [recruiting]
    edit   = []
    delete = []
  }
}

test "anonymous opens a guest session for an hour" {
  app = app.api
  now = "2025-06-01T12:00:00Z"
  expect {
    write "a guest session" {
      table   = table.game.sessions
      to      = { user_id = null, expires_at = "2025-06-01T13:00:00Z" }
      allowed = true
    }
    write "a guest session for a day" {
      table   = table.game.sessions
      to      = { user_id = null, expires_at = "2025-06-02T12:00:00Z" }
      allowed = false
    }
    write "somebody else's session" {
      table   = table.game.sessions
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", expires_at = "2025-06-01T13:00:00Z" }
      allowed = false
    }
  }
}

test "anyone signs up, but only as an ordinary user" {
  app = app.api
  expect {
    write "as a user" {
      table   = table.game.users
      to      = { level = "user" }
      allowed = true
    }
    write "as a superuser" {
      table   = table.game.users
      to      = { level = "superuser" }
      allowed = false
    }
  }
}

test "a player under review is served as if they had not logged in" {
  app  = app.api
  user = user.under_review
  given "game" "users" {
    own_account = { id = "00000000-0000-4000-8000-0000000000af", level = "user" }
  }
  given "game" "profiles" {
    own_profile = { user_id = "00000000-0000-4000-8000-0000000000af" }
  }
  given "game" "clubs" {
    recruiting = { recruiting = true }
  }
  expect {
    view   = [recruiting]
    edit   = []
    delete = []
  }
}

test "their credentials can't talk them out of it" {
  app = app.api
  user = {
    id           = "00000000-0000-4000-8000-0000000000af"
    club_id      = "00000000-0000-4000-8000-0000000000e1"
    access_level = access_level.superuser
    groups       = [group.moderators]
  }
  given "game" "users" {
    own_account = { id = "00000000-0000-4000-8000-0000000000af", level = "user" }
  }
  given "game" "club_messages" {
    message = { club_id = "00000000-0000-4000-8000-0000000000e1", hidden = false }
  }
  expect {
    view   = []
    edit   = []
    delete = []
  }
}
