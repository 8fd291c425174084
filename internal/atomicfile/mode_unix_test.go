//go:build unix

package atomicfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A new file has the permissions that the umask leaves; an old one keeps its own.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	aside := func(path string) error { _, err := WriteAside(path, put("x")); return err }
	for name, write := range map[string]func(path string) error{"Write": func(path string) error { return Write(path, put("x")) }, "WriteAside": aside} {
		for _, umask := range []int{0, 0o002, 0o022, 0o027, 0o077} {
			syscall.Umask(umask)
			path := filepath.Join(t.TempDir(), "a")
			mode := func(want fs.FileMode) {
				t.Helper()
				if err := write(path); err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(path); err != nil || info.Mode() != want {
					t.Errorf("%s with umask %04o: mode %v, %v; want %v", name, umask, info.Mode(), err, want)
				}
			}
			mode(0o666 &^ fs.FileMode(umask))
			mode(0o666 &^ fs.FileMode(umask))
			for _, old := range []fs.FileMode{0o600, 0o640, 0o666, 0o777} {
				if err := os.Chmod(path, old); err != nil {
					t.Fatal(err)
				}
				mode(old)
			}
		}
	}
}
