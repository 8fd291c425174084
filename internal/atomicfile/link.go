package atomicfile

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Link gives a finished file a second name, path, and replaces what is there, as Write does:
// path always has either its old content or that of the file, even after a power cut. The
// two names are one file until Write makes another of one of them; nothing else may write to
// them. Where a file cannot have two names, path becomes a copy.
func Link(old, path string) error { return onDisk.link(old, path) }

func (s *system) link(old, path string) error {
	from, err := filepath.EvalSymlinks(old)
	if err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, err)
	}
	info, err := os.Stat(from)
	if err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: cannot be written: expected a file at %s, found a folder or a device", path, old)
	}
	f := newFile(path)
	dir := filepath.Dir(f.target)
	if there, err := os.Lstat(f.target); err != nil || !os.SameFile(info, there) {
		if !s.linkAndRename(f, from, dir) {
			return s.copy(from, path)
		}
	}
	f.named = true
	if err := SyncFolder(dir); err != nil {
		return f.explain(err)
	}
	return nil
}

// linkAndRename reports whether f has become another name of the file from.
func (s *system) linkAndRename(f *file, from, dir string) bool {
	if s.tidied.first(dir) {
		s.tidy(dir)
	}
	f.temp, f.closed = temporary(dir), true
	if f.do(OpLink, f.path, func() error { return os.Link(from, f.temp) }) != nil {
		return false
	}
	defer f.discard()
	_, err := s.rename(f, f.target)
	return err == nil
}

// copy writes what is in a file.
func (s *system) copy(from, path string) error {
	_, err := s.write(path, func(w io.Writer) error {
		f, err := os.Open(from)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	}, (*system).rename)
	return err
}
