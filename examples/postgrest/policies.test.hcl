fixtures {
  given "main" "notes" {
    public = { id = 1, owner_id = "00000000-0000-4000-8000-0000000000a2", published = true }
    mine   = { id = 2, owner_id = "00000000-0000-4000-8000-0000000000a1", published = false }
    ours   = { id = 3, owner_id = "00000000-0000-4000-8000-0000000000a2", team = 7, published = false }
    theirs = { id = 4, owner_id = "00000000-0000-4000-8000-0000000000a2", team = 8, published = false }
  }
}

test "without a token" {
  app = app.site
  expect {
    view   = [public]
    edit   = []
    delete = []
  }
}

test "a user" {
  user = { sub = "00000000-0000-4000-8000-0000000000a1", team = 7 }
  app  = app.api
  expect {
    view   = [public, mine, ours]
    edit   = [mine]
    delete = [mine]
    write "a note of one's own" {
      table   = table.main.notes
      to      = { owner_id = "00000000-0000-4000-8000-0000000000a1" }
      allowed = true
    }
    write "a note of somebody else" {
      table   = table.main.notes
      to      = { owner_id = "00000000-0000-4000-8000-0000000000a2" }
      allowed = false
    }
    write "give a note away" {
      from    = mine
      to      = { owner_id = "00000000-0000-4000-8000-0000000000a2" }
      allowed = false
    }
  }
}

test "a moderator" {
  user = { sub = "00000000-0000-4000-8000-0000000000a3", roles = ["moderator"] }
  app  = app.api
  expect {
    view   = [public, mine, ours, theirs]
    edit   = []
    delete = [public, mine, ours, theirs]
  }
}

test "a token that names nobody" {
  user = { access_level = access_level.anonymous }
  app  = app.api
  expect {
    view = []
  }
}

assert "notes of others are edited by nobody" {
  never {
    who    = [everyone]
    action = edit
    on     = [table.main.notes]
    when   = record.owner_id != user.sub
  }
}

assert "whoever has not logged in sees what is published, and no more" {
  never {
    who    = [everyone]
    action = view
    on     = [table.main.notes]
    when   = user.access_level == "anonymous" && !record.published
  }
}
