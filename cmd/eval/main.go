// Command eval scores enlargements as the published tables of super-resolution do.
//
//	eval -data Set5/x2 -s 2 -m runs/fast
//
// prints a row for each picture of the folder HR: the PSNR and the SSIM of what the network
// makes of the picture of the same name in LR, and those of bicubic interpolation. Without LR,
// or with a plain folder of pictures, these are first made smaller by MATLAB's bicubic
// interpolation. docs/eval.md has the protocol and what it gives.
//
// Its exit status is 0, 1 if something failed or was interrupted, and 2 for wrong flags. A
// picture that cannot be scored is named, and the others are scored without it; the status is
// then 1.
package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/progress"
	"pixelgrad/tensor"
	"pixelgrad/vision/superres"
)

// options are the command line.
type options struct {
	data    string
	scale   int
	network string // "" for that of the weights, or else bicubic
	weights string
	rgb     bool
	json    bool
	csv     bool
	threads int
}

const usage = `Score enlargements as the published tables of super-resolution do.

    go run ./cmd/eval -data FOLDER -s 2|3|4 [flags]
    go run ./cmd/eval -data FOLDER -s 2|3|4 -m RUN|FILE [flags]
    go run ./cmd/eval -data FOLDER -s 2|3|4 -n fast [flags]

FOLDER has HR, the pictures as they should be, and may have LR, the same pictures
smaller. A plain folder of pictures is taken for HR. Without LR the smaller ones are
made by MATLAB's bicubic interpolation. A RUN is a folder that 'train' left, and a FILE
has the weights of one of its networks, of an SRVGGNetCompact or of an RRDBNet.

`

func main() {
	cli.Command{Name: "eval", Run: func(ctx context.Context, args []string, s cli.Streams) error {
		o, err := parseFlags(args, s.Out)
		if err != nil {
			return err
		}
		return run(ctx, o, s.Out, s.Log)
	}}.Main()
}

func parseFlags(args []string, help io.Writer) (*options, error) {
	o := &options{}
	f := cli.NewFlags("eval")
	f.StringVar(&o.data, "data", "", "`folder` with HR and LR, or HR alone, or pictures")
	f.Int(&o.scale, "s", 2, 2, 4, "2, 3 or 4", "`times` that pictures are enlarged: 2, 3 or 4")
	f.StringVar(&o.network, "n", "", "`network`: "+strings.Join(networks(), ", ")+" or "+bicubic+"; default: that of\nthe weights, without -m "+bicubic)
	f.StringVar(&o.weights, "m", "", "`run` folder or file with the network's weights; fast is part of the program")
	f.BoolVar(&o.rgb, "rgb", false, "score all three colours, by PSNR alone, instead of the luma")
	f.JSON(&o.json)
	f.BoolVar(&o.csv, "csv", false, "print the rows as CSV")
	f.Threads(&o.threads)
	if _, err := f.Parse(args, usage, help); err != nil {
		return nil, err
	}
	switch {
	case o.data == "":
		return nil, cli.Usagef("-data: expected a folder of pictures, found none")
	case o.json && o.csv:
		return nil, cli.Usagef("expected either -json or -csv")
	case o.network == bicubic && o.weights != "":
		return nil, cli.Usagef("-n %s: expected no -m, for it has no weights", bicubic)
	case o.network != "" && o.network != bicubic && !slices.Contains(networks(), o.network):
		return nil, cli.Usagef("-n: unknown network %q: there is %s, %s", o.network, strings.Join(networks(), ", "), bicubic)
	case o.network != "" && o.network != bicubic && o.network != superres.FastName && o.weights == "":
		return nil, cli.Usagef("-n %s: expected its weights, -m RUN or FILE, found none", o.network)
	}
	return o, nil
}

// run scores the pictures. Results go to out, messages to log.
func run(ctx context.Context, o *options, out, log io.Writer) error {
	tensor.SetThreads(o.threads)
	say := func(line string) { fmt.Fprintln(log, line) }
	set, err := openSet(o.data, o.scale, say)
	if err != nil {
		return err
	}
	n, err := open(o, say)
	if err != nil {
		return err
	}
	r := &result{
		Data: o.data, Scale: o.scale, Network: n.name, Weights: o.weights,
		RGB: o.rgb, LowResolution: set.lowResolution(), Convention: convention(o),
	}
	bar := progress.New(len(set.files), "")
	bar.Lines(log)
	defer bar.Close()
	for i, file := range set.files {
		bar.Set(i, file.name)
		row, err := scorePicture(ctx, o, set, file, n)
		if err := cli.Interrupted(ctx); err != nil {
			return err
		}
		if err != nil {
			bar.Clear()
			say("eval: " + err.Error())
			r.Failed = append(r.Failed, file.name)
			continue
		}
		r.Pictures = append(r.Pictures, row)
	}
	bar.Close()
	if len(r.Pictures) == 0 {
		return fmt.Errorf("%s: none of %d pictures can be scored", o.data, len(set.files))
	}
	r.setMean()
	if err := r.print(o, out, log); err != nil {
		return err
	}
	if len(r.Failed) > 0 {
		return fmt.Errorf("%s: %d of %d pictures are left out, and the mean is without them: %s", o.data, len(r.Failed), len(set.files), list(r.Failed))
	}
	return nil
}

// scorePicture makes a row of the table.
func scorePicture(ctx context.Context, o *options, set *set, file file, n *network) (row, error) {
	p, err := set.read(file)
	if err != nil {
		return row{}, err
	}
	plain, err := enlargeBicubic(ctx, p.lr, o.scale)
	if err != nil {
		return row{}, err
	}
	r := row{Name: file.name, Width: p.hr.W, Height: p.hr.H, Bicubic: p.score(plain, o)}
	if n.upscaler == nil {
		return r, nil
	}
	enlarged, err := n.enlarge(ctx, p.lr)
	if err != nil {
		return row{}, fmt.Errorf("%s: %w", file.hr, err)
	}
	s := p.score(enlarged, o)
	r.Network = &s
	return r, nil
}
