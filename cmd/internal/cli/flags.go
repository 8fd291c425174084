package cli

import (
	"flag"
	"fmt"
	"io"
	"math"
	"strings"

	"pixelgrad/autograd/compile"
)

// Flags are the flags of a command: those of package flag, with the values that they may
// have and the groups that help lists them in.
type Flags struct {
	*flag.FlagSet
	checks []func() error
	groups []*group // the first has no title: flags of no group
	group  *group   // that flags are added to
	given  map[string]bool
}

// NewFlags returns the flags of a command, of which there are none yet.
func NewFlags(name string) *Flags {
	f := &Flags{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), given: map[string]bool{}}
	f.SetOutput(io.Discard)
	f.Group("")
	return f
}

// Check has Parse ask f, behind the flags that are there already.
func (f *Flags) Check(check func() error) { f.checks = append(f.checks, check) }

// Int adds a flag that is a whole number between least and most, or value. expected says
// so in words.
func (f *Flags) Int(p *int, name string, value, least, most int, expected, usage string) {
	f.IntVar(p, name, value, usage)
	f.Check(func() error {
		if *p != value && (*p < least || *p > most) {
			return fmt.Errorf("-%s %d: expected %s", name, *p, expected)
		}
		return nil
	})
}

// Positive adds a flag that is a number above 0, for example the default.
func (f *Flags) Positive(p *float64, name string, value float64, usage string) {
	f.Float64Var(p, name, value, usage)
	f.Check(func() error {
		if !(*p > 0) || math.IsInf(*p, 0) {
			return fmt.Errorf("-%s %v: expected a positive number such as %v", name, *p, value)
		}
		return nil
	})
}

// Parse reads the flags of args, which may stand before, between and behind the other
// arguments, and returns those: as many as names says what they are. It writes usage and the
// flags to help, and returns flag.ErrHelp, if that was asked for; other errors are Usage's.
func (f *Flags) Parse(args []string, usage string, help io.Writer, names ...string) ([]string, error) {
	rest, err := f.arguments(args, usage, help)
	switch {
	case err != nil:
		return nil, err
	case len(names) == 0 && len(rest) > 0:
		return nil, Usagef("unexpected argument %q: all settings are flags", rest[0])
	case len(rest) > len(names):
		return nil, Usagef("expected %s, found also %q", strings.Join(names, " and "), rest[len(names)])
	case len(rest) < len(names):
		return nil, Usagef("expected %s", strings.Join(names[len(rest):], " and "))
	}
	return rest, f.check()
}

// ParseAny is Parse for a command that takes any number of other arguments. An argument "-" is one
// of them, and all are that follow "--".
func (f *Flags) ParseAny(args []string, usage string, help io.Writer) ([]string, error) {
	rest, err := f.arguments(args, usage, help)
	if err != nil {
		return nil, err
	}
	return rest, f.check()
}

// arguments reads the flags of args and returns the other arguments.
func (f *Flags) arguments(args []string, usage string, help io.Writer) (rest []string, err error) {
	for len(args) > 0 {
		if err := f.FlagSet.Parse(args); err == flag.ErrHelp {
			fmt.Fprint(help, usage, f.list())
			return nil, err
		} else if err != nil {
			return nil, Usage(err)
		}
		left := f.Args()
		if n := len(args) - len(left); n > 0 && args[n-1] == "--" {
			rest = append(rest, left...)
			break
		}
		if args = left; len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	return rest, nil
}

// check notes which flags were given and asks the checks.
func (f *Flags) check() error {
	f.Visit(func(g *flag.Flag) { f.given[g.Name] = true })
	for _, check := range f.checks {
		if err := check(); err != nil {
			return Usage(err)
		}
	}
	return nil
}

// Given reports whether a flag was on the command line that Parse has read, by this name.
// Checks may ask it.
func (f *Flags) Given(name string) bool { return f.given[name] }

// The flags that several commands have.

// maxThreads is more than any machine has processors, and maxBatch more photographs than
// any has memory for.
const (
	maxThreads = 4096
	maxBatch   = 65536
)

// Threads adds -threads.
func (f *Flags) Threads(p *int) { f.ThreadsAs(p, "threads") }

// ThreadsAs adds -threads by another name.
func (f *Flags) ThreadsAs(p *int, name string) {
	f.Int(p, name, 0, 1, maxThreads, fmt.Sprintf("a number from 1 to %d, or 0 for one a processor", maxThreads),
		"goroutines that share the work; 0: one a processor; results do not depend on it")
}

// Batch adds -batch. more says what its default means, or where it does not count; a default
// of 0 is allowed, too.
func (f *Flags) Batch(p *int, value int, more string) {
	expected := fmt.Sprintf("a number from 1 to %d", maxBatch)
	if value == 0 {
		expected += ", or 0 for the default"
	}
	f.Int(p, "batch", value, 1, maxBatch, expected, "photographs in a batch"+more)
}

// Seed adds -seed. of says what it decides.
func (f *Flags) Seed(p *uint64, of string) { f.Uint64Var(p, "seed", 0, "seed of "+of) }

// Out adds -out, and -o for short.
func (f *Flags) Out(p *string, usage string) {
	f.StringVar(p, "out", "", usage)
	f.StringVar(p, "o", "", "short for -out")
}

// JSON adds -json.
func (f *Flags) JSON(p *bool) { f.BoolVar(p, "json", false, "print the results as JSON") }

// Without adds -without: the compiler's passes that are left out.
func (f *Flags) Without(p *[]string) {
	var names []string
	for _, pass := range compile.Passes {
		names = append(names, pass.Name)
	}
	f.Func("without", "compile networks without these `passes`, with commas between: "+strings.Join(names, ", ")+" or all", func(list string) error {
		if list != "" {
			*p = append(*p, strings.Split(list, ",")...)
		}
		return compile.Options{Without: *p}.Check()
	})
}

// Photos is how the usage of a flag describes a folder of photographs.
const Photos = "`folder` of photographs, PASCAL VOC's layout or plain"
