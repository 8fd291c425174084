package atomicfile

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullDiskForReal fills a disk of 64 KiB.
func TestFullDiskForReal(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "a")
	old := strings.Repeat("o", 10_000)
	if err := Write(path, put(old)); err != nil {
		t.Fatal(err)
	}
	free, known := freeBytes(dir)
	if !known || free < 1 || free > 64<<10-10_000 {
		t.Fatalf("%d bytes are free, known: %v", free, known)
	}
	const need = 300_000
	err := Write(path, inPieces(strings.Repeat("n", need)))
	want := fmt.Sprintf("%s: cannot be written: the disk is full: the file needs %d bytes, and %d bytes are free; make room for %d bytes or more; the old file is kept: ", path, need, free, need-free)
	if !errors.Is(err, unix.ENOSPC) || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), ".unfinished") {
		t.Errorf("error\n%v, want\n%s", err, want)
	}
	holds(t, dir, map[string]string{"a": old})

	undo := fillAt(OpWrite, unix.EDQUOT) // what is free on the disk says nothing
	err = Write(path, inPieces(strings.Repeat("n", need)))
	undo()
	if !errors.Is(err, unix.EDQUOT) || strings.Contains(err.Error(), "are free") {
		t.Errorf("error %v, want one without what is free", err)
	}

	// It is true: so much fits, and not a byte more.
	if err := Write(path, inPieces(strings.Repeat("m", int(free)+1))); !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "make room for 1 bytes") {
		t.Errorf("a byte more than fits: error %v", err)
	}
	holds(t, dir, map[string]string{"a": old})
	fits := strings.Repeat("f", int(free))
	if err := Write(path, inPieces(fits)); err != nil {
		t.Errorf("what fits: error %v", err)
	}
	holds(t, dir, map[string]string{"a": fits})
}
