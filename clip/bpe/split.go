package bpe

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// class is one of the sets of characters in nextPiece's pattern.
type class byte

const (
	gap    class = iota // white space: between pieces
	letter              // \p{L}: pieces are whole runs
	number              // \p{N}: every digit is a piece
	other               // neither: runs, such as punctuation and emoji
)

// classOf returns the class and the length of the first character of s.
func classOf(s string) (class, int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case unicode.IsLetter(r):
		return letter, size
	case unicode.IsNumber(r):
		return number, size
	case unicode.IsSpace(r) || r == '\u0345': // a quirk, see the package comment
		return gap, size
	}
	return other, size
}

// nextPiece returns the first piece of a clean text, and the rest of the text. Both are empty
// if there is no piece. nextPiece matches this pattern of Python's regex module, with
// IGNORECASE. The alternatives are tried from left to right:
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

// fixedPiece returns the length of the mark or ending at the start of text, or 0. The text is
// in lower case, so IGNORECASE adds only one thing: the long s, ſ, counts as an s.
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
