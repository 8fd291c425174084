package atomicfile

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// temporaryName is what temporary files are called: the host's eight digits and sixteen
// random ones. Earlier versions wrote no host.
var temporaryName = regexp.MustCompile(`^\.unfinished-(?:([0-9a-f]{8})-)?[0-9a-f]{16}$`)

// thisHost returns the digits of this host: those of others differ, but for one case in
// four thousand million.
var thisHost = sync.OnceValue(func() string {
	name, _ := os.Hostname()
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(name)))
})

// grip is who has a file to itself.
type grip int

const (
	mine   grip = iota // this process; the system ends it with the process, however that ends
	others             // another process, or an earlier opening of this one
	nobody             // the system, or this file system, cannot tell
)

// temporary returns a name in a folder that nobody else has.
func temporary(dir string) string {
	return filepath.Join(dir, fmt.Sprintf(".unfinished-%s-%016x", thisHost(), rand.Uint64()))
}

// create makes the temporary file, hidden, and holds it.
func (s *system) create(f *file, dir string, mode fs.FileMode) error {
	var err error
	for range 100 {
		f.temp = temporary(dir)
		err = f.do(OpCreate, f.path, func() (err error) {
			f.os, err = os.OpenFile(f.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
			return err
		})
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			break
		}
		// Before it was held, a process that tidies may have taken it for a leftover.
		if s.hold(f.os) != others && isAt(f.os, f.temp) {
			return nil
		}
		f.os.Close()
		do(OpRemove, f.path, func() error { return os.Remove(f.temp) })
		err = errors.New("other processes hold or remove what is made there")
	}
	return fmt.Errorf("no file can be made in the folder %s: %w", dir, err)
}

// tidy removes the temporary files of killed processes from a folder, as far as it can.
func (s *system) tidy(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(1000)
		for _, e := range entries {
			if parts := temporaryName.FindStringSubmatch(e.Name()); parts != nil && e.Type().IsRegular() {
				s.removeStale(filepath.Join(dir, e.Name()), parts[1])
			}
		}
		if err != nil || len(entries) == 0 {
			return
		}
	}
}

// longQuiet is how long a file must not have changed to be taken for a leftover where the
// system cannot tell whether somebody writes it.
const longQuiet = 24 * time.Hour

// removeStale removes a temporary file that nobody writes any more. Locks tell: a writer
// holds its file from the beginning to the renaming. But some file systems that hosts share
// keep locks within each host, so for a file of another host that is not enough.
func (s *system) removeStale(path, host string) {
	f, err := os.OpenFile(path, os.O_RDWR|notFollowing, 0)
	if err != nil {
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return
	}
	held := s.hold(f)
	certain := held == mine && (host == "" || host == thisHost())
	if held == others || !certain && time.Since(info.ModTime()) < longQuiet {
		return
	}
	if !isAt(f, path) { // its writer has renamed it meanwhile
		return
	}
	if held != mine {
		f.Close() // Windows does not remove open files
	}
	do(OpRemove, path, func() error { return os.Remove(path) })
}

// isAt reports whether an open file has a name, and not by a link.
func isAt(f *os.File, name string) bool {
	open, err1 := f.Stat()
	there, err2 := os.Lstat(name)
	return err1 == nil && err2 == nil && os.SameFile(open, there)
}

// folders is a set of folders.
type folders struct{ seen sync.Map }

// first reports whether a folder is new in the set, and enters it.
func (f *folders) first(dir string) bool {
	path, err := filepath.Abs(dir)
	if err != nil {
		return false
	}
	_, seen := f.seen.LoadOrStore(path, true)
	return !seen
}
