# A game with one API and three levels of access to it: anonymous, user, superuser.

postern {
  required_version = ">= 0.1"
  project          = "game_backend"
}

datasource "game" {
  description = "The game's database"
  type        = "postgres"
  url         = env("GAME_ADMIN_URL")
  identity    = "setting" # the API checks credentials itself and tells the database who is asking
  owner       = "bound"
}

datasource "moderation" {
  description = "The moderation service, which asks OPA or the JSON engine before it acts"
  type        = "service"
}
