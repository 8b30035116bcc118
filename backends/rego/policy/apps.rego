package postern.datasource

import data.postern.lib
import data.postern.lib.model.datasources.here as model

# METADATA
# title: app
# description: The app that the request comes through; undefined when it does not connect to this datasource.
app := input.app if model.apps[input.app]

# METADATA
# title: user
# description: What is known of the user; nothing behind an app whose users share its access.
default user := {}

user := lib.user if model.apps[app].as == "user"

subjects contains concat(".", ["app", app])

subjects contains subject if {
	model.apps[app].as == "user"
	some subject in lib.subjects
}

entered if {
	lib.well_formed
	model.apps[app].as == "app"
}

entered if {
	lib.well_formed
	model.apps[app].as == "user"
	some subject in model.apps[app].users
	subject in subjects
}

through(grant) if grant.via == null

through(grant) if app in grant.via
