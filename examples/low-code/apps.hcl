# Records of apps. Every policy that fits a user adds to what they see.

locals {
  request_fields = ["title", "status", "amount"]
}

# --- the current user ----------------------------------------------------------------------------------------

# is ... current user
policy "own_requests" {
  description = "People see what they have asked for, and what they have been asked to do."
  to          = [access_level.user]
  on          = [table.platform.app_records]
  allow       = [view]
  when        = record.requester_id == user.id || record.assignee_id == user.id
}

# contains ... current user
policy "mentions" {
  description = "People see records they are mentioned in."
  to          = [access_level.user]
  on          = [table.platform.app_records]
  allow       = [view]
  when        = contains(record.mentions, user.id)
}

# --- groups --------------------------------------------------------------------------------------------------

# starts with, is any of, does not end with: joined by AND
policy "support_sees_incidents" {
  description = "The support desk sees incidents that still need somebody."
  to          = [group.support]
  on          = [table.platform.app_records]
  allow       = [view]
  when = (
    starts_with(record.title, "INC-") &&
    contains(["open", "waiting"], record.status) &&
    !ends_with(record.title, "[spam]")
  )
}

# is not, between, contains in any case: an AND with an OR group
policy "finance_sees_spending" {
  description = "Finance sees middling amounts and whatever speaks of an invoice, once it is out of draft."
  to          = [group.finance]
  on          = [table.platform.app_records]
  allow       = [view]
  when = (
    record.status != "draft" &&
    (
      between(record.amount, 1000, 50000) ||
      contains(lower(record.title), "invoice")
    )
  )
}

# less than
policy "approvers_see_small_amounts" {
  description = "Approvers see amounts below 100, once they are out of draft."
  to          = [group.approvers]
  on          = [table.platform.app_records]
  allow       = [view]
  when        = record.amount < 100 && record.status != "draft"
}

# is in the last; inside a network
policy "auditors_see_recent_records" {
  description = "Auditors see the last 90 days, from inside the building."
  to          = [group.auditors]
  on          = [table.platform.app_records]
  allow       = [view]
  when        = in_last(record.opened_at, days(90)) && cidr_contains("10.0.0.0/8", request.ip)
}

# is stated; if; default
policy "field_sees_its_region" {
  description = "Field engineers see their region, where a record without one counts as EMEA; those who have no region see the records without one."
  to          = [group.field]
  on          = [table.platform.app_records]
  allow       = [view]
  when        = known(user.region) ? coalesce(record.region, "EMEA") == user.region : record.region == null
}

# --- writing -------------------------------------------------------------------------------------------------

policy "people_ask_for_things" {
  description = "People start drafts in their own name."
  to          = [access_level.user]
  on          = [table.platform.app_records]
  allow       = [create]
  check       = record.requester_id == user.id && record.status == "draft"
}

policy "requesters_edit_drafts" {
  description = "People edit their drafts, and hand them in."
  to          = [access_level.user]
  on          = [table.platform.app_records]
  allow       = [edit]
  when        = record.requester_id == user.id && record.status == "draft"
  check       = record.requester_id == user.id && contains(["draft", "open"], record.status)
  columns     = local.request_fields
}

policy "approvers_decide" {
  description = "Approvers approve or close what is open and below 100."
  to          = [group.approvers]
  on          = [table.platform.app_records]
  allow       = [edit]
  when        = record.amount < 100 && record.status == "open"
  check       = record.amount < 100 && contains(["approved", "closed"], record.status)
  columns     = local.request_fields
}

# --- whatever the policies say -------------------------------------------------------------------------------

guard "confidential" {
  description = "Confidential records stay inside the building, for everyone."
  on          = [table.platform.app_records]
  require     = !record.confidential || cidr_contains("10.0.0.0/8", request.ip)
}
