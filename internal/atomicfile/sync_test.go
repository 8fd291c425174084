package atomicfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// A folder that cannot be synced is no error, unless the disk is at fault. A file that
// cannot be is always one.
func TestSyncRefused(t *testing.T) {
	for _, c := range []struct {
		errno    error
		harmless bool // for a folder
	}{
		{syscall.EINVAL, true},
		{errors.ErrUnsupported, true}, // what ENOSYS, ENOTSUP and EOPNOTSUPP are
		{fmt.Errorf("wrapped: %w", syscall.EINVAL), true},
		{syscall.EIO, false},
		{syscall.ENOSPC, false},
		{syscall.EACCES, false},
		{syscall.EROFS, false},
	} {
		cause := &os.PathError{Op: "sync", Path: "x", Err: c.errno}
		dir := t.TempDir()
		path := filepath.Join(dir, "a")
		failing := func(op Op, path, text string) error {
			defer Inject(func(o Op, _ string) error {
				if o == op {
					return cause
				}
				return nil
			})()
			return Write(path, put(text))
		}
		err := failing(OpSyncFolder, path, "new")
		switch {
		case runtime.GOOS == "windows": // does not ask
		case c.harmless && err != nil, !c.harmless && !errors.Is(err, c.errno):
			t.Errorf("the folder's sync answers %v: error %v, want one: %v", c.errno, err, !c.harmless)
		}
		holds(t, dir, map[string]string{"a": "new"}) // it was renamed before

		if err := failing(OpSync, path, "newer"); !errors.Is(err, c.errno) {
			t.Errorf("the file's sync answers %v: error %v, want one that wraps it", c.errno, err)
		}
		holds(t, dir, map[string]string{"a": "new"})
	}
}

func TestSyncFolder(t *testing.T) {
	dir := t.TempDir()
	if err := SyncFolder(dir); err != nil {
		t.Error(err)
	}
	if err := SyncFolder(filepath.Join(dir, "gone")); runtime.GOOS != "windows" && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: error %v", err)
	}
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("may read every folder")
	}
	if err := os.Chmod(dir, 0o300); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	if err := Write(filepath.Join(dir, "a"), put("x")); err != nil {
		t.Errorf("a folder that may be written to and not read: %v", err)
	}
}
