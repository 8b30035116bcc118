# Who reaches the database, and through which login.

app "api" {
  description = "The public API: players, and people who have not logged in"
  users       = [everyone]
  connect {
    datasource      = datasource.game
    service_account = service_account.game_api
    as              = "user"
  }
}

service_account "game_api" {
  description = "The public API"
  datasource  = datasource.game
  password    = env("GAME_API_PASSWORD")
  limits {
    connections       = 100
    statement_timeout = "5s"
  }
}

app "match_server" {
  description = "Runs the matches. No player is trusted with their own score, so this alone writes them"
  users       = [access_level.superuser]
  connect {
    datasource      = datasource.game
    service_account = service_account.match_server
    as              = "app"
  }
}

service_account "match_server" {
  description = "Match servers"
  datasource  = datasource.game
  password    = env("MATCH_SERVER_PASSWORD")
  limits {
    connections       = 40
    statement_timeout = "2s"
  }
}
