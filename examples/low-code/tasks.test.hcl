test "a team member sees their own tasks and the team's open ones" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", team_id = 1, groups = [] }
  given "platform" "tasks" {
    mine_done  = { assignee_id = "00000000-0000-4000-8000-0000000000a1", team_id = 2, done = true }
    mine_open  = { assignee_id = "00000000-0000-4000-8000-0000000000a1", team_id = 2, done = false }
    team_open  = { assignee_id = "00000000-0000-4000-8000-0000000000a2", team_id = 1, done = false }
    team_done  = { assignee_id = "00000000-0000-4000-8000-0000000000a2", team_id = 1, done = true }
    other_team = { assignee_id = null, team_id = 2, done = false }
  }
  expect {
    view   = [mine_done, mine_open, team_open]
    edit   = [mine_open]
    delete = []
    write "tick off" {
      from    = mine_open
      to      = { done = true, spent_hours = 3 }
      allowed = true
    }
    write "book less than nothing" {
      from    = mine_open
      to      = { spent_hours = -1 }
      allowed = false
    }
    write "stretch the estimate" {
      from    = mine_open
      to      = { estimate_hours = 40 }
      allowed = false
    }
    write "hand over" {
      from    = mine_open
      to      = { assignee_id = "00000000-0000-4000-8000-0000000000a2" }
      allowed = false
    }
    write "tick off for a colleague" {
      from    = team_open
      to      = { done = true }
      allowed = false
    }
  }
}

test "whoever is in a project's room sees its tasks" {
  user = { id = "00000000-0000-4000-8000-0000000000a1", context = "project:17", groups = [] }
  given "platform" "tasks" {
    in_project = { project_id = 17, done = false }
    shorter    = { project_id = 1, done = false }
    longer     = { project_id = 170, done = false }
  }
  expect {
    view = [in_project]
  }
}

test "planners see large overruns" {
  user = { id = "00000000-0000-4000-8000-0000000000ab", groups = [group.planners] }
  given "platform" "tasks" {
    nine_over  = { estimate_hours = 10, spent_hours = 19 }
    eight_over = { estimate_hours = 10, spent_hours = 18 }
    under      = { estimate_hours = 10, spent_hours = 2 }
  }
  expect {
    view = [nine_over]
  }
}

test "dispatchers, who are planners too, see every overrun and late urgent tasks" {
  user = { id = "00000000-0000-4000-8000-0000000000ac", groups = [group.dispatchers] }
  now  = "2025-06-01T12:00:00Z"
  given "platform" "tasks" {
    nine_over    = { estimate_hours = 10, spent_hours = 19, priority = 1 }
    one_over     = { estimate_hours = 10, spent_hours = 11, priority = 1 }
    late         = { estimate_hours = 10, spent_hours = 1, priority = 3, done = false, starts_at = "2025-06-01T07:59:59Z" }
    just_in_time = { estimate_hours = 10, spent_hours = 1, priority = 3, done = false, starts_at = "2025-06-01T08:00:00Z" }
    late_but_low = { estimate_hours = 10, spent_hours = 1, priority = 2, done = false, starts_at = "2025-06-01T07:00:00Z" }
    late_done    = { estimate_hours = 10, spent_hours = 1, priority = 3, done = true, starts_at = "2025-06-01T07:00:00Z" }
  }
  expect {
    view = [nine_over, one_over, late]
  }
}

assert "what is done on a task is booked by its assignee alone" {
  never {
    who     = [access_level.user]
    action  = edit
    on      = [table.platform.tasks]
    columns = ["spent_hours"]
    when    = record.assignee_id != user.id && user.access_level == "user"
  }
}
