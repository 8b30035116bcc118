# Rows of tables.

# is; is after
policy "holidays" {
  description = "Everyone sees the holidays from 2025 on."
  to          = [access_level.user]
  on          = [table.platform.table_rows]
  allow       = [view]
  when        = record.table_name == "Holidays" && record.day > "2024-12-31"
}

# greater than, equals, less than ... against the current user
policy "clearance" {
  description = "People see rows up to their clearance, but for the drafts of next year's budget."
  to          = [access_level.user]
  on          = [table.platform.table_rows]
  allow       = [view]
  when        = record.clearance <= user.clearance && !starts_with(record.table_name, "Budget draft")
}

# between, on dates
policy "auditors_see_the_audited_year" {
  description = "Auditors see the rows of 2024, whatever their clearance."
  to          = [group.auditors]
  on          = [table.platform.table_rows]
  allow       = [view]
  when        = between(record.day, "2024-01-01", "2024-12-31")
}
