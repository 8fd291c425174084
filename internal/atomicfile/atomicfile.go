// Package atomicfile writes files that appear whole or not at all: a crash or a
// full disk never leaves half a weight file or half a picture behind.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
)

// Write makes the file at path, or replaces it, with what write writes to w. The
// bytes go to a temporary file in the same folder, which is synced and renamed
// to path, and then the folder is synced; so path always has either the old
// content or the new one, even after a power cut. w is buffered.
//
// If write fails, or what follows it, the old file stays as it was, the
// temporary one is removed, and the error names path and wraps the cause. An
// existing file's permissions are kept, and a symbolic link is followed. It is
// an error if something else than a file is at path.
func Write(path string, write func(w io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: cannot be written: %w", path, err)
		}
	}()
	target := path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real
	}
	mode, keep := fs.FileMode(0o666), false // less what the umask takes
	if old, err := os.Stat(target); err == nil {
		if !old.Mode().IsRegular() {
			return errors.New("expected a file or nothing by that name, found a folder or a device; choose another name")
		}
		mode, keep = old.Mode().Perm(), true
	}
	dir := filepath.Dir(target)
	f, err := create(dir, mode)
	if err != nil {
		return err
	}
	renamed := false
	defer func() { // also when write panics
		if !renamed {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if keep {
		if err := f.Chmod(mode); err != nil { // what the umask took
			return err
		}
	}
	b := bufio.NewWriterSize(f, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		return err
	}
	renamed = true
	return syncFolder(dir)
}

// create makes a new file, hidden, by a name that nobody else has.
func create(dir string, mode fs.FileMode) (*os.File, error) {
	for {
		name := filepath.Join(dir, fmt.Sprintf(".unfinished-%016x", rand.Uint64()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if p := (*fs.PathError)(nil); errors.As(err, &p) { // the name above would only confuse
			return nil, fmt.Errorf("no file can be made in the folder %s: %w", dir, p.Err)
		}
		return f, err
	}
}

// syncFolder makes a renaming last. Windows has no such call and needs none.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
