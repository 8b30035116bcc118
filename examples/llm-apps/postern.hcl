# One warehouse, four apps that let a language model query it, and one login for each of them.

postern {
  required_version = ">= 0.1"
  project          = "llm_apps"
}

datasource "warehouse" {
  description = "The reporting copy of the business's data"
  type        = "postgres"
  url         = env("WAREHOUSE_ADMIN_URL")
  identity    = "signed" # a model writes the SQL, so nothing that SQL can set may say who the user is
  owner       = "exempt" # the nightly load owns the tables and keeps writing them
}
