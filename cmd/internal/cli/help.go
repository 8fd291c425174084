package cli

import (
	"encoding"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A group is flags that help lists together.
type group struct {
	title string
	flags []string // names, in the order in which they were added
}

// Group has the flags that are added from now on listed under a title, in the order in which
// they are added. Groups are listed in the order in which they were begun; one that is there
// already goes on. Flags without a group come first, by their names.
func (f *Flags) Group(title string) {
	f.note()
	i := slices.IndexFunc(f.groups, func(g *group) bool { return g.title == title })
	if i < 0 {
		i = len(f.groups)
		f.groups = append(f.groups, &group{title: title})
	}
	f.group = f.groups[i]
}

// note puts the flags that no group has into the present one: package flag does not keep
// their order. It is called behind every addition.
func (f *Flags) note() {
	f.VisitAll(func(g *flag.Flag) {
		if !slices.ContainsFunc(f.groups, func(h *group) bool { return slices.Contains(h.flags, g.Name) }) {
			f.group.flags = append(f.group.flags, g.Name)
		}
	})
}

// The additions of package flag, noted.

func (f *Flags) BoolVar(p *bool, name string, value bool, usage string) {
	f.FlagSet.BoolVar(p, name, value, usage)
	f.note()
}

func (f *Flags) IntVar(p *int, name string, value int, usage string) {
	f.FlagSet.IntVar(p, name, value, usage)
	f.note()
}

func (f *Flags) Uint64Var(p *uint64, name string, value uint64, usage string) {
	f.FlagSet.Uint64Var(p, name, value, usage)
	f.note()
}

func (f *Flags) Float64Var(p *float64, name string, value float64, usage string) {
	f.FlagSet.Float64Var(p, name, value, usage)
	f.note()
}

func (f *Flags) StringVar(p *string, name, value, usage string) {
	f.FlagSet.StringVar(p, name, value, usage)
	f.note()
}

func (f *Flags) DurationVar(p *time.Duration, name string, value time.Duration, usage string) {
	f.FlagSet.DurationVar(p, name, value, usage)
	f.note()
}

func (f *Flags) TextVar(p encoding.TextUnmarshaler, name string, value encoding.TextMarshaler, usage string) {
	f.FlagSet.TextVar(p, name, value, usage)
	f.note()
}

func (f *Flags) Func(name, usage string, fn func(string) error) {
	f.FlagSet.Func(name, usage, fn)
	f.note()
}

func (f *Flags) BoolFunc(name, usage string, fn func(string) error) {
	f.FlagSet.BoolFunc(name, usage, fn)
	f.note()
}

func (f *Flags) Var(value flag.Value, name, usage string) {
	f.FlagSet.Var(value, name, usage)
	f.note()
}

// Help is as wide as a terminal usually is; flags that are longer than a column stand on a
// line of their own.
const (
	helpWidth  = 80
	flagsWidth = 24
)

// list returns the text about all flags.
func (f *Flags) list() string {
	f.note()
	slices.Sort(f.groups[0].flags)
	column := 0
	for _, g := range f.groups {
		for _, name := range g.flags {
			if n := utf8.RuneCountInString(head(f.Lookup(name))); n <= flagsWidth {
				column = max(column, n)
			}
		}
	}
	column += 2
	var b strings.Builder
	for _, g := range f.groups {
		if len(g.flags) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		if g.title != "" {
			fmt.Fprintf(&b, "%s:\n", g.title)
		}
		for _, name := range g.flags {
			f := f.Lookup(name)
			text := head(f)
			if n := utf8.RuneCountInString(text); n > column-2 {
				text += "\n" + strings.Repeat(" ", column)
			} else {
				text += strings.Repeat(" ", column-n)
			}
			b.WriteString(text)
			b.WriteString(strings.Join(wrap(about(f), helpWidth-column), "\n"+strings.Repeat(" ", column)))
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// head returns a flag as it is written, with what its value is called.
func head(f *flag.Flag) string {
	value, _ := flag.UnquoteUsage(f)
	return strings.TrimRight("  -"+f.Name+" "+value, " ")
}

// about returns what a flag means, and its default unless that is nothing.
func about(f *flag.Flag) string {
	_, usage := flag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "0", "0s", "false":
		return usage
	}
	return fmt.Sprintf("%s (default %s)", usage, f.DefValue)
}

// wrap cuts a text between words into lines of some width.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}
