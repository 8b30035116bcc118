# The API sends the subject of the caller's token. What it knows of them besides, their e-mail address and their
# roles, stands here.

identity {
  key = "sub"
  attribute "sub" { type = string }
  attribute "email" { type = string }
}

group "viewer" { description = "See the list, and who owns what" }

group "editor" {
  description = "Viewers who keep to-dos of their own"
  member_of   = [group.viewer]
}

group "admin" {
  description = "Editors who may delete anything"
  member_of   = [group.editor]
}

group "evil_genius" {
  description = "Editors who may change anything"
  member_of   = [group.editor]
}

user "rick" {
  description = "Rick Sanchez"
  attributes  = { sub = "CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", email = "rick@the-citadel.com" }
  groups      = [group.admin, group.evil_genius]
}

user "morty" {
  description = "Morty Smith"
  attributes  = { sub = "CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", email = "morty@the-citadel.com" }
  groups      = [group.editor]
}

user "summer" {
  description = "Summer Smith"
  attributes  = { sub = "CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", email = "summer@the-smiths.com" }
  groups      = [group.editor]
}

user "beth" {
  description = "Beth Smith"
  attributes  = { sub = "CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", email = "beth@the-smiths.com" }
  groups      = [group.viewer]
}

user "jerry" {
  description = "Jerry Smith"
  attributes  = { sub = "CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs", email = "jerry@the-smiths.com" }
  groups      = [group.viewer]
}
