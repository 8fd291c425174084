package bpe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// class says to which of the pattern's sets a character belongs.
type class byte

const (
	gap    class = iota // white space: between pieces
	letter              // \p{L}: pieces are whole runs
	number              // \p{N}: every digit is a piece
	other               // neither: runs, such as punctuation and emoji
)

// classOf returns the class of the character that s begins with, and its length.
func classOf(s string) (class, int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case unicode.IsLetter(r):
		return letter, size
	case unicode.IsNumber(r):
		return number, size
	case unicode.IsSpace(r) || r == '\u0345': // the quirk that the package's comment tells of
		return gap, size
	}
	return other, size
}

// nextPiece returns the first piece of a clean text, and the text behind it. Both are
// empty when there is none. It matches this pattern of Python's regex module with
// IGNORECASE, whose alternatives are tried from left to right:
//
//	<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
func nextPiece(text string) (piece, rest string) {
	var c class
	var size int
	for {
		if text == "" {
			return "", ""
		}
		if c, size = classOf(text); c != gap {
			break
		}
		text = text[size:]
	}
	n := fixedPiece(text)
	if n == 0 {
		n = size
		for c != number && n < len(text) {
			d, size := classOf(text[n:])
			if d != c {
				break
			}
			n += size
		}
	}
	return text[:n], text[n:]
}

// fixedPiece returns the length of the mark or the ending that text begins with, or 0. The
// text is lower case, so that IGNORECASE adds one thing only: the long s, ſ, is an s.
func fixedPiece(text string) int {
	if text[0] != '<' && text[0] != '\'' {
		return 0
	}
	for _, fixed := range [...]string{startOfText, endOfText, "<|ſtartoftext|>", "'s", "'ſ", "'t", "'re", "'ve", "'m", "'ll", "'d"} {
		if strings.HasPrefix(text, fixed) {
			return len(fixed)
		}
	}
	return 0
}
