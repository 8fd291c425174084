package safetensors

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"
)

// Limits on the content of a header.
const (
	maxHeader   = 100_000_000 // bytes; the official limit
	maxRank     = 64          // dimensions of a tensor; PyTorch's limit
	maxMetadata = 1 << 16     // keys
	maxElements = math.MaxInt / 4
)

// metadataKey is the only key of a header that is not the name of a tensor.
const metadataKey = "__metadata__"

// entry is one tensor of a header. A header needs only about 50 bytes for a tensor, so
// an entry is small as well. It does not hold the shape; shapeAt reads it on request.
type entry struct {
	name       string // usually a part of the header's text
	begin, end int64  // bytes, from the start of the data
	shape      uint32 // where the shape begins in the header's text
	dtype      uint8  // index into dtypes
}

// minEntry is a lower bound on the bytes that describe a tensor in a header.
const minEntry = len(`"a":{"dtype":"F4","shape":[],"data_offsets":[0,0]}`)

// header is the content of a file's header.
type header struct {
	text     string
	entries  []entry // by rising offset
	byName   []int32 // indexes into entries, by rising name
	metadata map[string]string

	next atomic.Int32 // the entry after the one that was found last
}

// parseHeader reads the header's JSON and checks it against the number of bytes of data
// that follow. The header keeps text; the rest of it takes less memory than text.
func parseHeader(text string, dataSize int64) (*header, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("the header is not valid UTF-8")
	}
	h := &header{text: text}
	guess := strings.Count(text, `"data_offsets"`)
	h.entries = make([]entry, 0, min(guess, len(text)/minEntry))
	s := &scanner{text: text}
	if !strings.HasPrefix(text, "{") {
		return nil, s.fail("'{' at once")
	}
	seenMetadata := false
	err := s.object("'{'", func(key string) error {
		switch {
		case key == metadataKey && seenMetadata:
			return errors.New("the header has the key __metadata__ twice")
		case key == metadataKey:
			seenMetadata = true
			return h.parseMetadata(s)
		case key == "":
			return fmt.Errorf("byte %d of the header: a tensor has an empty name", s.pos)
		}
		e, err := parseEntry(s, dataSize)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", quote(key), err)
		}
		e.name = key
		h.entries = append(h.entries, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if s.space(); s.pos != len(text) {
		return nil, s.fail("only white space after the last '}'")
	}
	if err := h.checkNames(); err != nil {
		return nil, err
	}
	return h, h.checkOffsets(dataSize)
}

// parseMetadata reads the value of __metadata__: an object of strings, or null for none.
func (h *header) parseMetadata(s *scanner) error {
	if s.space(); strings.HasPrefix(s.text[s.pos:], "null") {
		s.pos += len("null")
		return nil
	}
	h.metadata = map[string]string{}
	err := s.object("an object", func(key string) error {
		value, err := s.str("a string")
		if err != nil {
			return fmt.Errorf("%s: %w", quote(key), err)
		}
		if _, ok := h.metadata[key]; ok {
			return fmt.Errorf("has the key %s twice", quote(key))
		}
		if len(h.metadata) == maxMetadata {
			return fmt.Errorf("has more than %d keys", maxMetadata)
		}
		h.metadata[key] = value
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", metadataKey, err)
	}
	return nil
}

// parseEntry reads the object that describes one tensor. The fields may be in any order.
// parseEntry checks that they agree with each other and with the data.
func parseEntry(s *scanner, dataSize int64) (entry, error) {
	var e entry
	var elements int64
	fields := [...]string{"dtype", "shape", "data_offsets"}
	var seen [len(fields)]bool
	err := s.object("an object with dtype, shape and data_offsets", func(key string) (err error) {
		i := slices.Index(fields[:], key)
		switch {
		case i < 0:
			return fmt.Errorf("unknown field %s, expected dtype, shape and data_offsets", quote(key))
		case seen[i]:
			return fmt.Errorf("the field %s is there twice", quote(key))
		}
		seen[i] = true
		switch i {
		case 0:
			e.dtype, err = parseDType(s)
		case 1:
			s.space()
			e.shape = uint32(s.pos)
			elements, err = parseShape(s, nil)
		case 2:
			e.begin, e.end, err = parseOffsets(s)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", fields[i], err)
		}
		return nil
	})
	if err != nil {
		return e, err
	}
	if i := slices.Index(seen[:], false); i >= 0 {
		return e, fmt.Errorf("the field %s is missing", fields[i])
	}
	if e.begin > e.end {
		return e, fmt.Errorf("data_offsets: begin %d is after end %d", e.begin, e.end)
	}
	if e.end > dataSize {
		return e, fmt.Errorf("data_offsets: bytes %d to %d are beyond the %d bytes of data in the file; is the file cut off?", e.begin, e.end, dataSize)
	}
	dt := dtypes[e.dtype]
	hi, size := bits.Mul64(uint64(elements), uint64(dt.bits))
	if hi != 0 || size%8 != 0 || size/8 != uint64(e.end-e.begin) {
		shape, _ := shapeAt(s.text, e.shape)
		return e, fmt.Errorf("dtype %s and shape %v want %s bytes, data_offsets have %d", dt.name, shape, bytesOf(elements, dt.bits), e.end-e.begin)
	}
	return e, nil
}

// bytesOf formats a number of bytes that may be very large or not whole.
func bytesOf(elements int64, bits int) string {
	if n := float64(elements) * float64(bits) / 8; n != math.Trunc(n) || n > 1<<53 {
		return fmt.Sprintf("%.8g", n)
	} else {
		return fmt.Sprintf("%.0f", n)
	}
}

func parseDType(s *scanner) (uint8, error) {
	name, err := s.str("a string")
	if err != nil {
		return 0, err
	}
	for i, t := range &dtypes {
		if string(t.name) == name {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("unknown type %s", quote(name))
}

// parseShape reads an array of dimensions and returns their product. Unless dst is nil,
// it appends the dimensions to *dst.
func parseShape(s *scanner, dst *[]int) (int64, error) {
	elements, rank := int64(1), 0
	err := s.list('[', ']', "an array", func() error {
		d, err := s.uint("a whole number")
		if err != nil {
			return err
		}
		if rank++; rank > maxRank {
			return fmt.Errorf("more than %d dimensions", maxRank)
		}
		// tensor.New makes the same test, but panics.
		if d > math.MaxInt || d > 0 && elements > maxElements/d {
			return fmt.Errorf("more than 2^%d elements", bits.Len64(maxElements))
		}
		elements *= d
		if dst != nil {
			*dst = append(*dst, int(d))
		}
		return nil
	})
	return elements, err
}

// shapeAt returns the shape whose text begins at position pos.
func shapeAt(text string, pos uint32) ([]int, error) {
	shape := []int{}
	_, err := parseShape(&scanner{text: text, pos: int(pos)}, &shape)
	return shape, err
}

func parseOffsets(s *scanner) (begin, end int64, err error) {
	n := 0
	err = s.list('[', ']', "an array of two numbers", func() error {
		v, err := s.uint("a whole number")
		if err != nil {
			return err
		}
		switch n++; n {
		case 1:
			begin = v
		case 2:
			end = v
		default:
			return errors.New("expected two numbers, found more")
		}
		return nil
	})
	if err == nil && n != 2 {
		err = fmt.Errorf("expected two numbers, found %d", n)
	}
	return begin, end, err
}

// checkNames makes the index by name, and returns an error if a name occurs twice. Before
// that, it sorts the entries by offset, which is their order in the file.
func (h *header) checkNames() error {
	slices.SortFunc(h.entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end), cmp.Compare(a.shape, b.shape))
	})
	h.byName = make([]int32, len(h.entries))
	for i := range h.byName {
		h.byName[i] = int32(i)
	}
	slices.SortFunc(h.byName, func(i, j int32) int { return strings.Compare(h.entries[i].name, h.entries[j].name) })
	for k := 1; k < len(h.byName); k++ {
		if name := h.entries[h.byName[k]].name; name == h.entries[h.byName[k-1]].name {
			return fmt.Errorf("tensor %s is there twice", quote(name))
		}
	}
	return nil
}

// checkOffsets returns an error if tensors overlap, or if some bytes belong to no tensor.
// The format forbids both, so a file cannot hide anything.
func (h *header) checkOffsets(dataSize int64) error {
	var pos int64
	for i, e := range h.entries {
		switch {
		case e.begin < pos:
			p := h.entries[i-1]
			return fmt.Errorf("tensors %s (bytes %d to %d) and %s (bytes %d to %d) overlap", quote(p.name), p.begin, p.end, quote(e.name), e.begin, e.end)
		case e.begin > pos:
			return fmt.Errorf("bytes %d to %d of the data, before tensor %s, belong to no tensor", pos, e.begin, quote(e.name))
		}
		pos = e.end
	}
	if pos != dataSize {
		return fmt.Errorf("bytes %d to %d of the data, after the last tensor, belong to no tensor", pos, dataSize)
	}
	return nil
}

// find returns the entry with the given name, or nil. Who reads all tensors asks for one
// after the other, so the next one is tried before the search.
func (h *header) find(name string) *entry {
	if i := int(h.next.Load()); i < len(h.entries) && h.entries[i].name == name {
		h.next.Store(int32(i + 1))
		return &h.entries[i]
	}
	k, ok := slices.BinarySearchFunc(h.byName, name, func(i int32, name string) int {
		return strings.Compare(h.entries[i].name, name)
	})
	if !ok {
		return nil
	}
	h.next.Store(h.byName[k] + 1)
	return &h.entries[h.byName[k]]
}

// quote quotes a string from a file for an error message. Long strings are cut.
func quote(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%.80q… (%d bytes)", s, len(s))
	}
	return fmt.Sprintf("%q", s)
}
