# What a request without valid credentials may do. It holds for everyone: players and superusers too.

policy "anyone_opens_a_guest_session" {
  description = "Anyone opens a session that is nobody's, for an hour at most."
  to          = [everyone]
  on          = [table.game.sessions]
  allow       = [create]
  check       = record.user_id == null && in_next(record.expires_at, hours(1))
}

policy "anyone_signs_up" {
  description = "Anyone makes an account, at the level of an ordinary user and no other."
  to          = [everyone]
  on          = [table.game.users]
  allow       = [create]
  check       = record.level == "user"
}

policy "anyone_sees_recruiting_clubs" {
  description = "Clubs that look for members are there for all to see."
  to          = [everyone]
  on          = [table.game.clubs]
  allow       = [view]
  when        = record.recruiting
}
