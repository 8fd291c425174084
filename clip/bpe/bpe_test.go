package bpe

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestVocabulary(t *testing.T) {
	tok := New()
	if len(tok.text) != VocabularySize || VocabularySize != 49408 || StartOfText != 49406 || EndOfText != 49407 {
		t.Fatalf("%d tokens, marks %d and %d", len(tok.text), StartOfText, EndOfText)
	}
	seen := map[string]bool{}
	for id, s := range tok.text {
		if seen[s] {
			t.Errorf("token %d, %q, is there twice", id, s)
		}
		seen[s] = true
	}
	for c, id := range tok.byteID {
		if tok.text[id] != string([]byte{byte(c)}) || tok.text[id+lastOffset] != tok.text[id]+endOfWord {
			t.Errorf("byte %#x is token %d, %q and %q", c, id, tok.text[id], tok.text[id+lastOffset])
		}
	}
	if New() != tok {
		t.Error("a second tokenizer was made")
	}
}

func TestReadDamaged(t *testing.T) {
	damaged := bytes.Clone(vocabulary)
	damaged[len(damaged)/2] ^= 1
	for _, packed := range [][]byte{nil, []byte("version https://git-lfs.github.com/spec/v1\n"), vocabulary[:1000], damaged} {
		if _, err := read(packed); err == nil || !strings.Contains(err.Error(), vocabularySHA256) {
			t.Errorf("%d bytes: error %v, want one with the right SHA-256", len(packed), err)
		}
	}
}

func TestErrors(t *testing.T) {
	tok := New()
	_, err := tok.Tokenize("a dog\xff", Options{})
	if !errors.Is(err, ErrNotUTF8) || !strings.Contains(err.Error(), "0xff at offset 5") {
		t.Errorf("not UTF-8: %v", err)
	}
	if _, err := tok.Encode("\xed\xa0\x80"); !errors.Is(err, ErrNotUTF8) { // a surrogate
		t.Errorf("surrogate: %v", err)
	}
	if _, err := tok.Encode("\uFFFD"); err != nil { // a character like any other
		t.Errorf("U+FFFD: %v", err)
	}

	_, err = tok.Tokenize(strings.Repeat("b!", 5000), Options{})
	var tooLong *TooLongError
	if !errors.As(err, &tooLong) || *tooLong != (TooLongError{Tokens: 10002, Limit: 77}) ||
		!strings.Contains(err.Error(), "10002") || !strings.Contains(err.Error(), "77") {
		t.Errorf("too long: %v", err)
	}

	for _, n := range []int{-1, MaxContextLength + 1} {
		if _, err := tok.Tokenize("a", Options{ContextLength: n}); err == nil || !strings.Contains(err.Error(), fmt.Sprint(n)) {
			t.Errorf("context length %d: %v", n, err)
		}
	}
	for _, id := range []int{-1, VocabularySize} {
		if _, err := tok.Decode([]int{0, id}); !errors.Is(err, ErrUnknownID) || !strings.Contains(err.Error(), fmt.Sprintf("%d at position 1", id)) {
			t.Errorf("id %d: %v", id, err)
		}
	}
}

// An empty description is no error here.
func TestEmpty(t *testing.T) {
	want := make([]int, ContextLength)
	want[0], want[1] = StartOfText, EndOfText
	for _, text := range []string{"", " \t\n", "\u3000", "&nbsp;", "\x00\x1b[31m"} {
		if row, err := New().Tokenize(text, Options{}); err != nil || !slices.Equal(row, want) {
			t.Errorf("%q: %v, %v", text, row, err)
		}
	}
}

// The two ways to merge agree, also on words that stretch the order of the joins.
func TestMergeWays(t *testing.T) {
	tok := New()
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 400 {
		alphabet := []string{"a", "ab", "aeinrst", "abcdefghijklmnopqrstuvwxyz", "!?.-", "0123456789\xc3\xa9\xf0\x9f\x98\x80"}[n%6]
		word := make([]uint16, 1+random.IntN(300))
		for i := range word {
			word[i] = tok.byteID[alphabet[random.IntN(len(alphabet))]]
		}
		if n%3 == 0 { // tokens of several letters, as in the middle of the work
			for i := range word {
				word[i] = uint16(random.IntN(2000))
			}
		}
		word[len(word)-1] = word[len(word)-1]%lastOffset + lastOffset
		want := tok.mergeSimple(slices.Clone(word))
		if got := tok.mergeLong(slices.Clone(word)); !slices.Equal(got, want) {
			t.Fatalf("%v: %v, want %v", word, got, want)
		}
	}
}

// Texts on which a careless tokenizer's time grows with the square of the length. Here each
// takes some hundredths of a second.
func TestHostile(t *testing.T) {
	const size, limit = 1 << 16, 5 * time.Second
	tok := New()
	for name, part := range map[string]string{
		"one word": "etaoinshrdlu", "one letter": "a", "punctuation": "!?", "marks": "\u0301\u0323", "unordered marks": "\u0301\u0323\u0334",
		"sigmas": "Σ", "sigma and marks": "Σ\u0301\u0301", "references": "&", "escaped over and over": "amp;", "digits": "&#9999999", "names": "&abcdefgh",
		"terminal": "\x1b[1;1", "lines": "&\n", "marks of the text": "<|endoftext|>", "Hangul": "\u1100\u1161\u11a8", "spaces": "\u2003 ",
	} {
		text := "&" + strings.Repeat(part, size/len(part))
		start := time.Now()
		if _, err := tok.Tokenize(text, Options{Truncate: true}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took > limit {
			t.Errorf("%s: %v", name, took)
		}
	}
}

// The two ways to compose agree where both apply: on fewer than 30 marks in a row.
func TestComposeWays(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pool := []rune("aeoéậΣ가각\u1100\u1161\u11a8\u0301\u0302\u0323\u0327\u0344\u0345\u034F\u0958\u09be\u0f73\u2126が\u3099\ufb1d")
	for range 2000 {
		text := make([]rune, 1+random.IntN(8)) // of up to three marks each
		for i := range text {
			text[i] = pool[random.IntN(len(pool))]
		}
		if got, want := nfcMarks(string(text)), norm.NFC.String(string(text)); got != want {
			t.Fatalf("%+q: %+q, want %+q", string(text), got, want)
		}
	}
	for marks, want := range map[string]string{
		"e" + strings.Repeat("\u0301", 40):             "é" + strings.Repeat("\u0301", 39),
		"a" + strings.Repeat("\u0301\u0323", 40):       "ạ" + strings.Repeat("\u0323", 39) + strings.Repeat("\u0301", 40),
		"a\u034F" + strings.Repeat("\u0301", 40) + "b": "a\u034F" + strings.Repeat("\u0301", 40) + "b",
	} {
		if got := nfc(marks); got != want {
			t.Errorf("%+q: %+q, want %+q", marks, got, want)
		}
	}
}

// Whatever the text: no panic, ids in range, the right length, and marks where they belong.
func FuzzTokenize(f *testing.F) {
	for _, s := range []string{"", "a photo of a dog", "It’s ΑΣ, &amp;eacute; <b>&#x80;&notit;", "<|endoftext|>'ll", "\x1b[31mé\x00", "ｶﾞ\u0345\u1100\u1161", "👩🏽‍🚀1️⃣", "\xff", "&" + strings.Repeat("amp;", 30)} {
		f.Add(s, 0, true)
		f.Add(s, 5, false)
	}
	tok := New()
	f.Fuzz(func(t *testing.T, text string, length int, truncate bool) {
		if length > 1000 {
			length %= 1000
		}
		ids, err := tok.Encode(text)
		if !utf8.ValidString(text) {
			if !errors.Is(err, ErrNotUTF8) {
				t.Fatalf("error %v, want ErrNotUTF8", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tok.Decode(ids); err != nil {
			t.Fatal(err)
		}
		row, err := tok.Tokenize(text, Options{ContextLength: length, Truncate: truncate})
		if length == 0 {
			length = ContextLength
		}
		if fits := len(ids)+2 <= length; length < 0 || !fits && !truncate {
			if err == nil {
				t.Fatalf("no error for %d tokens in %d places", len(ids)+2, length)
			}
			return
		}
		if err != nil || len(row) != length {
			t.Fatalf("%d ids, %v, want %d", len(row), err, length)
		}
		end := min(len(ids)+1, length-1)
		if row[end] != EndOfText || end > 0 && row[0] != StartOfText {
			t.Fatalf("marks are not where they belong: %v", row)
		}
		for i, id := range row {
			switch {
			case 0 < i && i < end && id != ids[i-1]:
				t.Fatalf("place %d: id %d, want %d", i, id, ids[i-1])
			case i > end && id != 0:
				t.Fatalf("place %d: id %d, want padding", i, id)
			}
		}
	})
}

// The two ways to merge agree on any word.
func FuzzMerge(f *testing.F) {
	f.Add([]byte("hellohellohello"))
	f.Add(bytes.Repeat([]byte("aab"), 40))
	tok := New()
	f.Fuzz(func(t *testing.T, piece []byte) {
		if len(piece) == 0 || len(piece) > 2000 {
			return
		}
		word := make([]uint16, len(piece))
		for i, c := range piece {
			word[i] = tok.byteID[c]
		}
		word[len(word)-1] += lastOffset
		want := tok.mergeSimple(slices.Clone(word))
		if got := tok.mergeLong(word); !slices.Equal(got, want) {
			t.Fatalf("%q: %v, want %v", piece, got, want)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for b.Loop() {
		if _, err := read(vocabulary); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTokenize(b *testing.B) {
	tok := New()
	for _, c := range []struct{ name, text string }{
		{"caption", "a photo of two dogs running along the beach, it's sunset"},
		{"curly", "a photo of two dogs running along the beach, it’s sunset"},
		{"paragraph", strings.Repeat("A man rides his bicycle down a busy street in 2007. ", 100)},
		{"Japanese", strings.Repeat("犬が浜辺を走っている", 100)},
		{"longWord", strings.Repeat("etaoinshrd", 1000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tok.Tokenize(c.text, Options{Truncate: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMerge(b *testing.B) {
	tok := New()
	for _, n := range []int{8, 32, 64, 128, 256, 1024} {
		random := rand.New(rand.NewPCG(1, 2))
		word := make([]uint16, n)
		for i := range word {
			word[i] = tok.byteID["etaoinshrdlu"[random.IntN(12)]]
		}
		word[n-1] += lastOffset
		work := make([]uint16, n)
		for _, way := range []struct {
			name  string
			merge func([]uint16) []uint16
		}{{"simple", tok.mergeSimple}, {"long", tok.mergeLong}} {
			b.Run(fmt.Sprintf("%s/%d", way.name, n), func(b *testing.B) {
				for b.Loop() {
					copy(work, word)
					way.merge(work)
				}
			})
		}
	}
}
