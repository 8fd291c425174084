package bpe

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// nfc returns Unicode's normalization form C: what can be written as one character is, so
// that e and a combining acute accent become é. Package norm makes streams safe meanwhile:
// behind 30 combining marks in a row it puts a joiner, U+034F, which ftfy does not. Only
// such text takes the long way.
func nfc(s string) string {
	const joiner = "\u034F"
	composed := norm.NFC.String(s)
	if strings.Count(composed, joiner) == strings.Count(s, joiner) {
		return composed
	}
	return nfcMarks(s)
}

// nfcMarks is nfc for any number of marks in a row: each character is taken apart, the marks
// of a letter are sorted by class, where marks of one class keep their order, and each is
// joined to the last character of class 0, the starter, unless a mark between them is of the
// same or a higher class. Source: Unicode 15.0, section 3.11.
func nfcMarks(s string) string {
	type char struct {
		r     rune
		class uint8 // canonical combining class
	}
	var chars []char
	for _, r := range s {
		for _, r := range norm.NFD.String(string(r)) {
			chars = append(chars, char{r, norm.NFD.PropertiesString(string(r)).CCC()})
		}
	}
	for i := 0; i < len(chars); i++ {
		start := i
		for i < len(chars) && chars[i].class != 0 {
			i++
		}
		slices.SortStableFunc(chars[start:i], func(a, b char) int { return int(a.class) - int(b.class) })
	}
	out := chars[:0]
	starter := -1 // its place in out
	for _, c := range chars {
		last := len(out) - 1
		if starter >= 0 && (starter == last || out[last].class != 0 && out[last].class < c.class) {
			if joined := []rune(norm.NFC.String(string([]rune{out[starter].r, c.r}))); len(joined) == 1 {
				out[starter].r = joined[0]
				continue
			}
		}
		out = append(out, c)
		if c.class == 0 {
			starter = len(out) - 1
		}
	}
	var b strings.Builder
	for _, c := range out {
		b.WriteRune(c.r)
	}
	return b.String()
}
