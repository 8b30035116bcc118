package postern.datasource

import data.postern.lib

# No app connects to this datasource, so an app that the input names does not
# count.

# METADATA
# title: user
# description: What is known of the user.
user := lib.user

subjects := lib.subjects

entered if lib.well_formed

# A policy that names the apps it is for grants nothing here.
through(grant) if grant.via == null
