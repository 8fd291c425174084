package bpe

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"html"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"unicode"
)

// golden is testdata/golden/bpe.json.gz; bpe.py beside it, which made it, tells of the parts.
type golden struct {
	MadeWith   map[string]string `json:"made with"`
	Entities   map[string]string
	Characters struct {
		Letter, Number, Other, Space, Strip, Open ranges

		SigmaAfter     ranges `json:"sigma after"`
		SigmaAfterAAnd ranges `json:"sigma after A and"`
		NoSigmaBefore  ranges `json:"no sigma before"`

		Changed struct{ Lower, NFC, Fix map[string]string }
	}
	Texts []struct {
		Text    string
		IDs     []int
		Fixed   []int // nil: as IDs
		FTFY    []int // nil: as Fixed
		Decoded string
	}
	Rows []struct {
		Text     string
		Length   int
		Truncate bool
		Row      []int
		Tokens   int // where it is too long
	}
	Decoded []struct {
		IDs  []int
		Text string
	}
}

type ranges [][2]rune

func (rs ranges) has(r rune) bool {
	_, found := slices.BinarySearchFunc(rs, r, func(in [2]rune, r rune) int {
		switch {
		case in[1] < r:
			return -1
		case in[0] > r:
			return 1
		}
		return 0
	})
	return found
}

var goldens = sync.OnceValues(func() (*golden, error) {
	f, err := os.Open("../../testdata/golden/bpe.json.gz")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	g := new(golden)
	return g, json.NewDecoder(unpacked).Decode(g)
})

func loadGolden(t testing.TB) *golden {
	t.Helper()
	g, err := goldens()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGoldenTexts(t *testing.T) {
	g := loadGolden(t)
	if len(g.Texts) < 1500 {
		t.Fatalf("only %d texts", len(g.Texts))
	}
	tok := New()
	fixed, mojibake := 0, 0
	for _, c := range g.Texts {
		// Without ftfy: all of the original's own work.
		if got := tok.encodeClean(clean(c.Text)); !slices.Equal(got, c.IDs) {
			t.Errorf("%s: without ftfy %v, want %v", short(c.Text), got, c.IDs)
		}
		// With all of ftfy but its guessing at encodings: what the package promises.
		want := c.IDs
		if c.Fixed != nil {
			want = c.Fixed
			fixed++
		}
		got, err := tok.Encode(c.Text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", short(c.Text), got, err, want)
		}
		if c.FTFY != nil {
			mojibake++
		}
		if decoded, err := tok.Decode(got); err != nil || decoded != c.Decoded {
			t.Errorf("%s: decoded %q, %v, want %q", short(c.Text), decoded, err, c.Decoded)
		}
	}
	t.Logf("%d texts; ftfy changes the ids of %d, and takes %d for mojibake (%v)", len(g.Texts), fixed, mojibake, g.MadeWith)
}

// What ftfy takes for mojibake is all that differs from the original, so it must be what
// people who type descriptions do not write: nothing in plain English.
func TestMojibakeOnly(t *testing.T) {
	for _, c := range loadGolden(t).Texts {
		suspicious := func(r rune) bool { return r >= 0x80 && r != '’' && r != '“' && r != '”' && r != '—' }
		if c.FTFY != nil && !slices.ContainsFunc([]rune(html.UnescapeString(c.Text)), suspicious) {
			t.Errorf("%s: ftfy decodes plain text", short(c.Text))
		}
	}
}

func TestGoldenRows(t *testing.T) {
	tok := New()
	for _, c := range loadGolden(t).Rows {
		row, err := tok.Tokenize(c.Text, Options{ContextLength: c.Length, Truncate: c.Truncate})
		var tooLong *TooLongError
		switch {
		case c.Row != nil:
			if err != nil || !slices.Equal(row, c.Row) {
				t.Errorf("%s, %d, %v: %v, %v, want %v", short(c.Text), c.Length, c.Truncate, row, err, c.Row)
			}
		case !errors.As(err, &tooLong) || *tooLong != TooLongError{Tokens: c.Tokens, Limit: c.Length}:
			t.Errorf("%s, %d: error %v, want one about %d tokens", short(c.Text), c.Length, err, c.Tokens)
		}
	}
}

func TestGoldenDecode(t *testing.T) {
	tok := New()
	for _, c := range loadGolden(t).Decoded {
		if got, err := tok.Decode(c.IDs); err != nil || got != c.Text {
			t.Errorf("%v: %q, %v, want %q", c.IDs, got, err, c.Text)
		}
	}
}

// Every character, in each step that looks at single ones.
func TestGoldenCharacters(t *testing.T) {
	chars := loadGolden(t).Characters
	classes := [...]ranges{letter: chars.Letter, number: chars.Number, other: chars.Other}
	wrong := 0
	check := func(ok bool, r rune, what string) {
		if !ok && wrong < 50 {
			t.Errorf("%U, %q: %s", r, r, what)
			wrong++
		}
	}
	result := func(changed map[string]string, s string) string {
		if to, ok := changed[s]; ok {
			return to
		}
		return s
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		switch {
		case 0xD800 <= r && r <= 0xDFFF:
			continue
		case r == 0x3FFFE:
			r = 0xDFFFE // nothing is assigned in between but non-characters
		case r == 0xF0010:
			r = 0xFFFFE // for private use all the way
		case r == 0x100010:
			r = 0x10FFFE
		}
		if chars.Open.has(r) {
			continue
		}
		s := string(r)
		c, size := classOf(s)
		check(size == len(s), r, "length")
		for class := letter; class <= other; class++ {
			check((c == class) == classes[class].has(r), r, "class")
		}
		check(unicode.IsSpace(r) == chars.Space.has(r), r, "white space")
		check(isPythonSpace(r) == chars.Strip.has(r), r, "stripped")
		check((isCased(r) && !isCaseIgnorable(r)) == chars.SigmaAfter.has(r), r, "cased, not ignorable")
		check((isCased(r) || isCaseIgnorable(r)) == chars.SigmaAfterAAnd.has(r), r, "cased or ignorable")
		check((isCased(r) && !isCaseIgnorable(r)) == chars.NoSigmaBefore.has(r), r, "cased after")
		check(lower(s) == result(chars.Changed.Lower, s), r, "lower case")
		check(nfc(s) == result(chars.Changed.NFC, s), r, "NFC")
		check(nfcMarks(s) == result(chars.Changed.NFC, s), r, "NFC the long way")
		if r != '\r' && r != '\u2028' && r != '\u2029' { // see fix
			check(fix(s) == result(chars.Changed.Fix, s), r, "fixed")
		}
	}
}

// Every name of HTML's, in the ways to get it nearly right.
func TestGoldenEntities(t *testing.T) {
	names := loadGolden(t).Entities
	if len(names) != 2231 {
		t.Fatalf("%d names, want HTML's 2231", len(names))
	}
	// The definition: the whole name, else the longest one that it begins with.
	want := func(s string) string {
		for n := len(s); n > 1; n-- {
			if value, ok := names[s[:n]]; ok {
				return value + s[n:]
			}
		}
		return "&" + s
	}
	for name := range names {
		for _, s := range []string{name, name + ";", name + "x", name + "x;", name + "=", name + "é;", name[:len(name)-1], name[:len(name)-1] + ";", name[:1+len(name)/2] + ";"} {
			if got := unescape("&" + s); got != want(s) {
				t.Errorf("&%s: %q, want %q", s, got, want(s))
			}
		}
		if len(name) > maxName+1 {
			t.Errorf("%s is longer than maxName", name)
		}
	}
}

// short is text as an error message shows it.
func short(text string) string {
	const limit = 60
	quoted := []rune(text)
	if len(quoted) > limit {
		quoted = append(quoted[:limit:limit], '…')
	}
	return strconv.Quote(string(quoted))
}
