package bpe

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

//go:embed nfc.txt
var nfcData string

// nfcTables holds the content of nfc.txt.
type nfcTables struct {
	class     map[rune]uint8   // canonical combining class, where it is not 0
	decompose map[rune][2]rune // one step; the second is 0 if there is only one
	compose   map[[2]rune]rune // the inverse, where Unicode has one
}

// Hangul syllables are composed by arithmetic. Source: Unicode 14.0, section 3.12.
const (
	hangulS, hangulL, hangulV, hangulT = 0xAC00, 0x1100, 0x1161, 0x11A7

	hangulLs, hangulVs, hangulTs = 19, 21, 28
	hangulSs                     = hangulLs * hangulVs * hangulTs
)

// nfc returns Unicode's normalization form C. Characters are composed where possible: e and
// a combining acute accent become é. The combining marks of a letter get a fixed order.
// Source: Unicode 14.0, section 3.11.
func nfc(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x300 }) {
		return s // characters below the first combining mark are composed already
	}
	t := loadNFC()
	var runes []rune
	for _, r := range s {
		runes = t.appendDecomposed(runes, r)
	}
	t.order(runes)
	return string(t.composed(runes))
}

// appendDecomposed appends the decomposition of r.
func (t *nfcTables) appendDecomposed(dst []rune, r rune) []rune {
	if parts, ok := t.decompose[r]; ok {
		dst = t.appendDecomposed(dst, parts[0])
		if parts[1] != 0 {
			dst = t.appendDecomposed(dst, parts[1])
		}
		return dst
	}
	if i := r - hangulS; 0 <= i && i < hangulSs {
		dst = append(dst, hangulL+i/(hangulVs*hangulTs), hangulV+i/hangulTs%hangulVs)
		if i%hangulTs != 0 {
			dst = append(dst, hangulT+i%hangulTs)
		}
		return dst
	}
	return append(dst, r)
}

// order sorts each run of marks by class. Marks of one class keep their order, because they
// would touch one another on paper.
func (t *nfcTables) order(runes []rune) {
	for i := 0; i < len(runes); i++ {
		start := i
		for i < len(runes) && t.class[runes[i]] != 0 {
			i++
		}
		slices.SortStableFunc(runes[start:i], func(a, b rune) int { return int(t.class[a]) - int(t.class[b]) })
	}
}

// composed joins marks to the last character of class 0, the starter. A mark is not joined
// if another mark of the same or a higher class is between the two. It works in place.
func (t *nfcTables) composed(runes []rune) []rune {
	out := runes[:0]
	starter := -1       // the starter's index in out
	var lastClass uint8 // of the last character in out after the starter
	for _, r := range runes {
		class := t.class[r]
		adjacent := starter == len(out)-1
		if starter >= 0 && (adjacent || lastClass != 0 && lastClass < class) {
			if c, ok := t.join(out[starter], r); ok {
				out[starter] = c
				continue
			}
		}
		out = append(out, r)
		lastClass = class
		if class == 0 {
			starter = len(out) - 1
		}
	}
	return out
}

// join returns the composition of a and b, if there is one.
func (t *nfcTables) join(a, b rune) (rune, bool) {
	l, v := a-hangulL, b-hangulV
	if 0 <= l && l < hangulLs && 0 <= v && v < hangulVs {
		return hangulS + (l*hangulVs+v)*hangulTs, true
	}
	s, tail := a-hangulS, b-hangulT
	if 0 <= s && s < hangulSs && s%hangulTs == 0 && 0 < tail && tail < hangulTs {
		return a + tail, true
	}
	c, ok := t.compose[[2]rune{a, b}]
	return c, ok
}

// loadNFC reads nfc.txt; the head of that file explains its lines. The file is part of the
// program, so an error in it is a programmer's mistake and panics.
var loadNFC = sync.OnceValue(func() *nfcTables {
	t := &nfcTables{class: map[rune]uint8{}, decompose: map[rune][2]rune{}, compose: map[[2]rune]rune{}}
	for n, line := range strings.Split(strings.TrimSuffix(nfcData, "\n"), "\n") {
		kind, values, _ := strings.Cut(line, " ")
		var err error
		switch kind {
		case "#":
		case "class":
			var class uint8
			var first, last rune
			_, err = fmt.Sscanf(values, "%d %x %x", &class, &first, &last)
			for r := first; r <= last; r++ {
				t.class[r] = class
			}
		case "same":
			var r, as rune
			_, err = fmt.Sscanf(values, "%x %x", &r, &as)
			t.decompose[r] = [2]rune{as, 0}
		case "apart", "both":
			var r rune
			var parts [2]rune
			_, err = fmt.Sscanf(values, "%x %x %x", &r, &parts[0], &parts[1])
			t.decompose[r] = parts
			if kind == "both" {
				t.compose[parts] = r
			}
		default:
			err = fmt.Errorf("unknown kind of line")
		}
		if err != nil {
			panic(fmt.Sprintf("bpe: nfc.txt, line %d, %q: %v", n+1, line, err))
		}
	}
	return t
})
