package postern.datasource

import data.postern.lib
import data.postern.lib.model.datasources.here as model

# METADATA
# title: app
# description: The app that the request comes through; undefined when it does not connect to this datasource.
app := input.app if model.apps[input.app]

# METADATA
# scope: document
# title: user
# description: What is known of the user; nothing behind an app whose users share its access.
default user := {}

user := lib.user if model.apps[app].as == "user"

# METADATA
# scope: document
# title: subjects
# description: What policies may name in "to" and the request is; behind an app whose users share its access, that app alone.
subjects contains concat(".", ["app", app])

subjects contains subject if {
	model.apps[app].as == "user"
	some subject in lib.subjects
}

# METADATA
# scope: document
# title: entered
# description: The request is well formed, and its user may use the app that it comes through.
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

# METADATA
# scope: document
# title: through
# description: Whether a grant counts for the app that the request comes through.
through(grant) if grant.via == null

through(grant) if app in grant.via
