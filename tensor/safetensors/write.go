package safetensors

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"pixelgrad/internal/atomicfile"
	"pixelgrad/tensor"
)

// Named is a tensor with its name in a file.
type Named struct {
	Name   string
	Tensor *tensor.Tensor
}

// Raw is a tensor of any type with its elements as the format has them: little-endian and
// row-major.
type Raw struct {
	Name  string
	DType DType
	Shape []int
	Bytes []byte
}

// Options says how tensors are written. The zero value writes F32.
type Options struct {
	// Float16 rounds every tensor to half precision, to nearest even, which halves
	// the file. Numbers from 65520 on become Inf, as in PyTorch.
	Float16 bool

	// Raw are further tensors, which are written as they are.
	Raw []Raw
}

// Write writes tensors as F32. See Options.Write.
func Write(w io.Writer, tensors []Named, metadata map[string]string) error {
	return Options{}.Write(w, tensors, metadata)
}

// WriteFile writes tensors as F32 to a file. See Options.WriteFile.
func WriteFile(path string, tensors []Named, metadata map[string]string) error {
	return Options{}.WriteFile(path, tensors, metadata)
}

// Write writes tensors and free-form texts (nil for none) in the safetensors
// format. Some programs want the text "format" to be "pt".
//
// Tensors are sorted by type and name as in the official writer, so both write the same
// bytes for the same tensors. Write also sorts the keys of the metadata; the official writer
// does not.
//
// Errors: a name is empty, is "__metadata__", occurs twice or is not UTF-8; a tensor is
// nil; a Raw has another number of bytes than its type and shape; the header would be
// longer than the format's 100 MB; w fails.
func (o Options) Write(w io.Writer, tensors []Named, metadata map[string]string) error {
	items, err := o.items(tensors)
	if err != nil {
		return fmt.Errorf("safetensors: Write: %w", err)
	}
	text, err := headerText(items, metadata)
	if err != nil {
		return fmt.Errorf("safetensors: Write: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, t := range items {
		if err := t.write(w, o.Float16); err != nil {
			return err
		}
	}
	return nil
}

// item is a tensor to be written.
type item struct {
	name   string
	dtype  uint8 // index into dtypes
	shape  []int
	bytes  int
	floats []float32 // what is converted
	raw    []byte    // what is written as it is
}

// items checks the tensors and sorts them. The types with the largest elements come first,
// so that all elements are aligned.
func (o Options) items(tensors []Named) ([]item, error) {
	float := F32
	if o.Float16 {
		float = F16
	}
	items := make([]item, 0, len(tensors)+len(o.Raw))
	for _, t := range tensors {
		if t.Tensor == nil {
			return nil, fmt.Errorf("tensor %q is nil", t.Name)
		}
		items = append(items, item{t.Name, float.index(), t.Tensor.Shape(), t.Tensor.Len() * float.Bits() / 8, t.Tensor.Data(), nil})
	}
	for _, t := range o.Raw {
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		if t.DType.Bits() == 0 || n*t.DType.Bits() != 8*len(t.Bytes) {
			return nil, fmt.Errorf("tensor %q: %d bytes are not the size of type %q and shape %v", t.Name, len(t.Bytes), t.DType, t.Shape)
		}
		items = append(items, item{t.Name, t.DType.index(), t.Shape, len(t.Bytes), nil, t.Bytes})
	}
	names := make(map[string]bool, len(items))
	for _, t := range items {
		if err := t.check(); err != nil {
			return nil, err
		}
		if names[t.name] {
			return nil, fmt.Errorf("two tensors have the name %q", t.name)
		}
		names[t.name] = true
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(b.dtype, a.dtype), strings.Compare(a.name, b.name))
	})
	return items, nil
}

// write writes the elements.
func (t *item) write(w io.Writer, half bool) error {
	if t.floats == nil {
		_, err := w.Write(t.raw)
		return err
	}
	buf := make([]byte, 0, 64<<10)
	for part := range slices.Chunk(t.floats, cap(buf)/4) {
		buf = buf[:0]
		for _, v := range part {
			if half {
				buf = binary.LittleEndian.AppendUint16(buf, toF16(v))
			} else {
				buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
			}
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile writes a file like Write. The file appears whole or not at all: an older file
// stays unchanged until the new one is complete.
func (o Options) WriteFile(path string, tensors []Named, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return o.Write(w, tensors, metadata) })
}

// headerText returns the beginning of a file: the length of the header and its JSON text.
func headerText(items []item, metadata map[string]string) ([]byte, error) {
	// If the texts alone are too long, the header is not built at all.
	least := 0
	for key, value := range metadata {
		least += len(key) + len(value)
	}
	for _, t := range items {
		least += len(t.name) + minEntry
	}
	if least > maxHeader {
		return nil, fmt.Errorf("the header has more than %d bytes, the format's limit is %d", least, maxHeader)
	}
	b := append(make([]byte, 8), '{') // the length is filled in at the end
	if len(metadata) > 0 {
		b = append(b, `"`+metadataKey+`":{`...)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			value := metadata[key]
			if !utf8.ValidString(key) || !utf8.ValidString(value) {
				return nil, fmt.Errorf("metadata %q: %q is not valid UTF-8", key, value)
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, key)
			b = append(b, ':')
			b = appendString(b, value)
		}
		b = append(b, '}')
	}
	offset := 0
	for _, t := range items {
		if len(b) > 9 {
			b = append(b, ',')
		}
		b = appendString(b, t.name)
		b = append(b, `:{"dtype":"`+string(dtypes[t.dtype].name)+`","shape":[`...)
		for k, d := range t.shape {
			if k > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(d), 10)
		}
		b = fmt.Appendf(b, `],"data_offsets":[%d,%d]}`, offset, offset+t.bytes)
		offset += t.bytes
	}
	b = append(b, '}')
	for len(b)%8 != 0 { // aligns the data for readers that map the file
		b = append(b, ' ')
	}
	if len(b)-8 > maxHeader {
		return nil, fmt.Errorf("the header has %d bytes, the format's limit is %d", len(b)-8, maxHeader)
	}
	binary.LittleEndian.PutUint64(b, uint64(len(b)-8))
	return b, nil
}

func (t *item) check() error {
	switch {
	case t.name == "":
		return errors.New("a tensor has an empty name")
	case t.name == metadataKey:
		return fmt.Errorf("a tensor has the name %s, which the format keeps for itself", metadataKey)
	case !utf8.ValidString(t.name):
		return fmt.Errorf("tensor %q: the name is not valid UTF-8", t.name)
	case len(t.shape) > maxRank:
		return fmt.Errorf("tensor %q has %d dimensions, more than %d", t.name, len(t.shape), maxRank)
	}
	return nil
}

// appendString appends a JSON string. Like the official writer, it escapes only the
// characters that need it.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			b = append(b, c)
		} else if k := strings.IndexByte("\"\\\b\f\n\r\t", c); k >= 0 {
			b = append(b, '\\', `"\bfnrt`[k])
		} else {
			b = fmt.Appendf(b, `\u%04x`, c)
		}
	}
	return append(b, '"')
}
