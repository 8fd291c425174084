package safetensors

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads the few forms of JSON that a header may hold: objects, arrays, strings
// and whole numbers. It reads them in place.
//
// encoding/json would be enough for honest files. With a hostile header, its token
// decoder may hold several copies of a 100 MB string. It also accepts duplicate keys and
// repairs broken escapes without an error.
type scanner struct {
	text string // valid UTF-8
	pos  int
}

// space skips white space.
func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// fail returns an error with the expected text and the text that was found.
func (s *scanner) fail(expected string) error {
	found := "the end of the header"
	if s.pos < len(s.text) {
		rest := s.text[s.pos:]
		n := 0
		for i, r := range rest { // cut between characters
			if i >= 16 {
				break
			}
			n = i + utf8.RuneLen(r)
		}
		found = strconv.Quote(rest[:n])
	}
	return fmt.Errorf("byte %d of the header: expected %s, found %s", s.pos, expected, found)
}

// accept skips white space, and then the character c if it comes next.
func (s *scanner) accept(c byte) bool {
	s.space()
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// expect skips white space and then the character c. If c does not come next, it returns
// an error.
func (s *scanner) expect(c byte, what string) error {
	if !s.accept(c) {
		return s.fail(what)
	}
	return nil
}

// list reads an array or an object. It reads the brackets and the commas, and calls item
// for every element. item reads the element.
func (s *scanner) list(open, end byte, what string, item func() error) error {
	if err := s.expect(open, what); err != nil {
		return err
	}
	if s.accept(end) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.accept(end) {
			return nil
		}
		if !s.accept(',') {
			return s.fail("',' or '" + string(end) + "'")
		}
	}
}

// object reads an object and calls field for every key. field reads the value.
func (s *scanner) object(what string, field func(key string) error) error {
	return s.list('{', '}', what, func() error {
		key, err := s.str("a key in double quotes")
		if err != nil {
			return err
		}
		if err := s.expect(':', "':' after a key"); err != nil {
			return err
		}
		return field(key)
	})
}

// str reads a string. A string without escapes is a part of the text and takes no memory.
func (s *scanner) str(what string) (string, error) {
	if err := s.expect('"', what); err != nil {
		return "", err
	}
	start := s.pos
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return s.text[start : s.pos-1], nil
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			return "", s.fail("no control character in a string")
		}
	}
	return "", s.fail("'\"' at the end of a string")
}

// escaped reads the rest of a string. The string began at start, and its first backslash
// is at the current position.
func (s *scanner) escaped(start int) (string, error) {
	end := s.pos // an estimate of the string's end; escapes only make the result shorter
	for end < len(s.text) && s.text[end] != '"' {
		if s.text[end] == '\\' {
			end++
		}
		end++
	}
	var b strings.Builder
	b.Grow(min(end, len(s.text)) - start)
	b.WriteString(s.text[start:s.pos])
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch {
		case c == '"':
			s.pos++
			return b.String(), nil
		case c < ' ':
			return "", s.fail("no control character in a string")
		case c != '\\':
			b.WriteByte(c)
			s.pos++
			continue
		}
		if s.pos+1 == len(s.text) {
			break
		}
		if i := strings.IndexByte(`"\/bfnrt`, s.text[s.pos+1]); i >= 0 {
			b.WriteByte("\"\\/\b\f\n\r\t"[i])
			s.pos += 2
			continue
		}
		r, ok := s.hex(s.pos)
		if !ok {
			return "", s.fail("a JSON escape")
		}
		if utf16.IsSurrogate(r) {
			low, _ := s.hex(s.pos + 6)
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return "", s.fail("a pair of surrogates")
			}
			s.pos += 6
		}
		b.WriteRune(r)
		s.pos += 6
	}
	return "", s.fail("'\"' at the end of a string")
}

// hex reads \u and four hexadecimal digits at the given position.
func (s *scanner) hex(at int) (rune, bool) {
	if at+6 > len(s.text) || s.text[at] != '\\' || s.text[at+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(s.text[at+2 : at+6]) {
		i := strings.IndexByte("0123456789abcdef", c|0x20)
		if i < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(i)
	}
	return r, true
}

// uint reads a whole number from 0 to 2^63−1.
func (s *scanner) uint(what string) (int64, error) {
	s.space()
	start := s.pos
	var n int64
	for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		d := int64(s.text[s.pos] - '0')
		if n > (math.MaxInt64-d)/10 {
			s.pos = start
			return 0, s.fail(what + " below 2^63")
		}
		n = 10*n + d
		s.pos++
	}
	digits := s.text[start:s.pos]
	if digits == "" || len(digits) > 1 && digits[0] == '0' || s.pos < len(s.text) && strings.IndexByte(".eE", s.text[s.pos]) >= 0 {
		s.pos = start
		return 0, s.fail(what)
	}
	return n, nil
}
