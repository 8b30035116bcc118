postern { project = "crm" }

datasource "crm" {
  type     = "postgres"
  url      = env("DATABASE_URL")
  identity = "signed"
  owner    = "exempt"
}

identity {
  attribute "id" { type = int }
  attribute "region" { type = string }
}

user "ann" {
  attributes = { id = 1, region = "EMEA" }
}

service_account "reps" {
  datasource = datasource.crm
  password   = env("REPS_PASSWORD")
}

app "desk" {
  users = [access_level.user]
  connect {
    datasource      = datasource.crm
    service_account = service_account.reps
    as              = "user"
  }
}
