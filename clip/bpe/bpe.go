package bpe

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// VocabularySize is the number of tokens, and of rows of CLIP's token embedding.
	VocabularySize = 256 + 256 + merges + 2

	// StartOfText and EndOfText are the marks around every text. The token at EndOfText
	// becomes CLIP's embedding of the text. EndOfText is the largest id, and is found by
	// that.
	StartOfText = VocabularySize - 2 // 49406
	EndOfText   = VocabularySize - 1 // 49407

	// ContextLength is the number of tokens that OpenAI's CLIP models read, including the
	// marks.
	ContextLength = 77

	// MaxContextLength is the largest Options.ContextLength. It is far above any model's,
	// and keeps a wrong number from taking all memory.
	MaxContextLength = 1 << 20
)

// The texts of the two marks. Inside a description they become marks too.
const (
	startOfText = "<|startoftext|>"
	endOfText   = "<|endoftext|>"
)

var (
	// ErrNotUTF8 is wrapped by errors about text that is not valid UTF-8.
	ErrNotUTF8 = errors.New("the text is not valid UTF-8")

	// ErrUnknownID is wrapped by errors about ids that belong to no token.
	ErrUnknownID = errors.New("unknown token id")
)

// TooLongError says that a text has more tokens than fit into the context.
type TooLongError struct {
	Tokens int // tokens of the text, both marks included
	Limit  int // the context length
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("bpe: the text has %d tokens, start and end included, but the limit is %d: shorten it, or have it truncated", e.Tokens, e.Limit)
}

// Options says how Tokenize fits a text into a context. The zero value is right for CLIP.
type Options struct {
	// ContextLength is the length of the result, 1 to MaxContextLength; 0 means 77.
	ContextLength int

	// Truncate cuts a text that is too long, and puts EndOfText in the last place. If
	// Truncate is false, such a text gives a *TooLongError.
	Truncate bool
}

// Encode returns the ids of a text of any length, without the marks around it and without
// padding. If the text contains <|startoftext|> or <|endoftext|>, they become the ids of the
// marks, as in the original. An error wraps ErrNotUTF8.
//
// It matches SimpleTokenizer.encode.
func (t *Tokenizer) Encode(text string) ([]int, error) {
	if err := checkUTF8(text); err != nil {
		return nil, err
	}
	return t.encodeClean(clean(fix(text))), nil
}

// Tokenize returns the input of CLIP's text encoder: StartOfText, the ids of the text,
// EndOfText, and zeros up to o.ContextLength. Errors: the text is not valid UTF-8 (wraps
// ErrNotUTF8); the text is too long and o.Truncate is false (*TooLongError); the context
// length is out of range.
//
// It matches clip.tokenize for one text.
func (t *Tokenizer) Tokenize(text string, o Options) ([]int, error) {
	n := o.ContextLength
	if n == 0 {
		n = ContextLength
	}
	if n < 0 || n > MaxContextLength {
		return nil, fmt.Errorf("bpe: context length %d: want 1 to %d, or 0 for CLIP's %d", n, MaxContextLength, ContextLength)
	}
	ids, err := t.Encode(text)
	if err != nil {
		return nil, err
	}
	if found := len(ids) + 2; found > n && !o.Truncate {
		return nil, &TooLongError{Tokens: found, Limit: n}
	}
	row := make([]int, n)
	row[0] = StartOfText
	end := 1 + copy(row[1:], ids)
	row[min(end, n-1)] = EndOfText
	return row, nil
}

// Decode returns the text of ids, in lower case, with a space after every word, number and
// run of punctuation. Bytes that are not valid UTF-8 become U+FFFD; they occur, for example,
// if some tokens of a character are missing. An error wraps ErrUnknownID and names the
// position.
//
// It matches SimpleTokenizer.decode, marks and padding included: id 0 is "!".
func (t *Tokenizer) Decode(ids []int) (string, error) {
	var b strings.Builder
	for i, id := range ids {
		if id < 0 || id >= len(t.text) {
			return "", fmt.Errorf("bpe: %w %d at position %d: want 0 to %d", ErrUnknownID, id, i, len(t.text)-1)
		}
		b.WriteString(t.text[id])
	}
	// The original replaces end-of-word marks last. Tokens that together spell such a mark
	// are therefore replaced too.
	return strings.ReplaceAll(toValidUTF8(b.String()), endOfWord, " "), nil
}

// encodeClean encodes a text that was cleaned before.
func (t *Tokenizer) encodeClean(text string) []int {
	var ids []int
	var word []uint16
	for text != "" {
		var piece string
		piece, text = nextPiece(text)
		switch piece {
		case "": // only white space was left
		case startOfText:
			ids = append(ids, StartOfText)
		case endOfText:
			ids = append(ids, EndOfText)
		default:
			word = word[:0]
			for i := range len(piece) {
				word = append(word, t.byteID[piece[i]])
			}
			word[len(word)-1] += lastOffset
			for _, id := range t.merge(word) {
				ids = append(ids, int(id))
			}
		}
	}
	return ids
}

// checkUTF8 returns an error that names the first byte that is not part of valid UTF-8.
func checkUTF8(text string) error {
	if utf8.ValidString(text) {
		return nil
	}
	at := 0
	for {
		r, size := utf8.DecodeRuneInString(text[at:])
		if r == utf8.RuneError && size == 1 {
			return fmt.Errorf("bpe: %w: byte %#02x at offset %d: convert it to UTF-8 first", ErrNotUTF8, text[at], at)
		}
		at += size
	}
}

// toValidUTF8 replaces invalid UTF-8 by U+FFFD, as Python does. The incomplete start of a
// character becomes one U+FFFD, and every other invalid byte becomes one too.
// (strings.ToValidUTF8 writes one for a whole run.)
func toValidUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			size = brokenOff(s)
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// brokenOff returns how many of the first bytes of s could be the start of a character, and
// at least 1. s does not begin with a whole character. Source: Unicode 14.0, table 3-7 and
// section 3.9.
func brokenOff(s string) int {
	length, low, high := 0, byte(0x80), byte(0xBF) // of the character; of its second byte
	switch lead := s[0]; {
	case 0xC2 <= lead && lead <= 0xDF:
		length = 2
	case 0xE0 <= lead && lead <= 0xEF:
		length = 3
		switch lead {
		case 0xE0:
			low = 0xA0 // below: could be written shorter
		case 0xED:
			high = 0x9F // above: surrogates
		}
	case 0xF0 <= lead && lead <= 0xF4:
		length = 4
		switch lead {
		case 0xF0:
			low = 0x90
		case 0xF4:
			high = 0x8F // above: beyond U+10FFFF
		}
	}
	n := 1
	for n < length && n < len(s) && low <= s[n] && s[n] <= high {
		n++
		low, high = 0x80, 0xBF
	}
	return n
}
