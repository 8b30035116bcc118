# The analyst app: broad access, to most tables. Not to people's data, and not to who the customers are.

service_account "analyst" {
  description = "Analyst app"
  datasource  = datasource.warehouse
  password    = env("ANALYST_PASSWORD")
  read_only   = true
  limits {
    connections       = 10
    statement_timeout = "60s"
  }
}

app "analyst" {
  description = "Questions over the business, for the data team"
  users       = [group.analysts]
  connect {
    datasource      = datasource.warehouse
    service_account = service_account.analyst
    as              = "app" # all its users see the same
    sql             = "untrusted"
  }
}

policy "analyst_reads_the_business" {
  description = "The analyst app reads sales, support and finance as they are."
  to          = [app.analyst]
  on = [
    table.warehouse.products,
    table.warehouse.orders,
    table.warehouse.order_lines,
    table.warehouse.support_tickets,
    table.warehouse.journal_entries,
    table.warehouse.finance_summary,
  ]
  allow = [view]
}

policy "analyst_counts_customers" {
  description = "The analyst app reads customers without what identifies a person."
  to          = [app.analyst]
  on          = [table.warehouse.customers]
  allow       = [view]
  columns     = except(["name", "email", "phone", "tax_id"])
}
