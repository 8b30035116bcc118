# What the match servers may do: they write what players must not write themselves.

policy "match_servers_write_scores" {
  description = "Match servers write scores, and read them for the boards."
  to          = [app.match_server]
  on          = [table.game.scores]
  allow       = [view, create]
  check       = record.points >= 0
}

policy "match_servers_drop_loot" {
  description = "Match servers give players what they found, in sensible numbers."
  to          = [app.match_server]
  on          = [table.game.inventory_items]
  allow       = [create]
  check       = between(record.quantity, 1, 100) && !record.equipped
}

policy "match_servers_know_names" {
  description = "Match servers show names over heads; nothing else of a profile is theirs."
  to          = [app.match_server]
  on          = [table.game.profiles]
  allow       = [view]
  columns     = ["user_id", "display_name"]
}
