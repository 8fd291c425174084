package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// record lists the operations while run runs, and has the one of a number fail, -1: none;
// with broken, also all that follow but removals.
func record(run func() error, failing int, broken bool, cause error) (ops []Op, err error) {
	defer Inject(func(op Op, _ string) error {
		n := len(ops)
		ops = append(ops, op)
		if n == failing || broken && failing >= 0 && n > failing && op != OpRemove {
			return cause
		}
		return nil
	})()
	err = run()
	return ops, err
}

// inPieces returns a write function for a text that writes it a hundred thousand bytes at
// a time.
func inPieces(text string) func(io.Writer) error {
	return func(w io.Writer) error {
		for part := range slices.Chunk([]byte(text), 100_000) {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestEveryFault has every operation fail, one after the other, alone or with all that
// follow, in every way to write a file.
func TestEveryFault(t *testing.T) {
	for _, broken := range []bool{false, true} {
		testEveryFault(t, broken)
	}
}

func testEveryFault(t *testing.T, broken bool) {
	const text = 250_000 // bytes: more than the buffer, and not a multiple of it
	newer := strings.Repeat("n", text)
	var ways = []struct {
		name string
		run  func(path, source string) error
		ops  []Op // for a new file, without what comes of the old one
	}{
		{"Write", func(path, _ string) error { return Write(path, inPieces(newer)) },
			[]Op{OpCreate, OpWrite, OpWrite, OpWrite, OpSync, OpRename, OpClose, OpSyncFolder}},
		{"WriteAside", func(path, _ string) error { _, err := WriteAside(path, inPieces(newer)); return err },
			[]Op{OpCreate, OpWrite, OpWrite, OpWrite, OpSync, OpRename, OpClose, OpSyncFolder}},
		{"Link", func(path, source string) error { return Link(source, path) },
			[]Op{OpLink, OpRename, OpSyncFolder}},
	}
	causes := []error{syscall.EIO, Partial{syscall.ENOSPC}, &os.PathError{Op: "any", Path: ".unfinished-x", Err: syscall.EDQUOT}}
	for _, way := range ways {
		for _, old := range []bool{false, true} {
			for _, cause := range causes {
				name := fmt.Sprintf("%s, an old file there: %v, %v (and from then on: %v)", way.name, old, cause, broken)
				ops := 1
				for n := -1; n < ops; n++ {
					dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "source")
					path := filepath.Join(dir, "a")
					if err := os.WriteFile(elsewhere, []byte(newer), 0o666); err != nil {
						t.Fatal(err)
					}
					before := map[string]string{}
					if old {
						if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
							t.Fatal(err)
						}
						before["a"] = "old"
					}
					got, err := record(func() error { return way.run(path, elsewhere) }, n, broken, cause)
					if n < 0 {
						want := slices.Clone(way.ops)
						if old && way.name != "Link" {
							want = slices.Insert(want, 1, OpChmod)
						}
						if runtime.GOOS == "windows" { // closes before it renames
							want = slices.DeleteFunc(want, func(op Op) bool { return op == OpSyncFolder })
							if i := slices.Index(want, OpClose); i > 0 {
								want[i-1], want[i] = want[i], want[i-1]
							}
						}
						if err != nil || !slices.Equal(got, want) {
							t.Errorf("%s: operations %v, %v; want %v", name, got, err, want)
						}
						ops = len(got)
						continue
					}
					op := got[n]
					where := fmt.Sprintf("%s: a fault at operation %d, %s", name, n, op)
					saved := slices.Contains(got[:n], OpRename)
					harmless := !broken && op == OpClose && saved // it has been synced
					if way.name == "Link" && !broken && !saved {  // it was copied
						saved, harmless = true, true
					}
					want := before
					if saved {
						want = map[string]string{"a": newer}
					}
					holds(t, dir, want)
					if harmless {
						if err != nil {
							t.Errorf("%s: error %v, want none", where, err)
						}
						continue
					}
					var errno syscall.Errno
					if !errors.As(cause, &errno) || !errors.Is(err, errno) || !strings.HasPrefix(err.Error(), path+": ") {
						t.Errorf("%s: error %v, want one that begins with %s and wraps %v", where, err, path, cause)
						continue
					}
					if strings.Contains(err.Error(), ".unfinished-") {
						t.Errorf("%s: error %v, want one without the temporary file's name", where, err)
					}
					if written := strings.Contains(err.Error(), "is written, but"); written != saved {
						t.Errorf("%s: error %v; says that it is written: %v", where, err, written)
					}
					if isFull(cause) && !broken && slices.Contains(got[n+1:], OpWrite) && way.name != "Link" {
						t.Errorf("%s: then it goes on to write: %v", where, got)
					}
					if full := strings.Contains(err.Error(), "the disk is full"); full != (isFull(cause) && !saved) {
						t.Errorf("%s: error %v; says that the disk is full: %v", where, err, full)
					}
					if kept := strings.Contains(err.Error(), "the old file is kept"); kept != (isFull(cause) && !saved && old) {
						t.Errorf("%s: error %v; says that the old file is kept: %v", where, err, kept)
					}
					if isFull(cause) && !saved && way.name != "Link" && op != OpCreate && op != OpChmod && !strings.Contains(err.Error(), "the file needs 250000 bytes") {
						t.Errorf("%s: error %v, want one that says how many bytes are needed", where, err)
					}
				}
			}
		}
	}
}

// A temporary file that can neither be finished nor removed stays, and the first error tells.
func TestFaultAtRemoval(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := Write(path, put("old")); err != nil {
		t.Fatal(err)
	}
	undo := Inject(func(op Op, at string) error {
		if at != path {
			t.Errorf("%s: path %s, want %s", op, at, path)
		}
		switch op {
		case OpSync:
			return syscall.EIO
		case OpRemove:
			return syscall.EACCES
		}
		return nil
	})
	err := Write(path, put("new"))
	undo()
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v, want the first", err)
	}
	if got := names(t, dir); len(got) != 2 || !temporaryName.MatchString(got[0]) || got[1] != "a" {
		t.Errorf("the folder has %q, want a leftover and a", got)
	}
	if text, err := os.ReadFile(path); string(text) != "old" {
		t.Errorf("%q, %v; want the old text", text, err)
	}
	if err := another().write(path, put("new")); err != nil { // another process tidies
		t.Fatal(err)
	}
	needsLocks(t)
	holds(t, dir, map[string]string{"a": "new"})
}

// Half of the bytes reach the file before a partial fault.
func TestPartial(t *testing.T) {
	dir := t.TempDir()
	undo := Inject(func(op Op, _ string) error {
		switch op {
		case OpWrite:
			return Partial{syscall.EIO}
		case OpRemove:
			return syscall.EIO
		}
		return nil
	})
	err := Write(filepath.Join(dir, "a"), put("1234567"))
	undo()
	if !errors.Is(err, syscall.EIO) {
		t.Errorf("error %v, want EIO", err)
	}
	got := names(t, dir)
	if len(got) != 1 {
		t.Fatalf("the folder has %q, want half a file", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, got[0])); string(text) != "123" {
		t.Errorf("%q, %v; want half of the bytes", text, err)
	}
}

// Faults hear of a file by the name that the caller has for it, also if that is a link.
func TestFaultPath(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.WriteFile(filepath.Join(dir, "a"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a", link); err != nil {
		t.Skip(err)
	}
	defer Inject(func(op Op, path string) error {
		if op != OpSyncFolder && path != link {
			t.Errorf("%s: path %s, want %s", op, path, link)
		}
		return nil
	})()
	if err := Write(link, put("x")); err != nil {
		t.Error(err)
	}
	if err := Link(filepath.Join(dir, "a"), link); err != nil {
		t.Error(err)
	}
}

// undo brings back what was before, and files can be written by several goroutines while
// faults come and go.
func TestInject(t *testing.T) {
	dir := t.TempDir()
	fails := func() bool { return Write(filepath.Join(dir, "a"), put("x")) != nil }
	outer := Inject(func(Op, string) error { return syscall.EIO })
	inner := Inject(func(Op, string) error { return nil })
	if fails() {
		t.Error("the inner one does not count")
	}
	inner()
	if !fails() {
		t.Error("the outer one does not count again")
	}
	outer()
	if fails() {
		t.Error("a fault without any")
	}

	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			path := filepath.Join(dir, fmt.Sprint(n))
			for range 20 {
				Inject(func(Op, string) error { return nil })()
				if err := Write(path, put("x")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	injected.Store(nil) // the order of theirs was any
}
