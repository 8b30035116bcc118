# The two roles that the API's server switches to, by whether a request has a
# token. They exist already: Postern gives them grants and policies, and leaves
# their logins, memberships and settings alone.

service_account "anon" {
  description = "Requests without a token"
  datasource  = datasource.main
  managed     = false
  read_only   = true
}

service_account "authenticated" {
  description = "Requests with a token"
  datasource  = datasource.main
  managed     = false
}

app "site" {
  description = "The API, for whoever is not logged in"
  users       = [everyone]
  connect {
    datasource      = datasource.main
    service_account = service_account.anon
  }
}

app "api" {
  description = "The API, for users"
  users       = [access_level.user]
  connect {
    datasource      = datasource.main
    service_account = service_account.authenticated
  }
}
