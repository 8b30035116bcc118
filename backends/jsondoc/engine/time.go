package engine

import "strings"

// Microseconds.
const (
	second = int64(1_000_000)
	minute = 60 * second
	day    = 24 * 60 * minute

	// minTime and maxTime are the first and last instant of years 1 to 9999.
	minTime = -719162 * day
	maxTime = 2932897*day - 1
)

// decodeDate reads "2024-03-11", from year 1 to 9999.
func decodeDate(raw any) (int64, bool) {
	s, ok := raw.(string)
	if !ok || len(s) != 10 {
		return 0, false
	}
	d, ok := parseDay(s)
	return d * day, ok
}

// decodeTime reads RFC 3339 with a capital T, at most six decimals, no leap
// second, and "Z" or an offset of at most 15:59.
func decodeTime(raw any) (int64, bool) {
	s, ok := raw.(string)
	if !ok {
		return 0, false
	}
	t, rest, ok := parseClock(s)
	if !ok {
		return 0, false
	}
	offset, ok := parseOffset(rest)
	t -= offset
	return t, ok && t >= minTime && t <= maxTime
}

// decodeLocalTime reads the same without an offset; it is UTC.
func decodeLocalTime(raw any) (int64, bool) {
	s, ok := raw.(string)
	if !ok {
		return 0, false
	}
	t, rest, ok := parseClock(s)
	return t, ok && rest == ""
}

// parseDay reads the ten characters of a date as days from 1970-01-01.
func parseDay(s string) (int64, bool) {
	if s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	y, ok1 := number(s[0:4])
	m, ok2 := number(s[5:7])
	d, ok3 := number(s[8:10])
	if !ok1 || !ok2 || !ok3 || y < 1 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return 0, false
	}
	// Years counted from March make the leap day the last of the year.
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468, true
}

func daysIn(y, m int64) int64 {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// parseClock reads a date, "T" and a time of day with up to six decimals, and
// returns what follows.
func parseClock(s string) (t int64, rest string, ok bool) {
	if len(s) < 19 || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, "", false
	}
	d, ok := parseDay(s[:10])
	h, ok1 := number(s[11:13])
	m, ok2 := number(s[14:16])
	sec, ok3 := number(s[17:19])
	if !ok || !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || sec > 59 {
		return 0, "", false
	}
	t = d*day + (h*60+m)*minute + sec*second
	rest = s[19:]
	if fraction, ok := strings.CutPrefix(rest, "."); ok {
		n := digits(fraction)
		if n == 0 || n > 6 {
			return 0, "", false
		}
		micros, _ := number(fraction[:n])
		t += micros * int64(pow10[6-n]) //nolint:gosec // at most 10^5
		rest = fraction[n:]
	}
	return t, rest, true
}

func parseOffset(s string) (int64, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != 6 || (s[0] != '+' && s[0] != '-') || s[3] != ':' {
		return 0, false
	}
	h, ok1 := number(s[1:3])
	m, ok2 := number(s[4:6])
	if !ok1 || !ok2 || h > 15 || m > 59 {
		return 0, false
	}
	offset := (h*60 + m) * minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// number reads ASCII digits.
func number(s string) (int64, bool) {
	var n int64
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// shift is t moved by d; a time that leaves year 1 to 9999 is unknown.
func shift(t, d int64) (int64, bool) {
	sum := t + d
	if (sum > t) != (d > 0) && d != 0 || sum < minTime || sum > maxTime {
		return 0, false
	}
	return sum, true
}
