package torchfile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// number reads an unsigned little-endian number of up to 8 bytes.
func (m *machine) number(width int) (uint64, error) {
	b, err := m.take(width)
	if err != nil {
		return 0, err
	}
	var n uint64
	for i, c := range b {
		n |= uint64(c) << (8 * i)
	}
	return n, nil
}

// counted reads a number of the given width, and then as many bytes.
func (m *machine) counted(width int) ([]byte, error) {
	n, err := m.number(width)
	if err != nil {
		return nil, err
	}
	if n > uint64(len(m.in)-m.pos) {
		return nil, errCut
	}
	return m.take(int(n))
}

func (m *machine) pushInt(width int) error {
	n, err := m.number(width)
	if err != nil {
		return err
	}
	if width == 4 { // the only signed width
		return m.push(int64(int32(n)), costBox)
	}
	return m.push(int64(n), costBox)
}

// pushLong reads a two's complement number with as many bytes as the number before it says.
func (m *machine) pushLong(width int) error {
	b, err := m.counted(width)
	if err != nil {
		return err
	}
	n := len(b)
	if n > 8 {
		return m.push(bigInt(b), costString+n)
	}
	var u uint64
	for i, c := range b {
		u |= uint64(c) << (8 * i)
	}
	shift := 64 - 8*n // moves the last byte's sign bit to the top
	return m.push(int64(u<<shift)>>shift, costBox)
}

// pushDigits reads a number as a line of decimal digits. "00" and "01" are booleans; "L" at
// the end is Python 2's.
func (m *machine) pushDigits() error {
	line, err := m.line()
	switch {
	case err != nil:
		return err
	case line == "00" || line == "01":
		return m.push(line == "01", 0)
	case line == legacyNumber:
		return m.push(magic, costString+len(magic))
	}
	line = strings.TrimSuffix(line, "L")
	n, err := strconv.ParseInt(line, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return m.push(bigInt(line), costString+len(line)) // nothing needs its value
	}
	if err != nil {
		return fmt.Errorf("expected a whole number, found %s", quote(line))
	}
	return m.push(n, costBox)
}

// pushText reads a text or bytes. A text that is not UTF-8 becomes bytes: Python 2 kept the
// contents of arrays in texts.
func (m *machine) pushText(width int, bytes bool) error {
	b, err := m.counted(width)
	if err != nil {
		return err
	}
	if bytes || !utf8.Valid(b) {
		return m.push(raw(b), costString+len(b))
	}
	return m.push(string(b), costString+len(b))
}
