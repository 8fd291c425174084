package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// fillAt has the disk be full at an operation.
func fillAt(op Op, cause error) (undo func()) {
	return Inject(func(o Op, _ string) error {
		if o == op {
			return cause
		}
		return nil
	})
}

// The error of a full disk says what is needed and what was kept, in whole sentences.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	long := strings.Repeat("x", 3_210_000)
	interrupted := errors.New("interrupted")
	for _, c := range []struct {
		op    Op
		cause error
		write func(io.Writer) error
		old   bool
		want  string
	}{
		{OpWrite, syscall.ENOSPC, put("four"), false, "the disk is full: the file needs 4 bytes: no space"},
		{OpWrite, syscall.ENOSPC, inPieces(long), true, "the disk is full: the file needs 3.3 MB; the old file is kept: no space"},
		{OpSync, syscall.EDQUOT, put("four"), true, "the disk is full, as far as this user may fill it (the quota): the file needs 4 bytes; the old file is kept: "},
		{OpCreate, syscall.ENOSPC, put("four"), false, "the disk is full: there is no room for one more file: no file can be made in the folder " + dir + ": no space"},
		{OpWrite, syscall.ENOSPC, func(w io.Writer) error { w.Write(make([]byte, 70_000)); return interrupted }, true,
			"the disk is full: the file needs at least 70000 bytes; the old file is kept: interrupted"},
	} {
		if runtime.GOOS == "windows" {
			t.Skip("other words for no space")
		}
		where := filepath.Join(dir, "none")
		if c.old {
			where = path
			if err := Write(path, put("old")); err != nil {
				t.Fatal(err)
			}
		}
		undo := fillAt(c.op, c.cause)
		err := Write(where, c.write)
		undo()
		if want := where + ": cannot be written: " + c.want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s answers %v:\n%v, want\n%s", c.op, c.cause, err, want)
		}
	}
	holds(t, dir, map[string]string{"a": "old"})
}

// What write itself says of another disk is its own affair.
func TestAnotherFullDisk(t *testing.T) {
	err := Write(filepath.Join(t.TempDir(), "a"), func(io.Writer) error { return fmt.Errorf("the cache: %w", syscall.ENOSPC) })
	if err == nil || strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("error %v, want the one of write alone", err)
	}
}

func TestFreeBytes(t *testing.T) {
	n, known := freeBytes(t.TempDir())
	switch runtime.GOOS {
	case "linux", "darwin", "freebsd", "dragonfly", "windows":
		if !known || n < 1 || n > 1<<60 {
			t.Errorf("%d bytes, known: %v; want what a disk has", n, known)
		}
	}
	if n, known := freeBytes(filepath.Join(t.TempDir(), "gone")); known {
		t.Errorf("%d bytes are free in no folder", n)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 999_999: "999999 bytes", 1_000_000: "1.0 MB", 1_000_001: "1.1 MB", 12_345_678_900: "12345.7 MB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
}
