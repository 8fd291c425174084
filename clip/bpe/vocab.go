package bpe

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

const (
	// merges is the number of the file's merges that CLIP uses.
	merges = 48894

	// lastOffset is the difference between a byte's token at the end of a word and its
	// token elsewhere. firstMerge is the id of the first merged token.
	lastOffset = 256
	firstMerge = 512

	// endOfWord is the end of a token's text if the token ends a word.
	endOfWord = "</w>"

	vocabularyFile   = "bpe_simple_vocab_16e6.txt.gz"
	vocabularySHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
	vocabularyHead   = `"bpe_simple_vocab_16e6.txt#version: 0.2`
)

//go:embed bpe_simple_vocab_16e6.txt.gz
var vocabulary []byte

// Tokenizer encodes and decodes text. It never changes, so any number of goroutines may use
// it. New returns one.
type Tokenizer struct {
	byteID [256]uint16       // the token of a byte within a word
	joined map[uint32]uint16 // pair(a,b) → the token of a and b joined; lower ids are joined first
	text   []string          // id → bytes, with endOfWord where a word ends
}

// New returns the tokenizer of OpenAI's CLIP models. The first call unpacks the vocabulary,
// which takes some hundredths of a second. All calls return the same Tokenizer. New panics
// if the vocabulary in the program is not CLIP's, because the program was built from a
// damaged file.
func New() *Tokenizer { return load() }

var load = sync.OnceValue(func() *Tokenizer {
	t, err := read(vocabulary)
	if err != nil {
		panic(fmt.Sprintf("bpe: clip/bpe/%s: %v: check the file out again and rebuild", vocabularyFile, err))
	}
	return t
})

// pair is the key of two neighbouring tokens.
func pair(a, b uint16) uint32 { return uint32(a)<<16 | uint32(b) }

// read makes a tokenizer from the compressed list of merges.
func read(packed []byte) (*Tokenizer, error) {
	if sum := fmt.Sprintf("%x", sha256.Sum256(packed)); sum != vocabularySHA256 {
		return nil, fmt.Errorf("SHA-256 is %s, want %s", sum, vocabularySHA256)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(unpacked)
	if !lines.Scan() || lines.Text() != vocabularyHead {
		return nil, fmt.Errorf("the first line is %q, want %q", lines.Text(), vocabularyHead)
	}

	t := &Tokenizer{
		joined: make(map[uint32]uint16, merges),
		text:   make([]string, firstMerge, VocabularySize),
	}
	ids := make(map[string]uint16, VocabularySize) // the inverse of t.text
	alphabet, printed := byteAlphabet()
	for id, c := range alphabet {
		t.byteID[c] = uint16(id)
		t.text[id] = string([]byte{c})
		t.text[id+lastOffset] = t.text[id] + endOfWord
	}
	for id, s := range t.text {
		ids[s] = uint16(id)
	}
	for n := range merges {
		if !lines.Scan() {
			return nil, fmt.Errorf("only %d merges, want %d: %v", n, merges, lines.Err())
		}
		first, second, _ := strings.Cut(lines.Text(), " ")
		a, okA := ids[unprint(first, printed)]
		b, okB := ids[unprint(second, printed)]
		if !okA || !okB {
			return nil, fmt.Errorf("merge %d, %q, is not of two known tokens", n+1, lines.Text())
		}
		id, text := uint16(len(t.text)), t.text[a]+t.text[b]
		ids[text] = id
		t.joined[pair(a, b)] = id
		t.text = append(t.text, text)
	}
	t.text = append(t.text, startOfText, endOfText)
	return t, nil
}

// notPrinted marks characters that do not stand for a byte.
const notPrinted = -1

// byteAlphabet returns the bytes in the order of their tokens. It also returns, for each
// character of the list of merges, the byte that the character stands for. The list is a text
// file in which spaces separate tokens. A byte that is a visible character of Latin-1 stands
// for itself. All other bytes, such as a space or a control code, have the characters from
// U+0100 on; their tokens come last.
func byteAlphabet() (order []byte, printed []int) {
	var visible, hidden []byte
	for c := range 256 {
		if '!' <= c && c <= '~' || '¡' <= c && c <= 'ÿ' && c != '\u00AD' { // soft hyphen
			visible = append(visible, byte(c))
			printed = append(printed, c)
		} else {
			hidden = append(hidden, byte(c))
			printed = append(printed, notPrinted)
		}
	}
	for _, c := range hidden {
		printed = append(printed, int(c))
	}
	return append(visible, hidden...), printed
}

// unprint converts a token's text in the file to the token's bytes. A character that stands
// for no byte becomes U+FFFD, which no token has.
func unprint(s string, printed []int) string {
	b := make([]byte, 0, 64) // on the stack: no token is longer
	for _, r := range s {
		if int(r) < len(printed) && printed[r] != notPrinted {
			b = append(b, byte(printed[r]))
		} else {
			b = utf8.AppendRune(b, utf8.RuneError)
		}
	}
	return string(b)
}
