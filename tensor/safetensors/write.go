package safetensors

import (
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

// Options says how tensors are written. The zero value writes F32.
type Options struct {
	// Float16 rounds every tensor to half precision, to nearest even, which halves
	// the file. Numbers from 65520 on become Inf, as in PyTorch.
	Float16 bool
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
// Tensors are sorted by name, like those of one type in the official writer, so both
// write the same bytes for the same tensors. Write also sorts the keys of the metadata;
// the official writer does not.
//
// Errors: a name is empty, is "__metadata__", occurs twice or is not UTF-8; a tensor is
// nil; the header would be longer than the format's 100 MB; w fails.
func (o Options) Write(w io.Writer, tensors []Named, metadata map[string]string) error {
	tensors = slices.Clone(tensors)
	slices.SortFunc(tensors, func(a, b Named) int { return strings.Compare(a.Name, b.Name) })
	text, err := o.header(tensors, metadata)
	if err != nil {
		return fmt.Errorf("safetensors: Write: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	buf := make([]byte, 0, 64<<10)
	for _, t := range tensors {
		for part := range slices.Chunk(t.Tensor.Data(), cap(buf)/4) {
			buf = buf[:0]
			for _, v := range part {
				if o.Float16 {
					buf = binary.LittleEndian.AppendUint16(buf, toF16(v))
				} else {
					buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
				}
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteFile writes a file like Write. The file appears whole or not at all: an older file
// stays unchanged until the new one is complete.
func (o Options) WriteFile(path string, tensors []Named, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return o.Write(w, tensors, metadata) })
}

// header returns the beginning of a file: the length of the header and its JSON text. The
// tensors are sorted already.
func (o Options) header(tensors []Named, metadata map[string]string) ([]byte, error) {
	dtype, width := F32, 4
	if o.Float16 {
		dtype, width = F16, 2
	}
	// If the texts alone are too long, the header is not built at all.
	least := 0
	for key, value := range metadata {
		least += len(key) + len(value)
	}
	for _, t := range tensors {
		least += len(t.Name) + minEntry
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
	for i, t := range tensors {
		if err := checkNamed(t); err != nil {
			return nil, err
		}
		if i > 0 && t.Name == tensors[i-1].Name {
			return nil, fmt.Errorf("two tensors have the name %q", t.Name)
		}
		if len(b) > 9 {
			b = append(b, ',')
		}
		b = appendString(b, t.Name)
		b = append(b, `:{"dtype":"`+string(dtype)+`","shape":[`...)
		for k, d := range t.Tensor.Shape() {
			if k > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendInt(b, int64(d), 10)
		}
		end := offset + width*t.Tensor.Len()
		b = fmt.Appendf(b, `],"data_offsets":[%d,%d]}`, offset, end)
		offset = end
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

func checkNamed(t Named) error {
	switch {
	case t.Name == "":
		return errors.New("a tensor has an empty name")
	case t.Name == metadataKey:
		return fmt.Errorf("a tensor has the name %s, which the format keeps for itself", metadataKey)
	case !utf8.ValidString(t.Name):
		return fmt.Errorf("tensor %q: the name is not valid UTF-8", t.Name)
	case t.Tensor == nil:
		return fmt.Errorf("tensor %q is nil", t.Name)
	case len(t.Tensor.Shape()) > maxRank:
		return fmt.Errorf("tensor %q has %d dimensions, more than %d", t.Name, len(t.Tensor.Shape()), maxRank)
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
