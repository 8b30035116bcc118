package sqltext

import "strings"

// keywords are the words that need quotes as a name in one of Postgres 14 to
// 18 (pg_get_keywords() where catcode is not U). One too many only costs a
// needless pair of quotes.
const keywords = ` all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both
 case cast char character check coalesce collate collation column concurrently constraint create cross current_catalog
 current_date current_role current_schema current_time current_timestamp current_user dec decimal default deferrable desc
 distinct do else end except exists extract false fetch float for foreign freeze from full grant greatest group grouping
 having ilike in initially inner inout int integer intersect interval into is isnull join json json_array json_arrayagg
 json_exists json_object json_objectagg json_query json_scalar json_serialize json_table json_value lateral leading least
 left like limit localtime localtimestamp merge_action national natural nchar none normalize not notnull null nullif
 numeric offset on only or order out outer overlaps overlay placing position precision primary real references returning
 right row select session_user setof similar smallint some substring symmetric system_user table tablesample then time
 timestamp to trailing treat trim true union unique user using values varchar variadic verbose when where window with
 xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable `

// bareIdent is a name as quote_identifier prints it: without quotes where they
// are not needed.
func bareIdent(name string) SQL {
	for i, c := range []byte(name) {
		lower := c >= 'a' && c <= 'z' || c == '_'
		if !lower && (i == 0 || c < '0' || c > '9') {
			return quoteIdent(name)
		}
	}
	if isKeyword(name) {
		return quoteIdent(name)
	}
	return SQL(name)
}

func isKeyword(word string) bool {
	_, found := keywordSet[word]
	return found
}

// keywordSet is keywords, to look up in; it is never changed.
var keywordSet = func() map[string]struct{} {
	set := map[string]struct{}{}
	for _, w := range strings.Fields(keywords) {
		set[w] = struct{}{}
	}
	return set
}()

// Shown is a name for a reader, as Postgres itself prints it: in quotes only
// where it needs them.
func Shown(name string) SQL { return bareIdent(name) }
