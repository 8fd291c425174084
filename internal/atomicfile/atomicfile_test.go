package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// put returns a write function for a text.
func put(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	}
}

// holds fails unless dir holds exactly the files of want, name to content.
func holds(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := want[e.Name()]; !ok || string(got) != text {
			t.Errorf("file %s holds %q, want %q", e.Name(), got, text)
		}
	}
	if len(entries) != len(want) {
		t.Errorf("the folder holds %v, want %d files", entries, len(want))
	}
}

func TestWriteMakesAndReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, text := range []string{"first, and longer", "second", "", strings.Repeat("x", 1<<18)} {
		if err := Write(path, put(text)); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, map[string]string{"a": text})
	}
}

// A writer that fails in the middle, however much it wrote before, leaves the
// old file or nothing. A full disk shows in the same way.
func TestWriteFailsHalfWay(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, before := range []int{0, 10, 1 << 20} {
		dir := t.TempDir()
		failing := func(w io.Writer) error {
			if _, err := w.Write(bytes.Repeat([]byte{'x'}, before)); err != nil {
				return err
			}
			return full
		}
		path := filepath.Join(dir, "a")
		err := Write(path, failing)
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), path) {
			t.Errorf("after %d bytes: error %v, want one that names %s and wraps ENOSPC", before, err, path)
		}
		holds(t, dir, nil)

		if err := Write(path, put("old")); err != nil {
			t.Fatal(err)
		}
		if err := Write(path, failing); err == nil {
			t.Errorf("after %d bytes: no error", before)
		}
		holds(t, dir, map[string]string{"a": "old"})
	}
}

func TestWritePanics(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() { recover() }()
		Write(filepath.Join(dir, "a"), func(io.Writer) error { panic("a bug") })
	}()
	holds(t, dir, nil)
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "folder"), "found a folder"},
		{filepath.Join(dir, "missing", "a"), "no such file"},
		{os.DevNull, "device"},
	} {
		called := false
		err := Write(c.path, func(io.Writer) error { called = true; return nil })
		if err == nil || !strings.Contains(err.Error(), c.path) || !strings.Contains(err.Error(), c.want) || called {
			t.Errorf("Write(%s): error %v (written: %v), want one with %q before anything is written", c.path, err, called, c.want)
		}
	}
}

func TestWriteUnwritableFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	err := Write(filepath.Join(dir, "a"), put("x"))
	if !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v, want one that wraps permission denied", err)
	}
	holds(t, dir, nil)
}

func TestWriteKeepsModeAndLink(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("a", link); err != nil {
		t.Skip(err)
	}
	if err := Write(link, put("new")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"a": "new", "link": "new"})
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v (%v)", info.Mode(), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v (%v), want the old 0600", info.Mode(), err)
	}
}

func ExampleWrite() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "result.txt")
	err = Write(path, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "28.1 dB")
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := os.ReadFile(path)
	fmt.Print(string(text), err)
	// Output:
	// 28.1 dB
	// <nil>
}
