package postern.datasource

import data.postern.lib

# No app connects to this datasource, so an app that the input names does not
# count.

# METADATA
# title: user
# description: What is known of the user.
user := lib.user

# METADATA
# title: subjects
# description: What policies may name in "to" and the user is.
subjects := lib.subjects

# METADATA
# title: entered
# description: The request is well formed; no app connects to this datasource.
entered if lib.well_formed

# METADATA
# title: through
# description: A policy that names the apps it is for grants nothing here.
through(grant) if grant.via == null
