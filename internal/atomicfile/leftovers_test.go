package atomicfile

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// slowWriter is a variable of the environment that makes a process of this test's program
// which begins to write the file that it names, and waits.
const slowWriter = "PIXELGRAD_SLOW_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(slowWriter); path != "" {
		Write(path, func(w io.Writer) error {
			w.Write(make([]byte, 1<<17)) // more than the buffer
			os.Stdout.WriteString("writing\n")
			io.Copy(io.Discard, os.Stdin)
			return nil
		})
		return
	}
	os.Exit(m.Run())
}

// process is what another process would have that writes its first file.
type process struct{ system }

func another() *process {
	return &process{system{hold, time.Sleep, new(folders), new(asides)}}
}

func (p *process) write(path string, write func(io.Writer) error) error {
	_, err := p.system.write(path, write, (*system).rename)
	return err
}

// names returns what is in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func needsLocks(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if hold(f) == nobody {
		t.Skip("no locks here")
	}
}

// The file of a process is kept while that lives, and removed when it was killed.
func TestKilledWriter(t *testing.T) {
	needsLocks(t)
	program, err := os.Executable()
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), slowWriter+"="+filepath.Join(dir, "never"))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "writing\n" {
		t.Fatalf("the process says %q, %v", line, err)
	}
	var old string
	for _, name := range names(t, dir) {
		if temporaryName.MatchString(name) {
			old = filepath.Join(dir, name)
		}
	}
	past := time.Now().Add(-10 * longQuiet) // a writer that has stood still is one, too
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	if err := another().write(filepath.Join(dir, "a"), put("a")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err != nil {
		t.Errorf("the file of a process that is writing: %v", err)
	}

	cmd.Process.Kill()
	cmd.Wait()
	if err := another().write(filepath.Join(dir, "b"), put("b")); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, map[string]string{"a": "a", "b": "b"})
}

// One process writes several files at a time.
func TestNestedWriters(t *testing.T) {
	dir := t.TempDir()
	err := another().write(filepath.Join(dir, "outer"), func(w io.Writer) error {
		io.WriteString(w, strings.Repeat("o", 1<<17))
		return another().write(filepath.Join(dir, "inner"), put("i"))
	})
	if err != nil {
		t.Error(err)
	}
	holds(t, dir, map[string]string{"outer": strings.Repeat("o", 1<<17), "inner": "i"})
}

// TestTidy puts files of all kinds into a folder and writes another there.
func TestTidy(t *testing.T) {
	const digits, other = "0123456789abcdef", "89abcdef" // the host is not this one
	cannotTell := func(*os.File) grip { return nobody }
	ours := ".unfinished-" + thisHost() + "-" + digits
	foreign := ".unfinished-" + other + "-" + digits
	earlier := ".unfinished-" + digits
	for _, c := range []struct {
		what, name string
		hold       func(*os.File) grip
		age        time.Duration
		removed    bool
	}{
		{"of this host", ours, hold, 0, true},
		{"of this host, without locks", ours, cannotTell, time.Hour, false},
		{"of this host, without locks, old", ours, cannotTell, 2 * longQuiet, true},
		{"of another host", foreign, hold, time.Hour, false},
		{"of another host, old", foreign, hold, 2 * longQuiet, true},
		{"of another host, without locks, old", foreign, cannotTell, 2 * longQuiet, true},
		{"of an earlier version", earlier, hold, 0, true},
		{"of the future, without locks", ours, cannotTell, -2 * longQuiet, false},
		{"longer name", ours + ".png", hold, 2 * longQuiet, false},
		{"longer before", "x" + ours, hold, 2 * longQuiet, false},
		{"few digits", ".unfinished-0123", hold, 2 * longQuiet, false},
		{"no digits", ".unfinished-", hold, 2 * longQuiet, false},
		{"other letters", ".unfinished-0123456789abcdeg", hold, 2 * longQuiet, false},
		{"capitals", ".unfinished-0123456789ABCDEF", hold, 2 * longQuiet, false},
		{"two lines", ".unfinished-0123456789abcde\n", hold, 2 * longQuiet, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			needsLocks(t)
			dir := t.TempDir()
			path := filepath.Join(dir, c.name)
			if err := os.WriteFile(path, []byte("half"), 0o666); err != nil {
				t.Skip(err)
			}
			when := time.Now().Add(-c.age)
			if err := os.Chtimes(path, when, when); err != nil {
				t.Fatal(err)
			}
			s := another()
			s.hold = c.hold
			if err := s.write(filepath.Join(dir, "a"), put("a")); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"a": "a"}
			if !c.removed {
				want[c.name] = "half"
			}
			holds(t, dir, want)
		})
	}
}

// Only files are removed: no folder, and neither a link nor what it leads to.
func TestTidyKeepsOthers(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	mine := filepath.Join(outside, ".unfinished-0000000000000000")
	if err := os.WriteFile(mine, []byte("mine"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".unfinished-0000000000000001"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{
		".unfinished-0000000000000002": mine,
		".unfinished-0000000000000003": outside,
		".unfinished-0000000000000004": "nowhere",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	if err := another().write(filepath.Join(dir, "a"), put("a")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 5 {
		t.Errorf("the folder has %q, want a, a folder and three links", got)
	}
	holds(t, outside, map[string]string{filepath.Base(mine): "mine"})
	for _, name := range names(t, dir) {
		if name != "a" { // in case a link comes between the list and the opening
			another().removeStale(filepath.Join(dir, name), "")
		}
	}
	if got := names(t, dir); len(got) != 5 {
		t.Errorf("the folder has %q, want what it had", got)
	}
	holds(t, outside, map[string]string{filepath.Base(mine): "mine"})
}

// A folder is looked through once, whatever it is called.
func TestTidyOnce(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	s := another()
	if err := s.write(filepath.Join(dir, "a"), put("a")); err != nil {
		t.Fatal(err)
	}
	late := ".unfinished-0123456789abcdef"
	if err := os.WriteFile(late, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"b", filepath.Join(dir, ".", "c")} {
		if err := s.write(path, put("x")); err != nil {
			t.Fatal(err)
		}
	}
	holds(t, dir, map[string]string{"a": "a", "b": "x", "c": "x", late: ""})
}

// A process that tidies may take a file before its writer holds it: the writer makes another.
func TestCreateRace(t *testing.T) {
	dir := t.TempDir()
	s := another()
	tries := 0
	s.hold = func(f *os.File) grip {
		tries++
		switch tries {
		case 1:
			return others
		case 2:
			os.Remove(f.Name())
		}
		return hold(f)
	}
	if err := s.write(filepath.Join(dir, "a"), put("a")); err != nil || tries != 3 {
		t.Errorf("%v after %d tries, want the third to hold", err, tries)
	}
	holds(t, dir, map[string]string{"a": "a"})

	s.hold = func(*os.File) grip { return others }
	err := s.write(filepath.Join(dir, "b"), put("b"))
	if err == nil || !strings.Contains(err.Error(), "no file can be made in the folder "+dir) {
		t.Errorf("a folder where nothing can be held: error %v", err)
	}
	holds(t, dir, map[string]string{"a": "a"})
}
