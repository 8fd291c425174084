// Package cli is what all commands do alike: how they begin and end, read their flags, and
// say what is wrong.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"pixelgrad/cmd/internal/format"
)

// A Command is one of the programs.
type Command struct {
	Name string

	// Run does what the arguments say. flag.ErrHelp means that help was asked for and
	// given; an error of Usage, that the arguments are wrong.
	Run func(ctx context.Context, args []string, s Streams) error

	// Stopping is what Ctrl-C has it do before it ends; "" for nothing that takes time.
	Stopping string

	// Lasting is for a command whose work counts more than what it says: it goes on when
	// nobody reads that any more, because the reader at the end of a pipe has ended or the
	// terminal is closed. Out and Log then take all that is written to them, without an
	// error, and throw it away. Other commands are ended by the system, as is usual in
	// pipes.
	Lasting bool
}

// Streams are what a command reads and writes: results go to Out, progress and messages
// to Log.
type Streams struct {
	In       io.Reader
	Out, Log io.Writer
}

// patience is how long a second signal does not count, for some programs send two when they
// mean one: timeout does, and a shell whose terminal closes.
const patience = 500 * time.Millisecond

// Main runs the command as a process, and ends it. Ctrl-C, SIGTERM or the end of the terminal
// (SIGHUP, unless it is ignored, as nohup has it) cancels the context. Ctrl-C or SIGTERM after
// that ends the process at once.
func (c Command) Main() {
	ctx, _ := signal.NotifyContext(context.Background(), append(hangup(), os.Interrupt, syscall.SIGTERM)...)
	s := Streams{os.Stdin, os.Stdout, os.Stderr}
	if c.Lasting {
		outlivePipes()
		s.Out, s.Log = newLasting(ctx, s.Out), newLasting(ctx, s.Log)
	}
	context.AfterFunc(ctx, func() {
		if c.Stopping != "" { // beside, for it may have to wait for a reader
			go fmt.Fprintf(s.Log, "\n%s: %s; once more ends at once\n", c.Name, c.Stopping)
		}
		time.Sleep(patience)
		signal.Reset(os.Interrupt, syscall.SIGTERM)
	})
	os.Exit(c.Status(ctx, os.Args[1:], s))
}

// Status runs the command and returns its exit status: 0, 1 if something failed or was
// interrupted, 2 for wrong usage. It writes the error to s.Log.
func (c Command) Status(ctx context.Context, args []string, s Streams) int {
	err := c.Run(ctx, args, s)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, new(usageError)):
		fmt.Fprintf(s.Log, "%s: %s (-help lists the flags)\n", c.Name, format.Message(err.Error()))
		return 2
	}
	fmt.Fprintf(s.Log, "%s: %s\n", c.Name, format.Message(err.Error()))
	return 1
}

// usageError is an error in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage marks an error as one of the command line; nil stays nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// Usagef is fmt.Errorf for errors of the command line.
func Usagef(format string, args ...any) error { return Usage(fmt.Errorf(format, args...)) }

// interrupted is the error of a command that was ended before it had a result, without the
// words "context canceled", which tell a user nothing.
type interrupted struct{ cause error }

func (interrupted) Error() string   { return "interrupted" }
func (e interrupted) Unwrap() error { return e.cause }

// Interrupted returns an error once ctx is done. Loops ask it, and whoever gets an error
// that may have come from an interruption.
func Interrupted(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return interrupted{err}
	}
	return nil
}
