# Tasks.

# is ... current user
policy "own_tasks" {
  description = "People see their own tasks."
  to          = [access_level.user]
  on          = [table.platform.tasks]
  allow       = [view]
  when        = record.assignee_id == user.id
}

# equals ... an attribute of the current user
policy "team_board" {
  description = "People see what their team still has to do."
  to          = [access_level.user]
  on          = [table.platform.tasks]
  allow       = [view]
  when        = record.team_id == user.team_id && !record.done
}

# text put together
policy "project_room" {
  description = "Whoever works in a project's room sees its tasks."
  to          = [access_level.user]
  on          = [table.platform.tasks]
  allow       = [view]
  when        = "project:${record.project_id}" == user.context
}

# arithmetic on whole numbers; group membership inside a condition
policy "planners_see_overruns" {
  description = "Planners see tasks more than 8 hours over their estimate; dispatchers see every overrun."
  to          = [group.planners]
  on          = [table.platform.tasks]
  allow       = [view]
  when = (
    record.spent_hours - record.estimate_hours > 8 ||
    (record.spent_hours > record.estimate_hours && member_of(group.dispatchers))
  )
}

# arithmetic on time; greater or equal
policy "dispatchers_see_late_starts" {
  description = "Dispatchers see urgent tasks that should have been done four hours after their start."
  to          = [group.dispatchers]
  on          = [table.platform.tasks]
  allow       = [view]
  when        = record.priority >= 3 && !record.done && record.starts_at + hours(4) < now()
}

policy "assignees_report_progress" {
  description = "People book hours on their own tasks and tick them off."
  to          = [access_level.user]
  on          = [table.platform.tasks]
  allow       = [edit]
  when        = record.assignee_id == user.id && !record.done
  check       = record.assignee_id == user.id && record.spent_hours >= 0
  columns     = ["spent_hours", "done"]
}
