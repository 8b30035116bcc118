# What the moderation service lets moderators do to a player: an action of its own, `ban`, beside `view` and `mute`.

policy "moderators_mute" {
  description = "Moderators look into any player's case and mute them."
  to          = [group.moderators]
  on          = [resource.moderation.player]
  allow       = [view, mute]
}

policy "moderators_ban_after_three_strikes" {
  description = "Moderators ban ordinary players who have been warned three times."
  to          = [group.moderators]
  on          = [resource.moderation.player]
  allow       = [ban]
  when        = record.level == "user" && record.strikes >= 3
}

policy "lead_moderators_ban" {
  description = "Lead moderators ban without waiting for the third strike."
  to          = [group.lead_moderators]
  on          = [resource.moderation.player]
  allow       = [ban]
  when        = record.level == "user"
}

guard "own_case" {
  description = "Nobody handles their own case, whatever groups they are in."
  on          = [resource.moderation.player]
  require     = record.user_id != user.id
}
