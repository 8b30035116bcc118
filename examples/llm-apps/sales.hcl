# The sales app: customer data, and nothing else.

service_account "sales" {
  description = "Sales app"
  datasource  = datasource.warehouse
  password    = env("SALES_PASSWORD")
  read_only   = true
  limits {
    connections       = 20
    statement_timeout = "15s"
  }
}

app "sales" {
  description = "Prepares a rep for a call"
  users       = [group.sales_reps] # and so sales managers, who are reps as well
  connect {
    datasource      = datasource.warehouse
    service_account = service_account.sales
    as              = "app"
    sql             = "untrusted"
  }
}

policy "sales_reads_customers" {
  description = "The sales app reads customers and how to reach them, without their tax numbers."
  to          = [app.sales]
  on          = [table.warehouse.customers]
  allow       = [view]
  columns     = except(["tax_id"])
}
