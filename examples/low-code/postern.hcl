# A low-code platform: what its access screens let an administrator click together, as policies.

postern {
  required_version = ">= 0.1"
  project          = "low_code"
}

datasource "platform" {
  description = "Where the platform keeps the records of its apps, elements, tasks and tables"
  type        = "postgres"
  url         = env("PLATFORM_ADMIN_URL")
  identity    = "setting" # the platform's server signs users in and says who is asking
  owner       = "bound"
}

service_account "workspace" {
  description = "The platform's server"
  datasource  = datasource.platform
  password    = env("WORKSPACE_PASSWORD")
  limits {
    connections       = 50
    statement_timeout = "10s"
  }
}

app "workspace" {
  description = "The platform, as its users see it"
  users       = [access_level.user]
  connect {
    datasource      = datasource.platform
    service_account = service_account.workspace
    as              = "user"
  }
}
