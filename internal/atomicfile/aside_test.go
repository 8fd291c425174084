package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A desk is a folder where other programs have files open, and a process that writes there.
type desk struct {
	*process
	t      *testing.T
	dir    string
	open   map[string]bool // names of files that cannot be replaced
	waited time.Duration
	onWait func()
	writes int // calls of the function that writes
}

func newDesk(t *testing.T) *desk {
	d := &desk{process: another(), t: t, dir: t.TempDir(), open: map[string]bool{}}
	d.pause = func(pause time.Duration) {
		d.waited += pause
		if d.onWait != nil {
			d.onWait()
		}
	}
	t.Cleanup(Inject(func(op Op, path string) error {
		if op == OpRename && d.open[filepath.Base(path)] {
			return &os.LinkError{Op: "rename", Old: ".unfinished-x", New: path, Err: ErrHeld}
		}
		return nil
	}))
	return d
}

// aside writes a table and fails unless it gets a name.
func (d *desk) aside(text, want string) {
	d.t.Helper()
	used, err := d.system.write(filepath.Join(d.dir, "t.csv"), func(w io.Writer) error {
		d.writes++
		return put(text)(w)
	}, (*system).renameAside)
	if err != nil || filepath.Base(used) != want {
		d.t.Errorf("%s: written to %q, %v; want %s", text, used, err, want)
	}
	if there, err := os.ReadFile(used); string(there) != text {
		d.t.Errorf("%s holds %q, %v; want %q", used, there, err, text)
	}
}

func TestWriteAside(t *testing.T) {
	d := newDesk(t)
	d.aside("one", "t.csv")
	if d.waited != 0 {
		t.Errorf("waited %v for nothing", d.waited)
	}

	d.open["t.csv"] = true
	theirs := filepath.Join(d.dir, "t-1.csv")
	if err := os.WriteFile(theirs, []byte("theirs"), 0o666); err != nil {
		t.Fatal(err)
	}
	d.aside("two", "t-2.csv")
	if d.waited < 1500*time.Millisecond || d.waited > 2500*time.Millisecond || d.writes != 2 {
		t.Errorf("waited %v, wrote %d times; want about 2 s, and no second writing of the same", d.waited, d.writes)
	}
	d.aside("three", "t-2.csv") // its own, again
	d.open["t-2.csv"] = true    // they look at that, too
	d.aside("four", "t-3.csv")
	if d.waited > 2500*time.Millisecond {
		t.Errorf("waited %v, want not again for the same file", d.waited)
	}
	holds(t, d.dir, map[string]string{"t.csv": "one", "t-1.csv": "theirs", "t-2.csv": "three", "t-3.csv": "four"})

	clear(d.open)
	d.aside("five", "t.csv")
	before := d.waited
	d.open["t.csv"] = true
	d.aside("six", "t-2.csv")
	if d.waited-before < 1500*time.Millisecond {
		t.Errorf("waited %v when it was opened again, want about 2 s", d.waited-before)
	}
	holds(t, d.dir, map[string]string{"t.csv": "five", "t-1.csv": "theirs", "t-2.csv": "six", "t-3.csv": "four"})
}

// Another process does not replace what this one has put beside.
func TestWriteAsideOfAnother(t *testing.T) {
	d := newDesk(t)
	d.open["t.csv"] = true
	d.aside("one", "t-1.csv")
	d.process.asides = new(asides)
	d.aside("two", "t-2.csv")
	holds(t, d.dir, map[string]string{"t-1.csv": "one", "t-2.csv": "two"})
}

// A file that is open for a moment is waited for, by Write and Link as well.
func TestHeldForAMoment(t *testing.T) {
	d := newDesk(t)
	source := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(source, []byte("linked"), 0o666); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(d.dir, "t.csv")
	for text, write := range map[string]func() error{
		"aside":  func() error { d.aside("aside", "t.csv"); return nil },
		"plain":  func() error { return d.write(path, put("plain")) },
		"linked": func() error { return d.link(source, path) },
	} {
		d.open["t.csv"], d.waited = true, 0
		d.onWait = func() { d.open["t.csv"] = d.waited < time.Second }
		if err := write(); err != nil || d.waited < time.Second {
			t.Errorf("%s: %v after %v, want none after a second", text, err, d.waited)
		}
		holds(t, d.dir, map[string]string{"t.csv": text})
		if text == "linked" {
			a, _ := os.Stat(source)
			b, _ := os.Stat(path)
			if lone := filepath.Join(d.dir, "lone"); !os.SameFile(a, b) && os.Link(source, lone) == nil {
				t.Error("copied, not linked")
			}
		}
	}

	d.onWait, d.open["t.csv"] = nil, true
	if err := d.write(path, put("x")); !errors.Is(err, ErrHeld) || strings.Contains(err.Error(), ".unfinished") {
		t.Errorf("Write to a file that stays open: error %v, want ErrHeld without the temporary name", err)
	}
	if got := names(t, d.dir); len(got) != 1 {
		t.Errorf("the folder has %q, want t.csv", got)
	}
}

// Another error than that of an open file makes no second file.
func TestWriteAsideFails(t *testing.T) {
	dir := t.TempDir()
	defer fillAt(OpRename, syscall.EIO)()
	used, err := WriteAside(filepath.Join(dir, "t.csv"), put("x"))
	if !errors.Is(err, syscall.EIO) || used != "" {
		t.Errorf("written to %q, error %v; want EIO", used, err)
	}
	holds(t, dir, nil)
}

// A folder where every name is taken or held ends in an error.
func TestWriteAsideNowhere(t *testing.T) {
	d := newDesk(t)
	undo := fillAt(OpRename, ErrHeld)
	defer undo()
	used, err := d.system.write(filepath.Join(d.dir, "t.csv"), put("x"), (*system).renameAside)
	if !errors.Is(err, ErrHeld) || used != "" {
		t.Errorf("written to %q, error %v; want ErrHeld", used, err)
	}
	holds(t, d.dir, nil)
}

func TestBeside(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"metrics.csv", "metrics-2.csv"},
		{filepath.Join("a.b", "metrics"), filepath.Join("a.b", "metrics-2")},
		{"a.tar.gz", "a.tar-2.gz"},
	} {
		if got := beside(c.path, 2); got != c.want {
			t.Errorf("beside %s is %s, want %s", c.path, got, c.want)
		}
	}
}
