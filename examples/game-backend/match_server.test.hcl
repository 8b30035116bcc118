test "match servers write scores and loot" {
  app = app.match_server
  given "game" "scores" {
    score = { user_id = "00000000-0000-4000-8000-0000000000a1", points = 4200 }
  }
  given "game" "profiles" {
    profile = { user_id = "00000000-0000-4000-8000-0000000000a1", display_name = "Fox" }
  }
  given "game" "inventory_items" {
    lantern = { user_id = "00000000-0000-4000-8000-0000000000a1" }
  }
  given "game" "sessions" {
    session = { user_id = "00000000-0000-4000-8000-0000000000a1" }
  }
  expect {
    view   = [score, profile]
    edit   = []
    delete = []
    write "a score" {
      table   = table.game.scores
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", points = 5050 }
      allowed = true
    }
    write "a score below zero" {
      table   = table.game.scores
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", points = -1 }
      allowed = false
    }
    write "loot" {
      table   = table.game.inventory_items
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", kind = "rope", quantity = 3, equipped = false }
      allowed = true
    }
    write "too much loot" {
      table   = table.game.inventory_items
      to      = { user_id = "00000000-0000-4000-8000-0000000000a1", kind = "rope", quantity = 1000, equipped = false }
      allowed = false
    }
  }
}
