# Club …e1 is the player's own, …e2 is another.

test "members read and write in their own club" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a1", club_id = "00000000-0000-4000-8000-0000000000e1" }
  now  = "2025-06-01T12:00:00Z"
  given "game" "clubs" {
    my_club    = { id = "00000000-0000-4000-8000-0000000000e1", recruiting = false }
    other_club = { id = "00000000-0000-4000-8000-0000000000e2", recruiting = false }
  }
  given "game" "club_messages" {
    mine_new    = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a1", hidden = false, sent_at = "2025-06-01T11:57:00Z" }
    mine_old    = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a1", hidden = false, sent_at = "2025-06-01T11:00:00Z" }
    mine_hidden = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a1", hidden = true, sent_at = "2025-06-01T11:00:00Z" }
    theirs      = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a2", hidden = false, sent_at = "2025-06-01T11:59:00Z" }
    hidden      = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a2", hidden = true, sent_at = "2025-06-01T11:59:00Z" }
    elsewhere   = { club_id = "00000000-0000-4000-8000-0000000000e2", author_id = "00000000-0000-4000-8000-0000000000a3", hidden = false, sent_at = "2025-06-01T11:59:00Z" }
  }
  expect {
    view   = [my_club, mine_new, mine_old, mine_hidden, theirs]
    edit   = []
    delete = [mine_new]
    write "a message" {
      table   = table.game.club_messages
      to      = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a1", body = "Who is in tonight?", hidden = false }
      allowed = true
    }
    write "an empty message" {
      table   = table.game.club_messages
      to      = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a1", body = "", hidden = false }
      allowed = false
    }
    write "a message in another's name" {
      table   = table.game.club_messages
      to      = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a2", body = "I quit", hidden = false }
      allowed = false
    }
    write "a message to another club" {
      table   = table.game.club_messages
      to      = { club_id = "00000000-0000-4000-8000-0000000000e2", author_id = "00000000-0000-4000-8000-0000000000a1", body = "Hello", hidden = false }
      allowed = false
    }
  }
}

test "officers run their own club" {
  app = app.api
  user = {
    id      = "00000000-0000-4000-8000-0000000000a1"
    club_id = "00000000-0000-4000-8000-0000000000e1"
    groups  = [group.club_officers]
  }
  given "game" "clubs" {
    my_club    = { id = "00000000-0000-4000-8000-0000000000e1", motto = "Always near water", recruiting = false }
    other_club = { id = "00000000-0000-4000-8000-0000000000e2", motto = "Not before ten", recruiting = true }
  }
  given "game" "club_messages" {
    hidden    = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a2", body = "Selling my account!", hidden = true }
    elsewhere = { club_id = "00000000-0000-4000-8000-0000000000e2", author_id = "00000000-0000-4000-8000-0000000000a3", hidden = false }
  }
  expect {
    view   = [my_club, other_club, hidden]
    edit   = [my_club, hidden]
    delete = []
    write "a new motto" {
      from    = my_club
      to      = { motto = "Mind the current" }
      allowed = true
    }
    write "a new motto for another club" {
      from    = other_club
      to      = { motto = "Sleepyheads" }
      allowed = false
    }
    write "show a message again" {
      from    = hidden
      to      = { hidden = false }
      allowed = true
    }
    write "put words in a mouth" {
      from    = hidden
      to      = { body = "I love this club" }
      allowed = false
    }
  }
}

test "an officer without a club runs none" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a1", groups = [group.club_officers] }
  given "game" "clubs" {
    club = { recruiting = true }
  }
  expect {
    view = [club]
    edit = []
  }
}

test "moderators hide messages in every club" {
  app  = app.api
  user = { id = "00000000-0000-4000-8000-0000000000a3", groups = [group.lead_moderators] }
  given "game" "club_messages" {
    message = { club_id = "00000000-0000-4000-8000-0000000000e1", author_id = "00000000-0000-4000-8000-0000000000a2", hidden = false }
    hidden  = { club_id = "00000000-0000-4000-8000-0000000000e2", author_id = "00000000-0000-4000-8000-0000000000a2", hidden = true }
  }
  expect {
    view   = [message, hidden]
    edit   = [message, hidden]
    delete = []
    write "hide" {
      from    = message
      to      = { hidden = true }
      allowed = true
    }
  }
}
