// Package format writes numbers, and texts of others, as all commands print them.
package format

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Thousands writes a whole number with commas: 138,357,544.
func Thousands[T ~int | ~int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes writes a size with three or four digits: 812 B, 553.4 MB. A kB has 1000 bytes.
func Bytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n)/1000, "kB"
	for _, u := range []string{"MB", "GB", "TB"} {
		if v < 999.95 {
			break
		}
		v, unit = v/1000, u
	}
	return fmt.Sprintf("%.1f %s", v, unit)
}

// Megabytes writes a size in MB of 1,000,000 bytes, however large, so that the sizes of a
// column compare at a glance.
func Megabytes(bytes float64) string { return fmt.Sprintf("%.0f MB", bytes/1e6) }

// Milliseconds writes a duration, which is in seconds, in ms.
func Milliseconds(seconds float64) string { return fmt.Sprintf("%.1f ms", 1000*seconds) }

// Printable returns a text of others for a terminal or a table: as it is, or quoted if it
// has characters that a terminal obeys or that break a line, or nothing at all.
func Printable(s string) string {
	if s == "" || !utf8.ValidString(s) {
		return strconv.Quote(s)
	}
	for _, r := range s {
		// Control codes, separators of lines, and what turns the direction of writing.
		if unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return strconv.Quote(s)
		}
	}
	return s
}

// Message returns a message in which names of others may be, for a terminal: characters that it obeys
// become escapes, all but the ends of lines and tabs.
func Message(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t' || !unicode.IsControl(r) && !unicode.In(r, unicode.Bidi_Control):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// Cut returns at most n characters of a text, the last of which says that it goes on.
func Cut(s string, n int) string {
	if utf8.RuneCountInString(s) > n {
		return string([]rune(s)[:n-1]) + "…"
	}
	return s
}

// Quote quotes a text of others for an error message, and cuts what would fill it.
func Quote(s string) string { return strconv.Quote(Cut(s, 100)) }
