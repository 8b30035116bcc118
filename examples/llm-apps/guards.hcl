# What holds whatever the policies allow.

guard "forgotten" {
  description = "No app shows a customer who has asked to be forgotten."
  on          = [table.warehouse.customers]
  require     = !record.erasure_requested
}

# The three shared apps carry no user, so a rule about the user's tenant would shut them altogether:
# this one is for the app that knows its users.
guard "tenant" {
  description = "The assistant's users stay inside their own company."
  on          = tables(datasource.warehouse, "tenant_id")
  to          = [app.assistant]
  require     = record.tenant_id == user.tenant_id
}
