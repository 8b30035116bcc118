# The Todo scenario of the OpenID AuthZEN interoperability events: a shared to-do list whose API asks a decision point.

postern {
  required_version = ">= 0.1"
  project          = "todo"
}

datasource "app" {
  description = "The to-do application"
  type        = "service"
}
