# Elements.

# under a path
policy "departments_see_their_own" {
  description = "People see the elements of their department and of those below it."
  to          = [access_level.user]
  on          = [table.platform.elements]
  allow       = [view]
  when        = is_under(record.scope, user.department, ".")
}

# group membership, by a field of the record
policy "owners_see_their_elements" {
  description = "Whoever is in the group that owns an element sees it."
  to          = [access_level.user]
  on          = [table.platform.elements]
  allow       = [view]
  when        = contains(user.groups, record.owner_group)
}

# is true; is not empty; contains, on a list; how many
policy "buyers_see_trusted_vendors" {
  description = "Buyers see verified vendors under contract: certified for security, or by two bodies at least."
  to          = [group.buyers]
  on          = [table.platform.elements]
  allow       = [view]
  when = (
    record.verified &&
    !is_empty(record.contract_ends) &&
    (contains(record.certificates, "iso-27001") || length(record.certificates) >= 2)
  )
}

# is false; is empty; how long
policy "stewards_see_what_needs_care" {
  description = "Stewards see what is unverified, has no notes, or has a code that is not four characters long."
  to          = [group.stewards]
  on          = [table.platform.elements]
  allow       = [view]
  when        = !record.verified || is_empty(record.notes) || length(record.code) != 4
}

# is in the next; is before
policy "finance_sees_ending_contracts" {
  description = "Finance sees contracts that end within six weeks, and those that ended before the platform came."
  to          = [group.finance]
  on          = [table.platform.elements]
  allow       = [view]
  when        = in_next(record.contract_ends, weeks(6)) || record.contract_ends < "2020-01-01"
}

# between, on text
policy "auditors_sample_elements" {
  description = "Auditors see this year's sample: the codes from K to KZZZ."
  to          = [group.auditors]
  on          = [table.platform.elements]
  allow       = [view]
  when        = between(record.code, "K", "KZZZ")
}
