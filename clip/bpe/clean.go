package bpe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean does what the original does to every text after ftfy. It resolves character
// references twice, because some web pages were escaped twice. It removes white space at
// the ends, replaces each run of white space by one space, and makes all letters lower case.
func clean(text string) string {
	text = unescape(unescape(text))
	text = strings.TrimFunc(text, isPythonSpace)
	return lower(collapseSpace(text))
}

// isPythonSpace is Python's str.isspace, which str.strip uses: unicode.IsSpace and the four
// separators among the control codes.
func isPythonSpace(r rune) bool { return unicode.IsSpace(r) || 0x1C <= r && r <= 0x1F }

// collapseSpace replaces each run of white space by one space. The four separators do not
// count as white space here, like \s in Python's regex module.
func collapseSpace(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	inSpace := false
	for _, r := range s {
		space := unicode.IsSpace(r)
		switch {
		case !space:
			b.WriteRune(r)
		case !inSpace:
			b.WriteByte(' ')
		}
		inSpace = space
	}
	return b.String()
}

// lower is Python's str.lower: unicode.ToLower, except for two characters.
//
//   - İ becomes i and a combining dot above, two characters.
//   - Σ becomes ς at the end of a word, and σ elsewhere. It is at the end if a letter with
//     case comes before it and none comes after it; marks and apostrophes in between do
//     not count.
//     Source: Unicode 14.0, table 3-17, Final_Sigma.
func lower(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		switch r {
		case 'İ':
			b.WriteString("i\u0307")
		case 'Σ':
			if casedBefore(s[:i]) && !casedAfter(s[i+len("Σ"):]) {
				b.WriteRune('ς')
			} else {
				b.WriteRune('σ')
			}
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func casedBefore(s string) bool {
	for s != "" {
		r, size := utf8.DecodeLastRuneInString(s)
		if !isCaseIgnorable(r) {
			return isCased(r)
		}
		s = s[:len(s)-size]
	}
	return false
}

func casedAfter(s string) bool {
	for _, r := range s {
		if !isCaseIgnorable(r) {
			return isCased(r)
		}
	}
	return false
}

// isCased and isCaseIgnorable are Unicode's derived properties of these names
// (Unicode 14.0, section 3.13, D135 and D136), which package unicode has only in parts.
func isCased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Uppercase, unicode.Other_Lowercase)
}

func isCaseIgnorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:·\u0387\u055F\u05F4‘’\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A", r)
}
