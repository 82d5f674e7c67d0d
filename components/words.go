package components

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"example.org/portal/globus"
)

// agoWords says how long before now t was, such as "3 minutes ago". What lies
// ahead, as when two clocks differ, is just now.
func agoWords(now, t time.Time) string {
	d := now.Sub(t)
	if d < time.Minute {
		return "just now"
	}
	return spanWords(d) + " ago"
}

// leftWords says how long t is ahead of now, such as "47 hours left".
func leftWords(now, t time.Time) string {
	if !now.Before(t) {
		return "expired"
	}
	return aheadWords(now, t) + " left"
}

// aheadWords says how long t is ahead of now, to the nearest minute.
func aheadWords(now, t time.Time) string {
	d := t.Sub(now).Round(time.Minute)
	if d < time.Minute {
		return "less than a minute"
	}
	return spanWords(d)
}

// spanWords names d, a minute or more, in the largest unit that still tells
// enough, rounded down.
func spanWords(d time.Duration) string {
	const day = 24 * time.Hour
	units := []struct {
		name         string
		length, upTo time.Duration
	}{
		{"minute", time.Minute, time.Hour},
		{"hour", time.Hour, 2 * day},
		{"day", day, 60 * day},
		{"month", 30 * day, 2 * 365 * day},
	}
	for _, u := range units {
		if d < u.upTo {
			return countWords(int64(d/u.length), u.name)
		}
	}
	return countWords(int64(d/(365*day)), "year")
}

// initials are the first letters of somebody's first and last name, or else of
// their user name; empty if they have neither.
func initials(id *globus.Identity) string {
	words := strings.FieldsFunc(cmp.Or(id.Name, id.Username), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return ""
	}
	first := func(word string) string {
		r, _ := utf8.DecodeRuneInString(word)
		return string(unicode.ToUpper(r))
	}
	if id.Name == "" || len(words) == 1 {
		return first(words[0])
	}
	return first(words[0]) + first(words[len(words)-1])
}

// rowID makes an id that is the same whenever the same resource server is shown.
func rowID(part, server string) string {
	return part + "-" + strings.Join(strings.FieldsFunc(server, func(r rune) bool {
		return !(r == '.' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	}), "_")
}

// exactTime returns t as the tooltip of words such as "3 minutes ago" shows it.
func exactTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// bytesWords gives n bytes in the decimal units that Globus uses, such as
// "1.2 GB".
func bytesWords(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, units := float64(n)/1000, "kMGTPE"
	for v >= 999.95 && len(units) > 1 { // would be written as 1000.0
		v, units = v/1000, units[1:]
	}
	return fmt.Sprintf("%.1f %cB", v, units[0])
}

// countWords gives n of something, such as "1 file" or "1,200 files".
func countWords(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return number(n) + " " + thing
}

// number writes n with a comma between thousands.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	var groups []string
	for len(s) > 3 {
		groups = append([]string{s[len(s)-3:]}, groups...)
		s = s[:len(s)-3]
	}
	return sign + strings.Join(append([]string{s}, groups...), ",")
}

// BytesWords gives n bytes in words, such as "1.2 GB", for pages in other packages.
func BytesWords(n int64) string { return bytesWords(n) }

// CountWords likewise gives n of something, such as "1 record" or "1,200 records".
func CountWords(n int64, thing string) string { return countWords(n, thing) }

// Thousands writes n with a comma between thousands.
func Thousands(n int64) string { return number(n) }
