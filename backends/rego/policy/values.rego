package postern.lib

# The readers below give a value of a JSON document in the normal form that
# conditions compare, and are undefined for null, for what is missing and for
# what is not of the type.

# METADATA
# scope: document
# title: plain
# description: >-
#   A document whose decimals do not end in zeros. The engine compares two long decimals that both do as floats, also
#   where it looks up what a function gave before; so the document's text is an argument as well.
plain(document, written) := document if not regex.match(`\.[0-9]*0[,}\]]`, written)

plain(document, written) := document if regex.match(`\.[0-9]{100}`, written)

plain(_, written) := json.unmarshal(short) if {
	not regex.match(`\.[0-9]{100}`, written)
	regex.match(`\.[0-9]*0[,}\]]`, written)
	short := regex.replace(
		written,
		`("(?:[^"\\]|\\.)*")|(-?[0-9]+\.[0-9]*[1-9])0+([,}\]])|(-?[0-9]+)\.0+([,}\]])`,
		"${1}${2}${3}${4}${5}",
	)
}

# METADATA
# title: text
# description: A string without NUL, which Postgres cannot hold.
text(x) := x if {
	is_string(x)
	not contains(x, "\u0000")
}

# METADATA
# title: padded
# description: A char(n), whose trailing spaces do not count.
padded(x) := trim_right(text(x), " ")

# METADATA
# title: bool
# description: A boolean.
bool(x) := x if is_boolean(x)

# METADATA
# title: enum
# description: One of the strings of an enum.
enum(x, values) := x if {
	is_string(x)
	x in values
}

# METADATA
# title: int
# description: A whole number of 64 bits, also when it is written with decimals or an exponent.
int(x) := n if {
	numeral(x)
	x >= -9223372036854775808
	x <= 9223372036854775807
	n := to_number(format_int(x, 10))
	n == x
}

# METADATA
# title: number
# description: A number below 10^38 with at most 18 decimals.
number(x) := x if {
	numeral(x)
	x > -100000000000000000000000000000000000000
	x < 100000000000000000000000000000000000000
	decimals(x) <= 18
}

# METADATA
# title: numeral
# description: >-
#   How a number may be written: at most 100 digits on either side, and an exponent of two digits.
numeral(x) if {
	is_number(x)
	regex.match(`^-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][+-]?[0-9]{1,2})?$`, json.marshal(x))
}

# METADATA
# scope: document
# title: decimals
# description: The decimals that a number's value needs, from its text; negative when it ends in zeros.
decimals(x) := 0 if x == 0 # regal ignore:equals-pattern-matching

decimals(x) := (count(part[2]) - zeros) - exponent(part[3]) if {
	x != 0
	pattern := `^-?([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$`
	part := regex.find_all_string_submatch_n(pattern, json.marshal(x), 1)[0]
	digits := concat("", [part[1], part[2]])
	zeros := count(digits) - count(trim_right(digits, "0"))
}

# METADATA
# scope: document
# title: exponent
# description: The exponent of a number from its text.
exponent("") := 0

exponent(e) := to_number(trim_left(e, "+")) if e != ""

# METADATA
# title: uuid_text
# description: The 8-4-4-4-12 form of RFC 9562, in lower case.
uuid_text(x) := lower(x) if {
	is_string(x)
	regex.match(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`, x)
}

# METADATA
# title: instant
# description: The nanoseconds from 1970 of an RFC 3339 time of year 1 to 9999 with at most six decimals.
instant(x) := ns if {
	is_string(x)
	regex.match(
		`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$`,
		x,
	)
	year := to_number(concat("", ["1", substring(x, 0, 4)])) - 10000
	year > 0
	real_day(year, substring(x, 5, 5))

	# The engine's own parser reaches from 1678 to 2262. The calendar repeats
	# every 400 years, which last 12622780800 seconds.
	near := 1700 + ((year + 300) % 400)
	parsed := time.parse_rfc3339_ns(concat("", [format_int(near, 10), substring(x, 4, -1)]))
	ns := era(parsed + (((year - near) / 400) * 12622780800000000000))
}

# METADATA
# title: era
# description: An instant of year 1 to 9999.
era(ns) := ns if {
	ns >= -62135596800000000000
	ns <= 253402300799999999000
}

# METADATA
# title: local_instant
# description: A time without offset, which is read as UTC.
local_instant(x) := instant(concat("", [text(x), "Z"]))

# METADATA
# title: date
# description: A day of year 1 to 9999, as its midnight UTC.
date(x) := instant(concat("", [text(x), "T00:00:00Z"]))

# METADATA
# scope: document
# title: real_day
# description: Whether the year has this day.
real_day(_, month_day) if {
	not month_day in {"02-29", "02-30", "02-31", "04-31", "06-31", "09-31", "11-31"}
}

real_day(year, "02-29") if {
	year % 4 == 0
	year % 100 != 0
}

real_day(year, "02-29") if year % 400 == 0

# METADATA
# scope: document
# title: ip
# description: One address in canonical text, without a zone and never an IPv4-mapped one.
ip(x) := address if {
	is_string(x)
	not contains(x, ":")
	cidr := concat("", [x, "/32"])
	net.cidr_is_valid(cidr)
	some address in net.cidr_expand(cidr)
}

ip(x) := address if {
	is_string(x)
	contains(x, ":")
	cidr := concat("", [x, "/128"])
	net.cidr_is_valid(cidr)
	some address in net.cidr_expand(cidr)
	contains(address, ":")
}

# METADATA
# title: small
# description: ASCII capitals as small letters; all else stays as it is.
small(x) := strings.replace_n(ascii, x)

# METADATA
# title: ascii
# description: ASCII capitals, and the small letters they become.
ascii := {
	"A": "a", "B": "b", "C": "c", "D": "d", "E": "e", "F": "f", "G": "g", "H": "h", "I": "i",
	"J": "j", "K": "k", "L": "l", "M": "m", "N": "n", "O": "o", "P": "p", "Q": "q", "R": "r",
	"S": "s", "T": "t", "U": "u", "V": "v", "W": "w", "X": "x", "Y": "y", "Z": "z",
}

# METADATA
# title: outside
# description: Whether a value is no element of a set, both known.
outside(x, values) if not x in values

# METADATA
# title: rows
# description: The related records of a to-many relation, when all of them are documents.
rows(x) := x if {
	is_array(x)
	every row in x {
		is_object(row)
	}
}

# METADATA
# title: present
# description: >-
#   A set is an array whose elements are null, which does not count, or of the type; one other element makes the
#   whole set unknown.
present(x) := [v | some v in x; v != null] if is_array(x)

# METADATA
# title: whole
# description: Whether every one of the given elements was readable.
whole(given, values) := {v | some v in values} if count(given) == count(values)

# METADATA
# title: text_set
# description: A set of strings.
text_set(x) := whole(given, [text(v) | some v in given]) if given := present(x)

# METADATA
# title: bool_set
# description: A set of booleans.
bool_set(x) := whole(given, [bool(v) | some v in given]) if given := present(x)

# METADATA
# title: enum_set
# description: A set of the strings of an enum.
enum_set(x, values) := whole(given, [enum(v, values) | some v in given]) if given := present(x)

# METADATA
# title: int_set
# description: A set of whole numbers.
int_set(x) := whole(given, [int(v) | some v in given]) if given := present(x)

# METADATA
# title: number_set
# description: A set of numbers.
number_set(x) := whole(given, [number(v) | some v in given]) if given := present(x)

# METADATA
# title: uuid_text_set
# description: A set of UUIDs.
uuid_text_set(x) := whole(given, [uuid_text(v) | some v in given]) if given := present(x)

# METADATA
# title: instant_set
# description: A set of instants.
instant_set(x) := whole(given, [instant(v) | some v in given]) if given := present(x)

# METADATA
# title: date_set
# description: A set of dates.
date_set(x) := whole(given, [date(v) | some v in given]) if given := present(x)

# METADATA
# title: ip_set
# description: A set of addresses.
ip_set(x) := whole(given, [ip(v) | some v in given]) if given := present(x)
