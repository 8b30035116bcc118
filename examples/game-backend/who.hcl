# The API reads the credentials of a request and passes on what they say. The three levels are built in, each
# including what the one below it may do: anonymous < user < superuser. Groups come on top of them.

identity {
  attribute "id" { type = uuid }
  attribute "club_id" { type = uuid } # the club a player is in, if any
}

group "club_officers" { description = "Players who run the club they are in" }

group "moderators" { description = "Volunteers who keep the peace" }

group "lead_moderators" {
  description = "Moderators with the last word"
  member_of   = [group.moderators]
}

# This player keeps their account, but is served as if they had not logged in, whatever their credentials say.
user "under_review" {
  description  = "Suspended while a report is looked into"
  attributes   = { id = "00000000-0000-4000-8000-0000000000af" }
  access_level = access_level.anonymous
}
