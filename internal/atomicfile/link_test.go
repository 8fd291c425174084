package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestLink(t *testing.T) {
	dir := t.TempDir()
	last, best := filepath.Join(dir, "last"), filepath.Join(dir, "best")
	link := func(want map[string]string) {
		t.Helper()
		if err := Link(last, best); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, want)
		a, err1 := os.Stat(last)
		b, err2 := os.Stat(best)
		if err1 != nil || err2 != nil || !os.SameFile(a, b) {
			t.Logf("%v, %v: copied, not linked", err1, err2)
			if lone := filepath.Join(t.TempDir(), "a"); os.Link(last, lone) == nil {
				t.Error("a file that can have two names was copied")
			}
		}
	}
	if err := Write(last, put("one")); err != nil {
		t.Fatal(err)
	}
	link(map[string]string{"last": "one", "best": "one"})
	link(map[string]string{"last": "one", "best": "one"}) // is one already
	if err := Write(last, put("two")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"last": "two", "best": "one"})
	link(map[string]string{"last": "two", "best": "two"})
	if err := Write(best, put("three")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"last": "two", "best": "three"})
}

// A name that is the file's already is only made to last.
func TestLinkAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := Write(path, put("a")); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		t.Skip("folders are not synced")
	}
	defer fillAt(OpSyncFolder, syscall.EIO)()
	if err := Link(path, path); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), path+": is written, but") {
		t.Errorf("error %v, want EIO and that it is written", err)
	}
	holds(t, dir, map[string]string{"a": "a"})
}

// Where there are no links, the content is copied, in one piece.
func TestLinkCopies(t *testing.T) {
	dir := t.TempDir()
	last, best := filepath.Join(dir, "last"), filepath.Join(dir, "best")
	for path, text := range map[string]string{last: "new", best: "old"} {
		if err := Write(path, put(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, op := range []Op{OpLink, OpRename} {
		failed := false
		undo := Inject(func(o Op, _ string) error {
			if o == op && !failed {
				failed = true
				return syscall.EPERM
			}
			return nil
		})
		err := Link(last, best)
		undo()
		if err != nil || !failed {
			t.Errorf("%s refused (%v): error %v, want none", op, failed, err)
		}
		holds(t, dir, map[string]string{"last": "new", "best": "new"})
		a, _ := os.Stat(last)
		b, _ := os.Stat(best)
		if os.SameFile(a, b) {
			t.Errorf("%s refused: linked all the same", op)
		}
	}
}

// A link at path is followed, one at old, too.
func TestLinkFollows(t *testing.T) {
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "last"), put("text")); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"from": "last", "to": "best"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	if err := Write(filepath.Join(dir, "best"), put("old")); err != nil {
		t.Fatal(err)
	}
	if err := Link(filepath.Join(dir, "from"), filepath.Join(dir, "to")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"last": "text", "best": "text", "from": "text", "to": "text"})
	for _, name := range []string{"last", "best"} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s is %v, %v; want a file", name, info.Mode(), err)
		}
	}
}

func TestLinkRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	if err := Write(file, put("a")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, path, want string }{
		{filepath.Join(dir, "missing"), filepath.Join(dir, "b"), "no such file"},
		{dir, filepath.Join(dir, "b"), "expected a file at " + dir},
		{file, dir, "found a folder"},
		{file, filepath.Join(dir, "missing", "b"), "no such file"},
	} {
		err := Link(c.old, c.path)
		if err == nil || !strings.HasPrefix(err.Error(), c.path+": ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Link(%s, %s): error %v, want one with %q", c.old, c.path, err, c.want)
		}
	}
	holds(t, dir, map[string]string{"a": "a"})
}
