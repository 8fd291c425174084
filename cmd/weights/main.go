// Command weights fetches the weights and photographs of others that the
// project can use, and looks into and converts files of weights.
//
//	go run ./cmd/weights get vgg16
//	go run ./cmd/weights show FILE
//	go run ./cmd/weights convert IN OUT.safetensors
//
// weights -help lists the commands, weights get -help the flags of one.
//
// Its exit status is 0, 1 if something failed or was interrupted, and 2 for
// wrong usage. Results go to standard output, messages to standard error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"pixelgrad/cmd/internal/files"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second Ctrl-C ends the process at once
	c := command{files: files.All(), out: os.Stdout, log: os.Stderr}
	os.Exit(c.main(ctx, os.Args[1:]))
}

// command is what the commands share. Tests have files of their own.
type command struct {
	files    []files.File
	out, log io.Writer // results and messages
}

const usage = `Fetch the weights and photographs of others, and look into files of weights.

    go run ./cmd/weights get NAME [-o DIR]                       download a file
    go run ./cmd/weights show FILE                               list its tensors
    go run ./cmd/weights convert IN OUT.safetensors [-f16]       write it as safetensors

FILE and IN are safetensors files or what PyTorch saves (.pt, .pth, TorchScript);
nothing that is in them is executed. A command's own -help says more.
`

// usageError is an error in the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// main runs a command line and returns the exit status.
func (c *command) main(ctx context.Context, args []string) int {
	err := c.run(ctx, args)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, new(usageError)):
		fmt.Fprintf(c.log, "weights: %v (-help says more)\n", err)
		return 2
	}
	fmt.Fprintf(c.log, "weights: %v\n", err)
	return 1
}

func (c *command) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usagef("expected a command: get, show or convert")
	}
	switch name, args := args[0], args[1:]; name {
	case "get":
		return c.get(ctx, args)
	case "show":
		return c.show(args)
	case "convert":
		return c.convert(ctx, args)
	case "help", "-help", "--help", "-h":
		fmt.Fprint(c.out, usage)
		return flag.ErrHelp
	default:
		return usagef("there is no command %q: expected get, show or convert", name)
	}
}

// parse reads the flags of a command, which may stand before, between and after
// the rest: as many arguments as names has. It returns flag.ErrHelp if help was
// asked for and has been written.
func (c *command) parse(f *flag.FlagSet, help string, args []string, names ...string) ([]string, error) {
	f.SetOutput(io.Discard)
	var rest []string
	for len(args) > 0 {
		if err := f.Parse(args); err == flag.ErrHelp {
			fmt.Fprint(c.out, help)
			f.SetOutput(c.out)
			f.PrintDefaults()
			return nil, err
		} else if err != nil {
			return nil, usagef("%s: %w", f.Name(), err)
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
	if len(rest) > len(names) {
		return nil, usagef("%s: expected %s, found also %q", f.Name(), strings.Join(names, " and "), rest[len(names)])
	}
	if len(rest) < len(names) {
		return nil, usagef("%s: expected %s", f.Name(), strings.Join(names[len(rest):], " and "))
	}
	return rest, nil
}
