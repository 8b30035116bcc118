# --- accounts ------------------------------------------------------------------------------------------------

# An account and its level stand apart from the profile: players edit the one, only superusers the other.
table "game" "users" {
  column "id" { type = uuid }
  column "email" {
    type = string
    tags = ["pii"]
  }
  column "level" {
    type   = enum("anonymous", "user", "superuser")
    native = "public.access_level"
  }
  column "created_at" { type = timestamp }
  primary_key = ["id"]
}

table "game" "profiles" {
  column "user_id" { type = uuid }
  column "display_name" {
    type   = string
    native = "character varying(32)"
  }
  column "motto" { type = string }
  column "updated_at" { type = timestamp }
  primary_key = ["user_id"]
}

table "game" "sessions" {
  column "id" { type = uuid }
  column "user_id" {
    type = uuid
    null = true # a guest, until they log in
  }
  column "device" { type = string }
  column "expires_at" { type = timestamp }
  primary_key = ["id"]
}

# --- play ----------------------------------------------------------------------------------------------------

table "game" "scores" {
  column "id" { type = uuid }
  column "user_id" { type = uuid }
  column "board" { type = string }
  column "points" { type = int }
  column "achieved_at" { type = timestamp }
  primary_key = ["id"]
}

table "game" "inventory_items" {
  column "id" { type = uuid }
  column "user_id" { type = uuid }
  column "kind" { type = string }
  column "quantity" { type = int }
  column "equipped" { type = bool }
  column "keepsake" { type = bool } # can't be thrown away
  primary_key = ["id"]
}

# --- friends and clubs ---------------------------------------------------------------------------------------

table "game" "friendships" {
  column "user_id" { type = uuid } # who asked
  column "friend_id" { type = uuid }
  column "state" {
    type   = enum("asked", "accepted")
    native = "public.friendship_state"
  }
  primary_key = ["user_id", "friend_id"]
}

table "game" "clubs" {
  column "id" { type = uuid }
  column "name" { type = string }
  column "motto" { type = string }
  column "recruiting" { type = bool }
  primary_key = ["id"]
}

table "game" "club_messages" {
  column "id" { type = uuid }
  column "club_id" { type = uuid }
  column "author_id" { type = uuid }
  column "body" { type = string }
  column "hidden" { type = bool }
  column "sent_at" { type = timestamp }
  primary_key = ["id"]
}

# --- moderation ----------------------------------------------------------------------------------------------

resource "moderation" "player" {
  attribute "user_id" { type = uuid }
  attribute "level" { type = enum("anonymous", "user", "superuser") }
  attribute "strikes" { type = int }
  actions = ["view", "mute", "ban"]
  filters = ["view", "ban"]
}
