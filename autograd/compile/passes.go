package compile

import (
	"fmt"
	"strings"

	"pixelgrad/autograd"
)

// A Pass rewrites a graph so that a program is faster or smaller, and computes the same.
type Pass struct {
	Name  string
	Does  string // in a line
	Stage Stage

	rewrite func(*Graph)
}

// A Stage says when a pass runs.
type Stage int

// The stages.
const (
	BeforeGradients Stage = iota // on the forward phase; the backward phase is derived from the result
	AfterGradients               // on both
	Layout                       // where tensors lie in memory: see place, in memory.go
)

// Passes lists the passes in the order in which they run. Each has a file of its own with
// a picture, and Options.Without leaves it out by its name.
var Passes = []Pass{
	{"exchange", "convolve 1×1 before enlarging", BeforeGradients, exchange},
	{"fuse", "convolution, addition and ReLU in one step", BeforeGradients, fuse},
	{"inputs", "concatenated and enlarged channels read where they are", BeforeGradients, inputsInPlace},
	{"constants", "channels that are constant over an image multiplied once", BeforeGradients, constantChannels},
	{"loss", "the derivatives of the loss and the sigmoid in one step", AfterGradients, fuseLoss},
	{"activations", "gradients written over activations", AfterGradients, gradientsOverActivations},
	{"slopes", "convolution and PReLU or LeakyReLU in one step", AfterGradients, fuseSlopes},
	{"inplace", "results written over operands", AfterGradients, resultsInPlace},
	{"recompute", "results of convolutions computed again instead of kept", AfterGradients, recompute},
	{"packed", "weights of predictions packed once", AfterGradients, packWeights},
	{"memory", "tensors share an arena", Layout, nil},
}

// optimize runs the passes and adds the backward phase, if there is one.
func (g *Graph) optimize(o Options, backward bool) {
	run := func(stage Stage) {
		for _, p := range Passes {
			if p.Stage == stage && !o.without(p.Name) {
				p.rewrite(g)
				g.prune()
			}
		}
	}
	g.prune()
	run(BeforeGradients)
	if backward {
		g.differentiate()
	}
	run(AfterGradients)
}

// Options are how a program is compiled.
type Options struct {
	Without []string // names of passes to leave out; "all" leaves out every pass
	Arena   *Arena   // memory to share with other programs, or nil for memory of its own

	// For pictures of the graph: Names holds the names of the parameters, and Inputs those of
	// the inputs and targets, in the order in which Map visits them.
	Names  map[*autograd.Value]string
	Inputs []string
}

func (o Options) without(name string) bool {
	for _, w := range o.Without {
		if w == name || w == "all" {
			return true
		}
	}
	return false
}

// Check returns an error for a name that no pass has.
func (o Options) Check() error {
	var names []string
	for _, p := range Passes {
		names = append(names, p.Name)
	}
	for _, w := range o.Without {
		found := w == "all"
		for _, n := range names {
			found = found || n == w
		}
		if !found {
			return fmt.Errorf("unknown pass %q: there is %s, or all", w, strings.Join(names, ", "))
		}
	}
	return nil
}
