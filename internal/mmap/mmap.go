// Package mmap reads parts of a large file: through a memory mapping where the
// system has one, with ReadAt elsewhere. Both look the same to the caller.
//
// A mapping has one trap that ReadAt has not: if another process truncates the
// file, touching the lost pages is a fault, which by default ends a Go program
// and cannot be recovered. View turns that fault into an error.
package mmap

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"unsafe"
)

// File is a source of bytes at known offsets. Its methods may be called from
// several goroutines; Close waits for those that are reading.
type File struct {
	name string
	size int64

	mu     sync.RWMutex
	data   []byte      // the mapping; nil if r is used instead
	r      io.ReaderAt // nil if data is used
	closer io.Closer   // nil if there is nothing to close but the mapping
	closed bool
}

// chunkSize is how much Chunks hands over at a time: small enough to stay in
// the second-level cache between being read and being converted, and divisible
// by every element size.
const chunkSize = 256 << 10

// Open opens a regular file for reading and maps it if the system can. The
// error names the file: it does not exist, may not be read, is a folder or a
// device.
func Open(path string) (*File, error) {
	// Looking before opening: opening a named pipe would wait for a writer.
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: expected a file, found %s", path, kind(st.Mode()))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if st, err = f.Stat(); err != nil {
		f.Close()
		return nil, err
	}
	size := st.Size()
	if size > 0 && size == int64(int(size)) {
		// A file system that cannot map is no reason to fail: ReadAt is left.
		if data, err := mapFile(f, int(size)); err == nil {
			f.Close() // the mapping does not need it any more
			return &File{name: path, size: size, data: data}, nil
		}
	}
	return &File{name: path, size: size, r: f, closer: f}, nil
}

// NewFile returns a File that reads size bytes from r, for data that is not a
// file on disk. The name is for error messages. Close does not close r.
func NewFile(name string, r io.ReaderAt, size int64) *File {
	return &File{name: name, size: size, r: r}
}

// Name returns the path or name that was given.
func (f *File) Name() string { return f.name }

// Size returns the length in bytes when the file was opened.
func (f *File) Size() int64 { return f.size }

// Mapped reports whether the bytes are mapped and not read.
func (f *File) Mapped() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.data != nil
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("%s: read at the negative offset %d", f.name, off)
	}
	want := len(p)
	if off >= f.size {
		return 0, io.EOF
	}
	if rest := f.size - off; int64(want) > rest {
		p = p[:rest]
	}
	err := f.access(func() error {
		if f.data != nil {
			copy(p, f.data[off:])
			return nil
		}
		return f.readFull(p, off)
	})
	if err != nil {
		return 0, err
	}
	if len(p) < want {
		return len(p), io.EOF
	}
	return len(p), nil
}

// View calls fn with the n bytes at off. With a mapping they are the file
// itself and cost no memory; otherwise they are read first. fn must neither
// change nor keep the slice, nor call methods of f. The error is fn's own, or
// says that the file does not have these bytes.
func (f *File) View(off, n int64, fn func(b []byte) error) error {
	if err := f.check(off, n); err != nil {
		return err
	}
	return f.access(func() error {
		if f.data != nil {
			return fn(f.data[off : off+n : off+n])
		}
		b := make([]byte, n)
		if err := f.readFull(b, off); err != nil {
			return err
		}
		return fn(b)
	})
}

// Chunks calls fn with the n bytes at off in order, some at a time: every part
// but the last has a length divisible by 16. It takes no more memory than one
// part, with a mapping or without. fn must neither change nor keep the slice,
// nor call methods of f.
func (f *File) Chunks(off, n int64, fn func(b []byte)) error {
	if err := f.check(off, n); err != nil {
		return err
	}
	return f.access(func() error {
		if f.data != nil {
			fn(f.data[off : off+n : off+n])
			return nil
		}
		buf := make([]byte, min(n, chunkSize))
		for n > 0 {
			b := buf[:min(n, chunkSize)]
			if err := f.readFull(b, off); err != nil {
				return err
			}
			fn(b)
			off += int64(len(b))
			n -= int64(len(b))
		}
		return nil
	})
}

// Close frees the mapping and closes the file. Closing twice does nothing.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	var err error
	if f.data != nil {
		err = unmapFile(f.data)
	}
	if f.closer != nil {
		err = errors.Join(err, f.closer.Close())
	}
	f.data, f.r, f.closer = nil, nil, nil
	return err
}

// check refuses a range that is not inside the file.
func (f *File) check(off, n int64) error {
	if off < 0 || n < 0 || off > f.size || n > f.size-off || n != int64(int(n)) {
		return fmt.Errorf("%s: %d bytes at offset %d are not in the file, which has %d bytes", f.name, n, off, f.size)
	}
	return nil
}

// readFull fills p from the reader.
func (f *File) readFull(p []byte, off int64) error {
	n, err := f.r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF || err == nil {
		return fmt.Errorf("%s: the file ends at byte %d, although it had %d bytes when it was opened", f.name, off+int64(n), f.size)
	}
	return fmt.Errorf("%s: %w", f.name, err)
}

// access runs fn while the file is certainly open, and turns a fault inside
// the mapping into an error.
func (f *File) access(fn func() error) (err error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if f.closed {
		return fmt.Errorf("%s: %w", f.name, os.ErrClosed)
	}
	if f.data != nil {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			switch p := recover().(type) {
			case nil:
			case interface{ Addr() uintptr }:
				base := uintptr(unsafe.Pointer(unsafe.SliceData(f.data)))
				if p.Addr() < base || p.Addr()-base >= uintptr(len(f.data)) {
					panic(p) // not ours
				}
				err = fmt.Errorf("%s: the file cannot be read at byte %d: it was truncated by another program, or its disk failed", f.name, p.Addr()-base)
			default:
				panic(p)
			}
		}()
	}
	return fn()
}

// kind names what a path is if it is not a file.
func kind(m os.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&os.ModeNamedPipe != 0:
		return "a named pipe"
	case m&os.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}
