table "crm" "deals" {
  column "id" { type = int }
  column "owner_id" { type = int }
  column "region" { type = string }
  primary_key = ["id"]
}

policy "own" {
  to    = [access_level.user]
  on    = [table.crm.deals]
  allow = [view]
  when  = record.owner_id == user.id || record.region == user.region
}
