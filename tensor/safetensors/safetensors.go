// Package safetensors reads and writes files of named tensors in the
// safetensors format.
//
// A file is
//
//	8 bytes   n, the length of the header, little-endian
//	n bytes   a JSON object, padded with spaces:
//	          {"__metadata__": {"key": "text", …},
//	           "conv1.weight": {"dtype": "F32", "shape": [64,3,3,3], "data_offsets": [0,6912]}, …}
//	the rest  the elements, little-endian and row-major; data_offsets count from here
//
// Open reads only the header of a file. File.Tensor reads the elements of one tensor, from
// a memory mapping where the system has one.
//
// A file may be hostile. The package refuses all files that the official reader refuses,
// and also files with duplicate names, empty names or unknown fields. Opening
// it never takes more memory than twice its size.
//
// Read header.go first, then dtype.go and write.go.
//
// Source: Hugging Face, safetensors, README, section "Format".
package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"strings"

	"pixelgrad/internal/mmap"
	"pixelgrad/tensor"
)

// File is an open file of tensors. Several goroutines may call its methods at once.
type File struct {
	src  *mmap.File
	data int64 // where the elements begin
	h    *header
}

// Info describes a tensor without reading it.
type Info struct {
	DType DType
	Shape []int
	Bytes int64 // the size of its elements in the file
}

// Open opens a file and reads its header. Errors name the file and the tensor, and say
// what the format requires and what was found. Do not overwrite the file in place while it
// is open; it is safe to replace it by a rename.
func Open(path string) (*File, error) {
	src, err := mmap.Open(path)
	if err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	f, err := newFile(src)
	if err != nil {
		src.Close()
		return nil, err
	}
	return f, nil
}

// NewFile reads a file of the given size from r, such as a bytes.Reader on embedded data.
// Errors are the same as Open's and call the file name. Close does not close r.
func NewFile(name string, r io.ReaderAt, size int64) (*File, error) {
	return newFile(mmap.NewFile(name, r, size))
}

func newFile(src *mmap.File) (*File, error) {
	fail := func(err error) (*File, error) {
		return nil, fmt.Errorf("safetensors: %s: %w", src.Name(), err)
	}
	if src.Size() < 8 {
		return fail(fmt.Errorf("expected at least 8 bytes, the length of the header, found %d", src.Size()))
	}
	var prefix [8]byte
	if _, err := src.ReadAt(prefix[:], 0); err != nil {
		return fail(err)
	}
	n := binary.LittleEndian.Uint64(prefix[:])
	if n > maxHeader {
		return fail(fmt.Errorf("a header of %d bytes is longer than the limit of %d; is this a safetensors file? It begins with %q", n, maxHeader, prefix))
	}
	if int64(n) > src.Size()-8 {
		return fail(fmt.Errorf("the header should have %d bytes, but only %d follow; is the file cut off?", n, src.Size()-8))
	}
	var text strings.Builder
	text.Grow(int(n))
	if err := src.Chunks(8, int64(n), func(b []byte) { text.Write(b) }); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	data := 8 + int64(n)
	h, err := parseHeader(text.String(), src.Size()-data)
	if err != nil {
		return fail(err)
	}
	return &File{src: src, data: data, h: h}, nil
}

// Names returns the names of all tensors, in the order of their data in the file.
func (f *File) Names() []string {
	names := make([]string, len(f.h.entries))
	for i, e := range f.h.entries {
		names[i] = e.name
	}
	return names
}

// Metadata returns the free-form texts of the header, or nil if it has none. The map
// belongs to the caller.
func (f *File) Metadata() map[string]string { return maps.Clone(f.h.metadata) }

// Info returns the type, shape and size of a tensor. It is an error if there is no tensor
// with this name.
func (f *File) Info(name string) (Info, error) {
	_, info, err := f.lookup(name)
	return info, err
}

// Tensor reads a tensor and converts it to float32; see DType.Decode.
//
// Errors: there is no tensor with this name; its type is not Readable; an integer in it is
// no number of float32; the file is closed or cannot be read.
func (f *File) Tensor(name string) (*tensor.Tensor, error) {
	e, info, err := f.lookup(name)
	if err != nil {
		return nil, err
	}
	if !info.DType.Readable() {
		return nil, fmt.Errorf("safetensors: %s: tensor %s has dtype %s; %s", f.src.Name(), quote(name), info.DType, unreadable)
	}
	t := tensor.NewUninitialized(info.Shape...)
	dst, width := t.Data(), info.DType.Bits()/8
	var wrong error
	err = f.src.Chunks(f.data+e.begin, info.Bytes, func(b []byte) {
		n := len(b) / width
		if wrong == nil {
			wrong = info.DType.Decode(dst[:n], b)
		}
		dst = dst[n:]
	})
	if err == nil && wrong != nil {
		err = fmt.Errorf("%s: %w", f.src.Name(), wrong)
	}
	if err != nil {
		tensor.Release(t)
		return nil, fmt.Errorf("safetensors: tensor %s: %w", quote(name), err)
	}
	return t, nil
}

// Bytes reads a tensor's elements as they are in the file. Unlike Tensor, it reads every
// type.
func (f *File) Bytes(name string) ([]byte, error) {
	e, info, err := f.lookup(name)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, info.Bytes)
	if err := f.src.Chunks(f.data+e.begin, info.Bytes, func(b []byte) { out = append(out, b...) }); err != nil {
		return nil, fmt.Errorf("safetensors: tensor %s: %w", quote(name), err)
	}
	return out, nil
}

// Close frees the mapping and closes the file. The tensors that were read stay valid.
func (f *File) Close() error { return f.src.Close() }

func (f *File) lookup(name string) (*entry, Info, error) {
	e := f.h.find(name)
	if e == nil {
		return nil, Info{}, fmt.Errorf("safetensors: %s: no tensor %s among the %d of this file", f.src.Name(), quote(name), len(f.h.entries))
	}
	shape, err := shapeAt(f.h.text, e.shape)
	return e, Info{dtypes[e.dtype].name, shape, e.end - e.begin}, err
}
