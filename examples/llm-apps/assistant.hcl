# The assistant: one app for all staff, where each user sees what is theirs to see. Every request brings a
# signed token; the model may write whatever SQL it likes, the database answers for that user alone.

service_account "assistant" {
  description = "Staff assistant"
  datasource  = datasource.warehouse
  password    = env("ASSISTANT_PASSWORD")
  read_only   = true
  limits {
    connections       = 50
    statement_timeout = "15s"
  }
}

app "assistant" {
  description = "Ask the company's data anything"
  users       = [group.staff]
  connect {
    datasource      = datasource.warehouse
    service_account = service_account.assistant
    as              = "user" # each request carries its user
    sql             = "untrusted"
  }
}

# --- sales ---------------------------------------------------------------------------------------------------

policy "staff_see_products" {
  description = "The catalogue is open to all staff."
  to          = [group.staff]
  on          = [table.warehouse.products]
  allow       = [view]
}

policy "reps_see_their_customers" {
  description = "Reps see the customers they look after."
  to          = [group.sales_reps]
  on          = [table.warehouse.customers]
  allow       = [view]
  when        = record.owner_id == user.id
  columns     = except(["tax_id"])
}

policy "managers_see_their_regions_customers" {
  description = "Sales managers see the customers of the regions they answer for."
  to          = [group.sales_managers]
  on          = [table.warehouse.customers]
  allow       = [view]
  when        = contains(user.regions, record.region)
  columns     = except(["tax_id"])
}

policy "reps_see_their_orders" {
  description = "Reps see the orders they took."
  to          = [group.sales_reps]
  on          = [table.warehouse.orders]
  allow       = [view]
  when        = record.rep_id == user.id
}

policy "managers_see_their_regions_orders" {
  description = "Sales managers see the orders of the regions they answer for."
  to          = [group.sales_managers]
  on          = [table.warehouse.orders]
  allow       = [view]
  when        = contains(user.regions, record.region)
}

# --- support -------------------------------------------------------------------------------------------------

policy "agents_see_their_queue" {
  description = "Support agents see their own tickets, and those that nobody has taken."
  to          = [group.support_agents]
  on          = [table.warehouse.support_tickets]
  allow       = [view]
  when        = record.assignee_id == user.id || record.assignee_id == null
}

# --- finance -------------------------------------------------------------------------------------------------

policy "executives_see_every_month" {
  description = "Board members see their company's summary, the open month included."
  to          = [group.executives]
  on          = [table.warehouse.finance_summary]
  allow       = [view]
}

# --- people --------------------------------------------------------------------------------------------------

policy "staff_see_themselves_and_their_reports" {
  description = "Everyone sees their own entry, and those of the people they manage."
  to          = [group.staff]
  on          = [table.warehouse.employees]
  allow       = [view]
  when        = record.id == user.id || record.manager_id == user.id
  columns     = except(["home_address"])
}

policy "hr_sees_employees" {
  description = "The people team sees every employee. Home addresses have no place in a chat."
  to          = [group.hr]
  on          = [table.warehouse.employees]
  allow       = [view]
  columns     = except(["home_address"])
}

policy "staff_see_their_own_pay" {
  description = "Everyone sees what they earn, and nobody else's pay."
  to          = [group.staff]
  on          = [table.warehouse.salaries]
  allow       = [view]
  when        = record.employee_id == user.id
}

policy "hr_sees_pay" {
  description = "The people team sees pay."
  to          = [group.hr]
  on          = [table.warehouse.salaries]
  allow       = [view]
}
