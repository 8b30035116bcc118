package postern.lib

# What data filters compare columns with: values as the texts that databases read.

# METADATA
# title: day_text
# description: The day of an instant, as in 2025-01-31.
day_text(ns) := era_text(ns, "-01-02")

# METADATA
# title: instant_text
# description: An instant as RFC 3339 writes it, in UTC.
instant_text(ns) := concat("", [local_text(ns), "Z"])

# METADATA
# title: local_text
# description: An instant in UTC without an offset.
local_text(ns) := era_text(ns, "-01-02T15:04:05.999999")

# METADATA
# title: era_text
# description: >-
#   An instant of year 1 to 9999 in Go's layout after its year. The engine's own calendar reaches from 1678 to 2262, and
#   repeats every 400 years: the instant is written as one from 1701 on.
era_text(ns, layout) := concat("", [year, time.format([near, "UTC", layout])]) if {
	since := era(ns) + 71602704000000000000
	rest := since % 12622780800000000000
	near := rest - 8488800000000000000
	cycles := (since - rest) / 12622780800000000000
	year := substring(format_int(((time.date(near)[0] + (cycles * 400)) - 2000) + 10000, 10), 1, 4)
}

# METADATA
# title: day_texts
# description: The texts of a set of days.
day_texts(values) := {day_text(v) | some v in values}

# METADATA
# title: instant_texts
# description: The texts of a set of instants.
instant_texts(values) := {instant_text(v) | some v in values}

# METADATA
# title: local_texts
# description: The texts of a set of instants without offsets.
local_texts(values) := {local_text(v) | some v in values}

# METADATA
# scope: document
# title: digits
# description: >-
#   A number whose value every reader of JSON keeps, or its text: the Compile API holds numbers as doubles.
digits(x) := x if count(json.marshal(x)) <= 15

digits(x) := json.marshal(x) if count(json.marshal(x)) > 15

# METADATA
# title: digits_each
# description: The numbers of a set as numbers or as texts.
digits_each(values) := {digits(v) | some v in values}

# METADATA
# title: within
# description: Those of a set of whole numbers that a database's type can hold.
within(values, lowest, highest) := {digits(v) | some v in values; v >= lowest; v <= highest}
