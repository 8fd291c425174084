// Package weightfile opens files of named tensors in any of the formats that the project
// reads: safetensors and the formats of PyTorch.
package weightfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/torchfile"
)

// File is an open weight file. Several goroutines may call its methods at once.
type File interface {
	// Names returns the names of all tensors, in the order of the file.
	Names() []string
	// Info describes a tensor without reading it.
	Info(name string) (safetensors.Info, error)
	// Tensor reads a tensor and converts it to float32.
	Tensor(name string) (*tensor.Tensor, error)
	// Metadata returns the free-form texts of the file, or nil if it has none.
	Metadata() map[string]string
	// Format returns "safetensors", "zip", "legacy" or "TorchScript".
	Format() string
	Close() error
}

// Open opens a weight file. The content decides which format the file has, not the name.
// Errors name the file, and say what was expected and what was found.
func Open(path string) (File, error) {
	begin, size, err := peek(path)
	if err != nil {
		return nil, err
	}
	switch {
	case isSafetensors(begin):
		f, err := safetensors.Open(path)
		if err != nil {
			return nil, err
		}
		return safe{f}, nil
	case isTorch(begin):
		f, err := torchfile.Open(path)
		if err != nil {
			return nil, err
		}
		return torch{f}, nil
	case size == 0:
		return nil, fmt.Errorf("%s: expected a safetensors file or one of torch.save, found an empty file", path)
	}
	return nil, fmt.Errorf("%s: expected a safetensors file or one of torch.save, found a file of %d bytes that begins with %q", path, size, begin)
}

// peek returns the first 16 bytes of a file, or fewer if it is shorter.
func peek(path string) (begin []byte, size int64, err error) {
	// Stat comes before Open, because opening a named pipe would wait for a writer.
	st, err := os.Stat(path)
	if err != nil {
		if p := (*fs.PathError)(nil); errors.As(err, &p) {
			err = p.Err
		}
		return nil, 0, fmt.Errorf("%s: expected a weight file: %w", path, err)
	}
	if st.IsDir() {
		return nil, 0, fmt.Errorf("%s: expected a weight file, found a folder", path)
	}
	if !st.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s: expected a weight file, found a device or a pipe", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	begin = make([]byte, 16)
	n, err := io.ReadFull(f, begin)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return begin[:n], st.Size(), err
}

// isSafetensors reports whether a file begins with the length of a header that safetensors
// allows, followed by JSON. It is called before isTorch, because such a length can look
// like the first bytes of a pickle. The converse is impossible: the first 8 bytes of
// PyTorch's pickles and archives are always a larger number.
func isSafetensors(b []byte) bool {
	const maxHeader = 100_000_000 // the format's limit
	return len(b) > 8 && b[8] == '{' && binary.LittleEndian.Uint64(b) <= maxHeader
}

// isTorch reports whether a file begins like a zip archive or a pickle.
func isTorch(b []byte) bool {
	return len(b) >= 4 && string(b[:4]) == "PK\x03\x04" || len(b) >= 2 && b[0] == 0x80
}

type safe struct{ *safetensors.File }

func (safe) Format() string { return "safetensors" }

type torch struct{ *torchfile.File }

func (torch) Metadata() map[string]string { return nil }
