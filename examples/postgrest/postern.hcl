# A PostgREST or Supabase project as it is: its server signs users in and puts
# the claims of their tokens into a setting; its roles stay its own.

postern {
  required_version = ">= 0.1"
  project          = "notes"
}

# The claims as such a server issues them: who it is under "sub", what an
# administrator wrote under "app_metadata". The rest of them says nothing here.
identity {
  key = "sub"
  attribute "sub" { type = uuid }
  attribute "team" {
    type  = int
    claim = "app_metadata.team"
  }
  attribute "roles" {
    type  = set(string)
    claim = "app_metadata.roles"
  }
}

datasource "main" {
  description = "The database behind the API"
  type        = "postgres"
  url         = env("NOTES_ADMIN_URL")
  identity    = "setting"
  claims      = "request.jwt.claims"
  owner       = "exempt" # migrations run as the tables' owner
}
