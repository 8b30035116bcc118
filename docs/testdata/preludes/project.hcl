# A project without anything in it.

postern {
  project = "acme"
}
