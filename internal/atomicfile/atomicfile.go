// Package atomicfile writes files that appear whole or not at all: a crash or a
// full disk never leaves half a weight file or half a picture behind.
package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Write makes the file at path, or replaces it, with what write writes to w. The
// bytes go to a temporary file in the same folder, which is synced and renamed
// to path, and then the folder is synced; so path always has either the old
// content or the new one, even after a power cut (but see SyncFolder). w is
// buffered.
//
// If write fails, or what follows it, the old file stays as it was, the
// temporary one is removed, and the error names path and wraps the cause. If the
// disk is full, the error says how many bytes the file needs: for that, w takes
// the rest, only to count it, and write goes on to its end. An existing file's
// permissions are kept, and a symbolic link is followed. It is an error if
// something else than a file is at path.
//
// Windows does not replace a file that another program has open. Programs that
// look for viruses do so for moments: Write tries again for two seconds.
//
// A process that is killed leaves its temporary file, called ".unfinished-" and
// hexadecimal digits. It is removed when a process writes its first file to that
// folder: at once if the system tells that nobody is writing it any more, as Unix
// does for processes of the same host; elsewhere if it has not changed for a day.
func Write(path string, write func(w io.Writer) error) error {
	_, err := onDisk.write(path, write, (*system).rename)
	return err
}

// system is what Write asks of the machine, and what it remembers of it. Tests change it;
// faults are for Inject.
type system struct {
	hold   func(f *os.File) grip
	pause  func(time.Duration)
	tidied *folders // where leftovers have been looked for
	asides *asides  // what WriteAside has done
}

var onDisk = system{hold, time.Sleep, new(folders), new(asides)}

// write is Write. name gives the complete file its name, to or another, which it returns.
func (s *system) write(path string, write func(w io.Writer) error, name func(s *system, f *file, to string) (string, error)) (used string, err error) {
	f := newFile(path)
	defer func() { // behind the removal of the temporary file, which makes room
		if err != nil {
			err = f.explain(err)
		}
	}()
	mode := fs.FileMode(0o666) // less what the umask takes
	if old, err := os.Stat(f.target); err == nil {
		if !old.Mode().IsRegular() {
			return "", errors.New("expected a file or nothing by that name, found a folder or a device; choose another name")
		}
		mode, f.replaces = old.Mode().Perm(), true
	}
	dir := filepath.Dir(f.target)
	if s.tidied.first(dir) {
		s.tidy(dir)
	}
	if err := s.create(f, dir, mode); err != nil {
		return "", err
	}
	defer f.discard() // unless it gets its name; also when write panics
	if f.replaces {
		if err := f.chmod(mode); err != nil { // what the umask took
			return "", err
		}
	}
	b := bufio.NewWriterSize(f, 1<<16)
	if err := write(b); err != nil {
		return "", err
	}
	if err := b.Flush(); err != nil {
		return "", err
	}
	f.counted = true
	if f.full != nil {
		return "", f.full
	}
	if err := f.sync(); err != nil {
		return "", err
	}
	if used, err = name(s, f, f.target); err != nil {
		return "", err
	}
	return used, SyncFolder(dir)
}
