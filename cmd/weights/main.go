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
	"flag"
	"fmt"
	"io"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/files"
	"pixelgrad/tensor/weightfile"
)

func main() {
	weights(files.All()).Main()
}

// weights is the command. Tests have files of their own.
func weights(list []files.File) cli.Command {
	return cli.Command{Name: "weights", Run: func(ctx context.Context, args []string, s cli.Streams) error {
		c := &command{files: list, out: s.Out, log: s.Log}
		return c.run(ctx, args)
	}}
}

// command is what get, show and convert share.
type command struct {
	files    []files.File
	out, log io.Writer // results and messages
}

const usage = `Fetch the weights and photographs of others, and look into files of weights.

    go run ./cmd/weights get NAME [-out DIR]                     download a file
    go run ./cmd/weights show FILE [-key KEY]                    list its tensors
    go run ./cmd/weights convert IN OUT.safetensors [-key KEY] [-f16]
                                                                 write it as safetensors

FILE and IN are safetensors files or what PyTorch saves (.pt, .pth, TorchScript);
nothing that is in them is executed. A command's own -help says more.
`

func (c *command) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return cli.Usagef("expected a command: get, show or convert")
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
		return cli.Usagef("there is no command %q: expected get, show or convert", name)
	}
}

// options says how show and convert look for the network in a file. Neither needs a byte of it
// twice, so it is not mapped into memory.
func (c *command) options(key string) weightfile.Options {
	return weightfile.Options{Key: key, Say: func(line string) { fmt.Fprintln(c.log, line) }}
}

// keyFlag adds -key to the flags of show or convert.
func keyFlag(f *cli.Flags) *string {
	return f.String("key", "", "the `path` of the dictionary that holds the network, as show lists it; . for the whole file")
}

// parse reads the flags and arguments of get, show or convert; errors begin with its name.
func (c *command) parse(f *cli.Flags, help string, args []string, names ...string) ([]string, error) {
	rest, err := f.Parse(args, help, c.out, names...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return rest, nil
}
