// Package atomicfile writes files that appear whole or not at all: a crash or a
// full disk never leaves half a weight file or half a picture behind.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write makes the file at path, or replaces it, with what write writes to w. The
// bytes go to a temporary file in the same folder, which is synced and renamed
// to path, and then the folder is synced; so path always has either the old
// content or the new one, even after a power cut (but see SyncFolder). w is
// buffered.
//
// If write fails, or what follows it, the old file stays as it was, the
// temporary one is removed, and the error names path and wraps the cause. An
// existing file's permissions are kept, and a symbolic link is followed. It is
// an error if something else than a file is at path.
//
// A process that is killed leaves its temporary file, called ".unfinished-" and
// hexadecimal digits. It is removed when a process writes its first file to that
// folder: at once if the system tells that nobody is writing it any more, as Unix
// does for processes of the same host; elsewhere if it has not changed for a day.
func Write(path string, write func(w io.Writer) error) error {
	return onDisk.write(path, write)
}

// system is what Write asks of the machine. Tests change it.
type system struct {
	hold       func(f *os.File) grip
	syncFile   func(f *os.File) error
	syncFolder func(f *os.File) error
	tidied     *folders // where leftovers have been looked for
}

var onDisk = system{hold, (*os.File).Sync, (*os.File).Sync, new(folders)}

func (s *system) write(path string, write func(w io.Writer) error) (err error) {
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
	if s.tidied.first(dir) {
		s.tidy(dir)
	}
	f, err := s.create(dir, mode)
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
	if err := s.syncFile(f); err != nil {
		return err
	}
	if err := rename(f, target); err != nil {
		return err
	}
	renamed = true
	return s.sync(dir)
}
