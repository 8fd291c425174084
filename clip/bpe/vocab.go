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
	// merges is how many of the file's merges CLIP uses.
	merges = 48894

	// lastOffset leads from a byte's token to its token at the end of a word, and
	// firstMerge is the id that the first merge makes.
	lastOffset = 256
	firstMerge = 512

	// endOfWord ends the text of tokens that end a word.
	endOfWord = "</w>"

	vocabularyFile   = "bpe_simple_vocab_16e6.txt.gz"
	vocabularySHA256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
	vocabularyHead   = `"bpe_simple_vocab_16e6.txt#version: 0.2`
)

//go:embed bpe_simple_vocab_16e6.txt.gz
var vocabulary []byte

// A Tokenizer encodes and decodes text. It never changes, so that any number of goroutines
// may use it. Make it with New.
type Tokenizer struct {
	byteID [256]uint16       // the token of a byte within a word
	joined map[uint32]uint16 // pair(a,b) → the token that a and b make; a lower one goes first
	text   []string          // id → bytes, with endOfWord where a word ends
}

// New returns the tokenizer of all of OpenAI's CLIP models. The first call unpacks the
// vocabulary, some hundredths of a second; all calls return the same Tokenizer. It panics
// if the vocabulary in the binary is not the one that CLIP was trained with: then whoever
// built it had a damaged copy of the file.
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

// read makes a tokenizer of the packed list of merges.
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

// notPrinted marks the characters that show no byte.
const notPrinted = -1

// byteAlphabet returns the bytes in the order of their tokens, and for each character up to
// the last by which the list of merges shows a byte, that byte. The list is a text file with spaces in
// it, so a byte that is not a visible character of Latin-1 (a space, a control code) is
// shown by the next free one from U+0100 on. These bytes come last.
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

// unprint turns a token as the file shows it into its bytes. What shows no byte becomes
// U+FFFD, which no token has.
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
