package main

import "fmt"

// handView is the view that one would write by hand for a table of which a
// column is masked for all but a group; the rows are those that where leaves.
// It has no security_barrier, though one that leaves rows out should: so it is
// the fastest there is.
const handView = `DROP SCHEMA IF EXISTS hand CASCADE; CREATE SCHEMA hand;
CREATE VIEW hand.deals AS SELECT id, owner_id, region, tenant_id, account_id, brand_id, amount,
	CASE WHEN (SELECT 'contractors' IN (SELECT json_array_elements_text(current_setting('postern.claims', true)::json -> 'groups')))
		THEN title ELSE '…' || right(title, CASE WHEN length(title) > 4 THEN 4 ELSE 0 END) END AS title
FROM public.deals WHERE `

// viewCases are tables that accounts reach through a view, since a column is
// masked, beside the view by hand.
func viewCases() []policyCase {
	claims := map[string]any{"id": userID, "groups": []string{"sales"}}
	mask := "group \"sales\" { description = \"Sales\" }\n" +
		"mask \"title\" {\n  on = [table.main.deals]\n  columns = [\"title\"]\n  unless = [group.contractors]\n  with = last(4)\n}\n"
	own := grants("own", "access_level.user", "record.owner_id == user.id") + mask
	all := grants("all", "access_level.user", "true") +
		"policy \"accounts\" {\n  on = [table.main.accounts]\n  to = [access_level.user]\n  allow = [view]\n}\n" + mask
	mine, whole := handView+"owner_id = "+me, handView+"true"
	return []policyCase{
		{name: "view, a lookup by key", policies: own, claims: claims, setup: mine, query: "SELECT id, amount, title FROM %s d WHERE id = 153"},
		{name: "view, a range of keys", policies: own, claims: claims, setup: mine, query: "SELECT count(*), max(title) FROM %s d WHERE id BETWEEN 100000 AND 200000"},
		{name: "view, a join into it", policies: all, claims: claims, setup: whole, query: "SELECT count(*), sum(d.amount), max(d.title) FROM accounts a JOIN %s d ON d.account_id = a.id WHERE a.owner_id = '" + userID + "'"},
		{name: "view, an aggregate", policies: own, claims: claims, setup: mine, query: "SELECT region, count(*), max(title) FROM %s d GROUP BY region ORDER BY 1 LIMIT 1"},
		{name: "view, an aggregate of all", policies: all, claims: claims, setup: whole, query: "SELECT count(*), max(title) FROM %s d"},
	}
}

// queries are the ones that a case compares: under the policy, and by hand.
func (c policyCase) queries() (policy, hand string) {
	if c.query == "" {
		const all = "SELECT count(*), sum(amount) FROM deals"
		return all, all + " WHERE " + c.where
	}
	return fmt.Sprintf(c.query, "deals"), fmt.Sprintf(c.query, "hand.deals")
}
