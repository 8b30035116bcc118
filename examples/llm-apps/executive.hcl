# The executive app: the finance summary of closed months, and nothing else.

service_account "executive" {
  description = "Executive app"
  datasource  = datasource.warehouse
  password    = env("EXECUTIVE_PASSWORD")
  read_only   = true
  limits {
    connections       = 5
    statement_timeout = "15s"
  }
}

app "executive" {
  description = "The figures of the month, for the board"
  users       = [group.executives]
  connect {
    datasource      = datasource.warehouse
    service_account = service_account.executive
    as              = "app"
    sql             = "untrusted"
  }
}

policy "executive_reads_the_summary" {
  description = "The executive app reads the months that are closed."
  to          = [app.executive]
  on          = [table.warehouse.finance_summary]
  allow       = [view]
  when        = record.closed
}
