# The default that a new app starts with. It is a policy like any other: delete this file (and its test), and
# internal users see what the other policies give them.

policy "default_all_records" {
  description = "Internal users see all records."
  to          = [group.internal]
  on = [
    table.platform.app_records,
    table.platform.elements,
    table.platform.tasks,
    table.platform.table_rows,
  ]
  allow = [view]
}
