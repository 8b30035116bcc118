# What each user of the scenario may do with a to-do of Rick's, Morty's and Summer's.

fixtures {
  given "app" "todo" {
    ricks   = { id = "1", ownerID = "rick@the-citadel.com" }
    mortys  = { id = "2", ownerID = "morty@the-citadel.com" }
    summers = { id = "3", ownerID = "summer@the-smiths.com" }
    nobodys = { id = "4" }
  }
  given "app" "user" {
    rick = { id = "rick@the-citadel.com" }
  }
}

test "Rick, an admin and an evil genius, does everything" {
  user = user.rick
  expect {
    can_read_user   = [rick]
    can_read_todos  = [ricks, mortys, summers, nobodys]
    can_create_todo = [ricks, mortys, summers, nobodys]
    can_update_todo = [ricks, mortys, summers, nobodys]
    can_delete_todo = [ricks, mortys, summers, nobodys]
  }
}

test "Morty, an editor, keeps his own" {
  user = user.morty
  expect {
    can_read_user   = [rick]
    can_read_todos  = [ricks, mortys, summers, nobodys]
    can_create_todo = [ricks, mortys, summers, nobodys]
    can_update_todo = [mortys]
    can_delete_todo = [mortys]
  }
}

test "Summer, an editor, keeps her own" {
  user = user.summer
  expect {
    can_read_user   = [rick]
    can_read_todos  = [ricks, mortys, summers, nobodys]
    can_create_todo = [ricks, mortys, summers, nobodys]
    can_update_todo = [summers]
    can_delete_todo = [summers]
  }
}

test "Beth, a viewer, looks" {
  user = user.beth
  expect {
    can_read_user   = [rick]
    can_read_todos  = [ricks, mortys, summers, nobodys]
    can_create_todo = []
    can_update_todo = []
    can_delete_todo = []
  }
}

test "Jerry, a viewer, looks" {
  user = user.jerry
  expect {
    can_read_user   = [rick]
    can_read_todos  = [ricks, mortys, summers, nobodys]
    can_create_todo = []
    can_update_todo = []
    can_delete_todo = []
  }
}

test "somebody whom the directory does not know looks" {
  user = { sub = "somebody else" }
  expect {
    can_read_user   = [rick]
    can_read_todos  = [ricks, mortys, summers, nobodys]
    can_create_todo = []
    can_update_todo = []
    can_delete_todo = []
  }
}

test "nobody sees anything without an account" {
  expect {
    can_read_user   = []
    can_read_todos  = []
    can_create_todo = []
    can_update_todo = []
    can_delete_todo = []
  }
}

assert "to-dos of others are deleted by admins alone" {
  never {
    who    = [everyone]
    action = can_delete_todo
    on     = [resource.app.todo]
    when   = !member_of(group.admin) && record.ownerID != user.email
  }
}
