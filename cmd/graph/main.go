// Command graph shows what the compiler makes of a network.
//
//	go run ./cmd/graph -model residual -o graph.svg
//
// prints what each pass does to a training step of the network (how many steps there are,
// their multiplications, the memory that they need) and the steps of the compiled program.
// With -o it draws the graph, forward and backward, as it is written and after each pass
// that changes it; steps that a pass has made or changed have a thick border. A file that
// ends in .dot gets the graphs in Graphviz's language instead.
package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/cmd/internal/cli"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/internal/atomicfile"
	"pixelgrad/vision/superres"
)

// options are the command line.
type options struct {
	arch    superres.Architecture
	batch   int
	side    int
	predict bool
	without []string
	out     string
}

func main() {
	cli.Command{Name: "graph", Run: func(ctx context.Context, args []string, s cli.Streams) error {
		o, err := parseFlags(args, s.Out)
		if err != nil {
			return err
		}
		return run(ctx, o, s.Out)
	}}.Main()
}

const usage = `Show what the compiler makes of a network.

    go run ./cmd/graph [flags]

`

func parseFlags(args []string, help io.Writer) (*options, error) {
	o := &options{}
	f := cli.NewFlags("graph")
	var model string
	f.StringVar(&model, "model", "superresnet", "the `network` to draw: "+strings.Join(runs.Models(), ", "))
	f.Batch(&o.batch, 16, "")
	f.Int(&o.side, "side", 72, 2, 1024, "an even number from 2 to 1024", "pixels of a photograph's side")
	f.BoolVar(&o.predict, "predict", false, "draw a prediction, and not a training step")
	f.Without(&o.without)
	f.Out(&o.out, "draw the graphs into this .svg or .dot `file`")
	if _, err := f.Parse(args, usage, help); err != nil {
		return nil, err
	}
	var err error
	if o.arch, err = superres.Find(model); err != nil {
		return nil, cli.Usagef("-model: %w", err)
	}
	if o.side%2 != 0 {
		return nil, cli.Usagef("-side %d: expected an even number", o.side)
	}
	if kind := strings.ToLower(filepath.Ext(o.out)); o.out != "" && kind != ".svg" && kind != ".dot" {
		return nil, cli.Usagef("-out %s: expected a file that ends in .svg or .dot", o.out)
	}
	return o, nil
}

// A stage is what the network is after some of the passes.
type stage struct {
	pass    compile.Pass // the last one; without a name for the network as it is written
	program *compile.Program
	changed map[*compile.Step]bool // steps that the pass has made or changed
}

func run(ctx context.Context, o *options, out io.Writer) error {
	if o.out != "" {
		if info, err := os.Stat(filepath.Dir(o.out)); err != nil || !info.IsDir() {
			return fmt.Errorf("-out %s: expected a folder that is there, found none", o.out)
		}
	}
	stages, err := compileStages(ctx, o)
	if err != nil {
		return err
	}
	kind := "training step"
	if o.predict {
		kind = "prediction"
	}
	title := fmt.Sprintf("%s, %s of %d photographs of %d×%d", o.arch.Title, kind, o.batch, o.side, o.side)
	printStages(out, title, stages)
	printSteps(out, stages[len(stages)-1].program)
	if o.out == "" {
		return nil
	}
	text, err := draw(ctx, title, stages, strings.ToLower(filepath.Ext(o.out)) == ".svg")
	if err != nil {
		return fmt.Errorf("%s: %w", o.out, err)
	}
	if err := cli.Interrupted(ctx); err != nil {
		return err
	}
	err = atomicfile.Write(o.out, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
	if err == nil {
		fmt.Fprintf(out, "\nThe graphs are in %s.\n", o.out)
	}
	return err
}

// compileStages compiles the network without any pass, then with one pass more each time.
func compileStages(ctx context.Context, o *options) ([]stage, error) {
	m := o.arch.New(rand.New(rand.NewPCG(0, 0)))
	named := map[*autograd.Value]string{}
	for _, p := range m.Parameters() {
		named[p.Value] = p.Name
	}
	in, target := shapes(o)
	inputs := []string{"photograph"}
	if in.Features != nil {
		inputs = append(inputs, "features")
	}
	inputs = append(inputs, "target, mid", "target, large")
	var all, left []string
	for _, p := range compile.Passes {
		all = append(all, p.Name)
	}
	left = slices.Clone(all)
	var stages []stage
	for i := -1; i < len(all); i++ {
		s := stage{}
		if i >= 0 {
			s.pass = compile.Passes[i]
			if slices.Contains(o.without, s.pass.Name) || slices.Contains(o.without, "all") {
				continue
			}
			left = slices.DeleteFunc(left, func(name string) bool { return name == s.pass.Name })
		}
		co := compile.Options{Without: left, Names: named, Inputs: inputs}
		if o.predict {
			p, err := compile.Predict(m.Forward, in, co)
			if err != nil {
				return nil, err
			}
			s.program = p.Program
		} else {
			p, err := compile.Train(m.Forward, superres.Loss, in, target, co)
			if err != nil {
				return nil, err
			}
			s.program = p.Program
		}
		if err := cli.Interrupted(ctx); err != nil {
			return nil, err
		}
		if len(stages) > 0 {
			s.changed = changed(stages[len(stages)-1].program.Graph, s.program.Graph)
		}
		stages = append(stages, s)
	}
	return stages, nil
}

// shapes returns what the network sees and is compared with, without numbers.
func shapes(o *options) (superres.Input, superres.Output) {
	n, s := o.batch, o.side
	in := superres.Input{Photo: autograd.Placeholder(n, 3, s, s)}
	switch o.arch.Features {
	case superres.VGGFeatures:
		in.Features = autograd.Placeholder(n, 128, s/2, s/2)
	case superres.CLIPFeatures:
		in.Features = autograd.Placeholder(n, 512)
	}
	target := superres.Output{Mid: autograd.Placeholder(n, 3, 2*s, 2*s)}
	if o.arch.Outputs == 2 {
		target.Large = autograd.Placeholder(n, 3, 4*s, 4*s)
	}
	return in, target
}

// changed returns the steps of a graph that the one before it does not have.
func changed(before, after *compile.Graph) map[*compile.Step]bool {
	count := map[string]int{}
	for _, s := range before.Steps {
		count[signature(s)]++
	}
	steps := map[*compile.Step]bool{}
	for _, s := range after.Steps {
		if count[signature(s)]--; count[signature(s)] < 0 {
			steps[s] = true
		}
	}
	return steps
}

// signature is what makes a step look the same in two graphs.
func signature(s *compile.Step) string {
	text := fmt.Sprint(s.Kernel, s.Phase, s.Packed())
	for _, t := range s.In {
		text += fmt.Sprint(t.Shape, t.Name)
	}
	for i, t := range s.Out {
		text += fmt.Sprint(t.Shape)
		if s.Over != nil && s.Over[i] != nil {
			text += fmt.Sprint(" over ", slices.Index(s.In, s.Over[i]))
		}
	}
	return text
}
