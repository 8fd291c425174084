package atomicfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// file is a temporary file on its way to a name.
type file struct {
	os     *os.File
	temp   string // its name now
	path   string // the name that it shall get, as the caller says it
	target string // and where symbolic links lead from there

	replaces bool // there is a file by that name
	closed   bool
	named    bool // it has its name for good

	size    int64 // bytes that the caller has written so far
	counted bool  // those are all
	full    error // the disk's answer if it is full
}

// newFile returns what shall be called path.
func newFile(path string) *file {
	f := &file{path: path, target: path}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		f.target = real
	}
	return f
}

// do asks the disk for something, and notices if it is full.
func (f *file) do(op Op, path string, ask func() error) error {
	err := do(op, path, ask)
	if isFull(err) {
		f.full = err
	}
	return err
}

// Write writes to the file. Once the disk is full, it only counts.
func (f *file) Write(b []byte) (n int, err error) {
	f.size += int64(len(b))
	if f.full != nil {
		return len(b), nil
	}
	err = f.do(OpWrite, f.path, func() (err error) { n, err = f.os.Write(b); return err })
	if errors.As(err, new(Partial)) {
		n, _ = f.os.Write(b[:len(b)/2])
	}
	if f.full != nil {
		return len(b), nil
	}
	return n, err
}

func (f *file) chmod(mode fs.FileMode) error {
	return f.do(OpChmod, f.path, func() error { return f.os.Chmod(mode) })
}

func (f *file) sync() error { return f.do(OpSync, f.path, f.os.Sync) }

// close closes the file, also if the disk says that something is wrong with it.
func (f *file) close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	fault := f.do(OpClose, f.path, func() error { return nil })
	return cmp.Or(fault, f.os.Close())
}

// rename gives the file its name, in place of a file that may have it; renameNew, only if
// there is none, and else the error is fs.ErrExist.
func (f *file) rename(to string) error    { return f.move(os.Rename, to) }
func (f *file) renameNew(to string) error { return f.move(renameNew, to) }

func (f *file) move(rename func(from, to string) error, to string) error {
	if !renamesOpen {
		if err := f.close(); err != nil {
			return err
		}
	}
	path := to
	if to == f.target {
		path = f.path
	}
	if err := f.do(OpRename, path, func() error { return rename(f.temp, to) }); err != nil {
		return err
	}
	f.named = true
	f.close() // it has been synced, so that closing has nothing left to say
	return nil
}

// discard removes a file that has no name for good.
func (f *file) discard() {
	if !f.named {
		f.close()
		do(OpRemove, f.path, func() error { return os.Remove(f.temp) })
	}
}

// explain says what an error means for the file that was to be written.
func (f *file) explain(err error) error {
	switch {
	case f.named:
		return fmt.Errorf("%s: is written, but a power cut may undo it: %w", f.path, err)
	case f.full != nil:
		err = f.explainFull(err)
	}
	return fmt.Errorf("%s: cannot be written: %w", f.path, err)
}
