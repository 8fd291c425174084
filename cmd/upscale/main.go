// Command upscale enlarges pictures.
//
//	upscale photo.jpg
//
// writes photo_x2.jpg beside it, twice as wide and as high. Folders, patterns of names and the
// standard streams are taken, too; profiles, EXIF, opacity and depth are kept. docs/upscale.md
// has what is kept, and what is refused.
//
// Its exit status is 0, 1 if something failed or was interrupted, and 2 for wrong flags. A
// picture that cannot be enlarged is named, and the others are enlarged without it; the status is
// then 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/tensor"
	"pixelgrad/vision/superres"
)

// options are the command line.
type options struct {
	inputs    []string
	out       string
	scale     int // 0: what suits the weights
	network   string
	weights   string
	format    *kind // nil: that of the input, or of the output's name
	quality   int
	rows      int
	recursive bool
	skip      bool
	ensemble  bool
	threads   int
}

const usage = `Enlarge pictures.

    go run ./cmd/upscale photo.jpg                     photo_x2.jpg, beside it
    go run ./cmd/upscale -s 4 -f png *.jpg             all of them, as PNGs
    go run ./cmd/upscale -i photos -o large -r         a folder and those inside
    go run ./cmd/upscale -m realesr-general-x4v3.pth photo.jpg
    go run ./cmd/upscale -i - -o - -f png < a.jpg > b.png

Pictures are JPEG, PNG, WebP, GIF (its first frame), BMP and TIFF. Everything that is
no flag is an input, and everything behind --. A file that is there is replaced,
unless -skip-existing says not to; an input never is.

`

func main() {
	// A picture is a large part of all memory, and little else is garbage: waiting until there is as
	// much of that would double what the command takes.
	debug.SetGCPercent(25)
	cli.Command{
		Name: "upscale", Stopping: "stopping; what is finished stays",
		Run: func(ctx context.Context, args []string, s cli.Streams) error {
			o, err := parseFlags(args, s.Out)
			if err != nil {
				return err
			}
			return run(ctx, o, open, s)
		},
	}.Main()
}

func parseFlags(args []string, help io.Writer) (*options, error) {
	o := &options{}
	f := cli.NewFlags("upscale")
	add := func(to *[]string) func(string) error {
		return func(name string) error { *to = append(*to, name); return nil }
	}
	f.Group("What")
	f.Func("i", "`file`, folder or pattern of pictures, - for the standard input; may be repeated, and left out", add(&o.inputs))
	f.StringVar(&o.out, "o", "", "`file` for the result, - for the standard output, or folder for all results; default: NAME_x2.EXT beside NAME.EXT")
	f.BoolVar(&o.recursive, "r", false, "also the folders in folders; -o gets the same ones")
	f.BoolVar(&o.skip, "skip-existing", false, "leave out what there is a result of, as after an interruption")

	f.Group("How")
	f.Int(&o.scale, "s", 0, 2, 4, "2, 3 or 4", "`times` that both sides become larger: 2, 3 or 4; default: 2, or what the weights are for")
	f.StringVar(&o.network, "n", "", "`network`: "+superres.FastName+" (the default), "+superres.BicubicName+", or with -m "+networks()+"; without it the weights tell")
	f.StringVar(&o.weights, "m", "", "`file` of weights, .pth or .safetensors, or folder that train has left")
	f.BoolVar(&o.ensemble, "x", false, "mean of the eight flips and turns, in eight times the time")
	f.Int(&o.rows, "t", 0, 1, 1<<20, "a number of rows, or 0", "`rows` of a picture that are computed at a time; 0: from memory; results do not depend on it")
	f.ThreadsAs(&o.threads, "j")

	f.Group("Files")
	f.Func("f", "`format` of the results: "+formatNames()+"; default: that of the input, or png if that cannot be written", func(name string) (err error) {
		o.format, err = formatOfFlag(name)
		return err
	})
	f.Int(&o.quality, "q", 95, 1, 100, "a number from 1 to 100", "`quality` of JPEGs, from 1 to 100")
	rest, err := f.ParseAny(args, usage, help)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		for _, a := range args { // as a shell makes of *.jpg
			if _, there := os.Stat(a); there == nil && strings.HasPrefix(a, "-") && strings.Contains(err.Error(), a) {
				return nil, cli.Usagef("%w; to enlarge the file %s, put -- in front of it", err, a)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	o.inputs = append(o.inputs, rest...)
	switch {
	case len(o.inputs) == 0:
		return nil, cli.Usagef("expected pictures, or folders of them, found none")
	case o.weights == "" && o.network != "" && o.network != superres.FastName && o.network != superres.BicubicName:
		if _, err := superres.Find(o.network); err != nil {
			return nil, cli.Usagef("-n %s: expected %s, %s, or with -m %s", o.network, superres.FastName, superres.BicubicName, networks())
		}
		return nil, cli.Usagef("-n %s: expected its weights, -m FILE, found none", o.network)
	case o.weights != "" && o.network == superres.BicubicName:
		return nil, cli.Usagef("-n %s: expected no -m, for it has no weights", o.network)
	}
	return o, nil
}

// networks lists the networks that need weights.
func networks() string {
	var names []string
	for _, a := range superres.Architectures {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}

// enlarger is what the command needs of a [superres.Upscaler].
type enlarger interface {
	Scale() int
	String() string
	UpscaleRows(ctx context.Context, f superres.Format, read func(y int) (image.Image, error), write func(row image.Image) error) error
}

// An opener is open, or stands for it in a test.
type opener = func(o *options, progress func(done, total int), say func(line string)) (enlarger, error)

// open returns what the command line asks for. progress is told about rows, as in
// superres.Options; say, what was chosen in a file.
func open(o *options, progress func(done, total int), say func(line string)) (enlarger, error) {
	s := superres.Options{Scale: o.scale, Rows: o.rows, Ensemble: o.ensemble, Say: say, Progress: progress}
	path := o.weights
	switch {
	case path != "":
		path, s.Network = runs.WeightsPath(path), o.network
	case o.network != "":
		path = o.network
	default:
		path = superres.FastName
	}
	u, _, err := runs.Upscaler(path, s)
	if err != nil {
		return nil, err
	}
	return u, nil
}

// run enlarges the pictures. Results and what became of each picture go to s.Out, messages to
// s.Log.
func run(ctx context.Context, o *options, open opener, s cli.Streams) error {
	tensor.SetThreads(o.threads)
	c := &command{o: o, Streams: s}
	e, err := open(o, c.rows, c.say)
	if err != nil {
		return err
	}
	c.enlarger = e
	if c.plan, err = newPlan(o, e.Scale(), c.say); err != nil {
		return err
	}
	return c.all(ctx)
}

func (c *command) say(line string) {
	c.clear()
	fmt.Fprintln(c.Log, format.Message(line))
}
