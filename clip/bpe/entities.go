package bpe

import (
	"html"
	"strings"
	"unicode/utf8"
)

// maxName is the length of the longest name, CounterClockwiseContourIntegral.
const maxName = 31

// unescape resolves character references, such as &eacute; &#233; &#xE9; and &eacute (the
// semicolon may be missing). It works once, from left to right, like Python's html.unescape.
func unescape(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		value, n := reference(s)
		b.WriteString(value)
		s = s[n:]
	}
	if b.Len() == 0 {
		return s // the usual case, without a copy
	}
	b.WriteString(s)
	return b.String()
}

// reference resolves the reference at the start of s, which begins with &. It returns the
// text for it, and the number of bytes that the text replaces. If there is no reference, the
// text is the & itself.
func reference(s string) (string, int) {
	if strings.HasPrefix(s, "&#") {
		return numericReference(s)
	}
	n := 1
	for n < len(s) && n <= maxName && isAlphanumeric(s[n]) {
		n++
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	return named(s[:n]), n
}

// named resolves a reference by name. The oldest names of HTML need no semicolon, and any
// text may follow them: &notit; is ¬it;.
func named(s string) string {
	switch s { // the two that package html lacks
	case "&nGt;":
		return "≫\u20D2"
	case "&nLt;":
		return "≪\u20D2"
	}
	return html.UnescapeString(s)
}

// numericReference resolves &#233; and &#xE9;, with or without the semicolon. Package html
// differs: it keeps &#9 where only one digit or the end of the text follows, reads &#x; as a
// number, keeps characters that Python removes, and lets large numbers overflow.
func numericReference(s string) (string, int) {
	base, n := rune(10), len("&#")
	if n < len(s) && (s[n] == 'x' || s[n] == 'X') {
		base = 16
		n++
	}
	first := n
	var value rune
	for ; n < len(s); n++ {
		d := digit(s[n])
		if d >= base {
			break
		}
		value = min(value*base+d, utf8.MaxRune+1) // any number beyond Unicode will do
	}
	if n == first {
		return "&", 1
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	switch {
	case value == 0 || value > utf8.MaxRune || 0xD800 <= value && value <= 0xDFFF:
		return "\uFFFD", n
	case 0x80 <= value && value <= 0x9F:
		return string(windows1252[value-0x80]), n
	case isRemoved(value):
		return "", n
	}
	return string(value), n
}

// isRemoved reports whether Python removes a reference to r. These are references to control
// codes that are not white space, and to non-characters; both are errors in HTML.
func isRemoved(r rune) bool {
	switch {
	case r < 0x20:
		return r != '\t' && r != '\n' && r != '\f' && r != '\r'
	case r == 0x7F, 0xFDD0 <= r && r <= 0xFDEF:
		return true
	}
	return r&0xFFFE == 0xFFFE
}

// digit returns the value of a hexadecimal digit, or 16.
func digit(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10
	}
	return 16
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// windows1252 holds the characters of Windows at 0x80…0x9F. Latin-1 has control codes there,
// which nobody means. Five places are free in Windows and stay control codes.
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8D, 'Ž', 0x8F,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9D, 'ž', 'Ÿ',
}
