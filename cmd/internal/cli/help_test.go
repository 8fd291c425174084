package cli

import (
	"encoding"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// letters is a value of package flag.
type letters string

func (l *letters) String() string               { return string(*l) }
func (l *letters) Set(s string) error           { *l = letters(s); return nil }
func (l *letters) UnmarshalText(b []byte) error { return l.Set(string(b)) }
func (l letters) MarshalText() ([]byte, error)  { return []byte(l), nil }

var (
	_ flag.Value               = new(letters)
	_ encoding.TextUnmarshaler = new(letters)
)

func help(t *testing.T, f *Flags) string {
	t.Helper()
	var b strings.Builder
	if _, err := f.Parse([]string{"-help"}, "How to use it.\n\n", &b); err != flag.ErrHelp {
		t.Errorf("-help: error %v", err)
	}
	return b.String()
}

// Groups are listed in their order, with their flags in theirs, aligned and wrapped.
func TestHelpInGroups(t *testing.T) {
	var v values
	var d time.Duration
	var l letters
	f := NewFlags("x")
	f.BoolVar(&v.json, "zero", false, "of no group")
	f.Group("Data")
	f.StringVar(&v.out, "photos", "here", Photos)
	f.Int(&v.small, "limit", 3, 1, 9, "1 to 9", "a `number`,\n\tfrom 1 to 9")
	key := f.String("key", "", "a `path`")
	f.Group("Training")
	f.DurationVar(&d, "save-every", 0, "how `often`")
	f.Positive(&v.rate, "a-name-that-is-longer-than-most", 0.5, "long")
	f.Var(&l, "wide", "ααααααααααααααα ββββββββββββββββ γγγγγγγγγγγγγγ δδδδδδδδδδδδδ εεεεεεεεεεεεεεε")
	f.Group("Data")
	f.Func("again", "a `thing`", func(string) error { return nil })
	f.Group("Nothing")
	f.Group("")
	f.BoolVar(&v.json, "also", true, "of no group, too")
	const want = `How to use it.

  -also              of no group, too (default true)
  -zero              of no group

Data:
  -photos folder     folder of photographs, PASCAL VOC's layout or plain
                     (default here)
  -limit number      a number, from 1 to 9 (default 3)
  -key path          a path
  -again thing       a thing

Training:
  -save-every often  how often
  -a-name-that-is-longer-than-most float
                     long (default 0.5)
  -wide value        ααααααααααααααα ββββββββββββββββ γγγγγγγγγγγγγγ
                     δδδδδδδδδδδδδ εεεεεεεεεεεεεεε
`
	got := help(t, f)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if *key != "" {
		t.Errorf("-key is %q", *key)
	}
	for line := range strings.Lines(got) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("a line of %d columns:\n%s", n, line)
		}
	}
}

// A flag that is as wide as its column may be stands beside what it means; a wider one, above.
func TestHelpColumn(t *testing.T) {
	var on bool
	f := NewFlags("x")
	f.BoolVar(&on, strings.Repeat("a", flagsWidth-3), false, "beside")
	f.BoolVar(&on, strings.Repeat("b", flagsWidth-2), false, "below")
	want := "  -" + strings.Repeat("a", flagsWidth-3) + "  beside\n  -" + strings.Repeat("b", flagsWidth-2) + "\n" + strings.Repeat(" ", flagsWidth+2) + "below\n"
	if got := help(t, f); !strings.HasSuffix(got, "\n\n"+want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Every way to add a flag keeps the order; those that Flags does not know are not lost.
func TestHelpKeepsOrder(t *testing.T) {
	var v values
	var n int
	var s string
	var d time.Duration
	var l letters
	nothing := func(string) error { return nil }
	f := NewFlags("x")
	f.Group("All")
	for i := 9; i > 0; i-- {
		for j, add := range []func(name string){
			func(name string) { f.BoolVar(&v.json, name, false, "-") },
			func(name string) { f.IntVar(&n, name, 0, "-") },
			func(name string) { f.Uint64Var(&v.seed, name, 0, "-") },
			func(name string) { f.Float64Var(&v.rate, name, 0, "-") },
			func(name string) { f.StringVar(&s, name, "", "-") },
			func(name string) { f.DurationVar(&d, name, 0, "-") },
			func(name string) { f.TextVar(&l, name, letters(""), "-") },
			func(name string) { f.Func(name, "-", nothing) },
			func(name string) { f.BoolFunc(name, "-", nothing) },
			func(name string) { f.Var(&l, name, "-") },
		} {
			add(fmt.Sprintf("f%d%d", i, 9-j))
		}
	}
	f.FlagSet.Bool("other", false, "-")
	last := "f999"
	lines := strings.Split(strings.TrimSpace(help(t, f)), "\n")
	for _, line := range lines[3:] {
		name := strings.Fields(line)[0][1:]
		if name >= last && name != "other" {
			t.Errorf("%s comes behind %s, want the order of adding", name, last)
		}
		last = name
	}
	if len(lines) != 3+91 || last != "other" {
		t.Errorf("%d lines, the last of %s; want 94, of other", len(lines), last)
	}
}

// Given tells flags of the command line from those that are set later, also to their
// defaults, and before checks are made.
func TestGiven(t *testing.T) {
	var v values
	f := NewFlags("x")
	f.Int(&v.small, "small", 3, 1, 9, "1 to 9", "")
	f.Int(&v.batch, "batch", 3, 1, 9, "1 to 9", "")
	f.Int(&v.threads, "threads", 3, 1, 9, "1 to 9", "")
	checked := false
	f.Check(func() error {
		checked = f.Given("small") && f.Given("threads")
		return f.Set("batch", "4")
	})
	if f.Given("small") {
		t.Error("given before there is a command line")
	}
	if _, err := f.Parse([]string{"-small", "3", "x", "-threads=1"}, "", io.Discard, "X"); err != nil {
		t.Fatal(err)
	}
	if !checked || !f.Given("small") || !f.Given("threads") || f.Given("batch") || f.Given("none") || v.batch != 4 {
		t.Errorf("checked %v, small %v, threads %v, batch %v = %d", checked, f.Given("small"), f.Given("threads"), f.Given("batch"), v.batch)
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"ab cd", "ab cd"},
		{"abc de", "abc|de"},
		{"longerword x", "longerword|x"},
		{"x longerword", "x|longerword"},
		{" a\n b ", "a b"},
		{"ab cd ef", "ab cd|ef"},
	} {
		if got := strings.Join(wrap(c.text, 5), "|"); got != c.want {
			t.Errorf("wrap(%q) = %s, want %s", c.text, got, c.want)
		}
	}
}
