# The moderation service has no database of ours, so these tests ask the evaluator, OPA and the JSON engine.

test "moderators mute anyone and ban after three strikes" {
  user = { id = "00000000-0000-4000-8000-0000000000a3", groups = [group.moderators] }
  given "moderation" "player" {
    first_offence = { user_id = "00000000-0000-4000-8000-0000000000a1", level = "user", strikes = 1 }
    repeated      = { user_id = "00000000-0000-4000-8000-0000000000a2", level = "user", strikes = 3 }
    superuser     = { user_id = "00000000-0000-4000-8000-0000000000a0", level = "superuser", strikes = 7 }
    uncounted     = { user_id = "00000000-0000-4000-8000-0000000000a4", level = "user", strikes = null }
    own_case      = { user_id = "00000000-0000-4000-8000-0000000000a3", level = "user", strikes = 3 }
  }
  expect {
    view = [first_offence, repeated, superuser, uncounted]
    mute = [first_offence, repeated, superuser, uncounted]
    ban  = [repeated]
  }
}

test "lead moderators ban without waiting" {
  user = { id = "00000000-0000-4000-8000-0000000000a3", groups = [group.lead_moderators] }
  given "moderation" "player" {
    first_offence = { user_id = "00000000-0000-4000-8000-0000000000a1", level = "user", strikes = 1 }
    superuser     = { user_id = "00000000-0000-4000-8000-0000000000a0", level = "superuser", strikes = 7 }
    own_case      = { user_id = "00000000-0000-4000-8000-0000000000a3", level = "user", strikes = 0 }
  }
  expect {
    ban = [first_offence]
  }
}

test "superusers are no moderators unless they are in the group" {
  user = { id = "00000000-0000-4000-8000-0000000000a0", access_level = access_level.superuser, groups = [] }
  given "moderation" "player" {
    repeated = { user_id = "00000000-0000-4000-8000-0000000000a2", level = "user", strikes = 3 }
  }
  expect {
    view = []
    mute = []
    ban  = []
  }
}

test "anonymous moderates nobody" {
  given "moderation" "player" {
    repeated = { user_id = "00000000-0000-4000-8000-0000000000a2", level = "user", strikes = 3 }
  }
  expect {
    view = []
    mute = []
    ban  = []
  }
}
