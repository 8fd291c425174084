package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// WriteAside is Write for a table that a spreadsheet may have open, whose file Windows then
// does not replace: if it still cannot be replaced after two seconds, the new table gets
// another name beside it, metrics-1.csv for metrics.csv, or the first number for which there
// is no file, or only one that this process has written so. used is the name that it has
// got. Each call tries the first name again; what has been written beside it stays.
func WriteAside(path string, write func(w io.Writer) error) (used string, err error) {
	return onDisk.write(path, write, (*system).renameAside)
}

// ErrHeld stands for Windows' refusals to replace a file that another program has open.
// Tests inject it at OpRename.
var ErrHeld = errors.New("another program has the file open")

func isHeld(err error) bool { return errors.Is(err, ErrHeld) || isSystemsHeld(err) }

// patience is how often a file that another program has open is tried again, a tenth of a
// second apart.
const patience = 20

// asides remembers by their names the files that were held when they should have been
// replaced, and those that were written in their place.
type asides struct{ held, ours sync.Map }

// rename gives a file its name. It waits while another program has the old one open.
func (s *system) rename(f *file, to string) (string, error) {
	return f.path, s.retry(func() error { return f.rename(to) })
}

// retry tries something again while another program has the file open.
func (s *system) retry(try func() error) error {
	err := try()
	for n := 0; n < patience && isHeld(err); n++ {
		s.pause(100 * time.Millisecond)
		err = try()
	}
	return err
}

// renameAside is rename, or gives the file another name if the old one stays open. If it was
// open the last time, it does not wait.
func (s *system) renameAside(f *file, to string) (string, error) {
	var err error
	if _, held := s.asides.held.Load(to); held {
		err = f.rename(to)
	} else {
		_, err = s.rename(f, to)
	}
	if !isHeld(err) {
		s.asides.held.Delete(to)
		return f.path, err
	}
	s.asides.held.Store(to, true)
	for n := 1; n < 1000; n++ {
		name := beside(to, n)
		rename := f.renameNew
		if _, ours := s.asides.ours.Load(name); ours {
			rename = f.rename
		}
		switch err := rename(name); {
		case err == nil:
			s.asides.ours.Store(name, true)
			return name, nil
		case !isHeld(err) && !errors.Is(err, fs.ErrExist):
			return "", err
		}
	}
	return "", err
}

// beside returns the name of a file with a number behind it.
func beside(path string, n int) string {
	ext := filepath.Ext(path)
	return fmt.Sprintf("%s-%d%s", strings.TrimSuffix(path, ext), n, ext)
}
