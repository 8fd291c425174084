package bpe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxSegment is the number of characters that ftfy repairs at a time.
	maxSegment = 1_000_000

	// maxRounds ends the repair of text that was escaped many times. Without it, the time
	// grows with the square of the length. ftfy has no such limit.
	maxRounds = 100
)

// fix is ftfy.fix_text(text, fix_encoding=False), ftfy 6.3.1: all repairs of ftfy except
// mojibake. It works line by line. From the first line with a "<" on, the text counts as
// HTML, and character references are not resolved.
//
// Two repairs of ftfy are missing because they make no difference here. ftfy replaces other
// line breaks by \n, but all white space becomes spaces later. It repairs surrogates, but
// these are not valid UTF-8.
func fix(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	resolve := true
	for text != "" {
		var segment string
		segment, text = cutSegment(text)
		resolve = resolve && !strings.Contains(segment, "<")
		b.WriteString(fixSegment(segment, resolve))
	}
	return b.String()
}

// isPlain reports whether text is ASCII and has nothing that fix could change.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= 0x7F || c == '&' || isRemovedControl(rune(c)) {
			return false
		}
	}
	return true
}

// cutSegment cuts after the first line break, or after maxSegment characters.
func cutSegment(text string) (segment, rest string) {
	end := strings.IndexByte(text, '\n') + 1
	if end == 0 {
		end = len(text)
	}
	if end > maxSegment && utf8.RuneCountInString(text[:end]) > maxSegment {
		n := 0
		for i := range text {
			if n == maxSegment {
				end = i
				break
			}
			n++
		}
	}
	return text[:end], text[end:]
}

// fixSegment repeats all repairs until they change nothing, because one repair may make
// another possible.
func fixSegment(s string, resolve bool) string {
	for range maxRounds {
		before := s
		if resolve {
			s = resolveStrictly(s)
		}
		s = nfc(removeControls(removeTerminalEscapes(replaceForms(s))))
		if s == before {
			break
		}
	}
	return s
}

// resolveStrictly resolves character references of at most 24 letters and digits. They must
// end with a semicolon and be resolved as a whole. Unlike unescape, it also knows names in
// capitals, which stand for capital letters, as in P&EACUTE;REZ.
func resolveStrictly(s string) string {
	const maxLength = 24
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			break
		}
		b.WriteString(s[:i])
		s = s[i:]
		name := 1
		if strings.HasPrefix(s, "&#") {
			name = 2
		}
		n := name
		for n < len(s) && n-name < maxLength && isAlphanumeric(s[n]) {
			n++
		}
		if n == name || n == len(s) || s[n] != ';' {
			b.WriteString(s[:n])
			s = s[n:]
			continue
		}
		n++
		b.WriteString(strictReference(s[:n]))
		s = s[n:]
	}
	b.WriteString(s)
	return b.String()
}

// strictReference resolves one reference from & to ;. If it cannot, it returns the reference
// unchanged.
func strictReference(s string) string {
	if s[1] == '#' {
		// A value with a semicolon was not resolved as a whole. (&#59; counts as such too.)
		if value := unescape(s); !strings.Contains(value, ";") {
			return value
		}
		return s
	}
	if value, ok := namedWhole(s); ok {
		return value
	}
	if s != strings.ToUpper(s) || named(s) != s {
		return s
	}
	switch value, ok := namedWhole(strings.ToLower(s)); {
	case !ok:
		return s
	case value == "ß":
		return "SS" // the only value for which strings.ToUpper is not enough
	default:
		return strings.ToUpper(value)
	}
}

// namedWhole resolves a reference, and reports whether the whole name up to the semicolon is
// known. Only &semi; resolves to a semicolon.
func namedWhole(s string) (string, bool) {
	value := named(s)
	return value, s == "&semi;" || !strings.HasSuffix(value, ";")
}

// replaceForms replaces characters by common ones that look nearly the same. Control codes
// become the characters that Windows has at these codes. Ligatures become single letters.
// Wide and narrow letters become common ones, and curly quotation marks straight ones.
func replaceForms(s string) string {
	return mapped(s, func(r rune) (string, bool) {
		if 0x80 <= r && r <= 0x9F {
			r = windows1252[r-0x80]
		}
		if letters, ok := ligatures[r]; ok {
			return letters, true
		}
		switch {
		case r == 0x3000:
			r = ' '
		case 0xFF01 <= r && r <= 0xFF5E:
			r -= 0xFF01 - '!'
		case r == 0xFFE3: // the only character that becomes two
			return " \u0304", true
		case 0xFF5F <= r && r <= 0xFFEE:
			if common := widths[r-0xFF5F]; common != 0 {
				r = common
			}
		}
		switch {
		case r == 0x02BC, 0x2018 <= r && r <= 0x201B:
			r = '\''
		case 0x201C <= r && r <= 0x201F:
			r = '"'
		}
		return string(r), true
	})
}

// mapped replaces each character by the text that change returns. If change returns false,
// the character is dropped.
func mapped(s string, change func(rune) (string, bool)) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r < 0x80 && !isRemovedControl(r) {
			b.WriteByte(byte(r))
			continue
		}
		if with, keep := change(r); keep {
			b.WriteString(with)
		}
	}
	return b.String()
}

// ligatures holds the ligatures of the Latin script, and the letter pairs of older standards.
var ligatures = map[rune]string{
	'Ĳ': "IJ", 'ĳ': "ij", 'ŉ': "'n",
	'Ǆ': "DŽ", 'ǅ': "Dž", 'ǆ': "dž", 'Ǉ': "LJ", 'ǈ': "Lj", 'ǉ': "lj",
	'Ǌ': "NJ", 'ǋ': "Nj", 'ǌ': "nj", 'Ǳ': "DZ", 'ǲ': "Dz", 'ǳ': "dz",
	'ﬀ': "ff", 'ﬁ': "fi", 'ﬂ': "fl", 'ﬃ': "ffi", 'ﬄ': "ffl", 'ﬅ': "ſt", 'ﬆ': "st",
}

// widths holds the common forms of U+FF5F…U+FFEE, and 0 where there is none.
var widths = widthTable()

func widthTable() (table [0xFFEE - 0xFF5F + 1]rune) {
	// Brackets, Katakana and Hangul, which are narrow in the original. · stands for codes
	// that are not assigned.
	const forms = "⦅⦆。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテト" +
		"ナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u3099\u309A" +
		"\u1160ᄀᄁᆪᄂᆬᆭᄃᄄᄅᆰᆱᆲᆳᆴᆵᄚᄆᄇᄈᄡᄉᄊᄋᄌᄍᄎᄏᄐᄑᄒ···" +
		"\u1161\u1162\u1163\u1164\u1165\u1166··\u1167\u1168\u1169\u116A\u116B\u116C··" +
		"\u116D\u116E\u116F\u1170\u1171\u1172··\u1173\u1174\u1175···" +
		"¢£¬·¦¥₩·│←↑→↓■○"
	i := 0
	for _, r := range forms {
		if r != '·' {
			table[i] = r
		}
		i++
	}
	return table
}

// removeTerminalEscapes drops the sequences that colour text on a terminal:
// ESC [ digits and semicolons, a letter.
func removeTerminalEscapes(s string) string {
	const start = "\x1b["
	var b strings.Builder
	for {
		i := strings.Index(s, start)
		if i < 0 {
			break
		}
		n := i + len(start)
		for n < len(s) {
			r, size := utf8.DecodeRuneInString(s[n:])
			if r != ';' && !unicode.IsDigit(r) {
				break
			}
			n += size
		}
		if n < len(s) && ('a' <= s[n]|0x20 && s[n]|0x20 <= 'z') {
			b.WriteString(s[:i])
			n++
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	b.WriteString(s)
	return b.String()
}

// removeControls drops characters that are invisible and have no effect.
func removeControls(s string) string {
	return mapped(s, func(r rune) (string, bool) { return string(r), !isRemovedControl(r) })
}

func isRemovedControl(r rune) bool {
	switch {
	case r < 0x20:
		return r != '\t' && r != '\n' && r != '\f' && r != '\r'
	case r == 0x7F, // delete
		0x206A <= r && r <= 0x206F, // of Arabic, deprecated
		r == 0xFEFF,                // byte order mark
		0xFFF9 <= r && r <= 0xFFFC: // annotations, object replacement
		return true
	}
	return false
}
