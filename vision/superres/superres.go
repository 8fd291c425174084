// Package superres holds the networks that enlarge photographs of 72×72 pixels to
// 144×144, and the larger ones to 288×288 as well: one file each.
package superres

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/nn"
)

// A Model is a network that enlarges photographs.
type Model interface {
	nn.Module

	// Forward returns the enlargements of x, by two and then, if the model makes it,
	// by four. Shapes: (n,3,h,w) → (n,3,2h,2w), (n,3,4h,4w).
	Forward(x *autograd.Value) []*autograd.Value
}

// An Architecture is a kind of model.
type Architecture struct {
	Name    string // on the command line
	Title   string // of the type
	Outputs int    // how many enlargements it makes
	New     func(rng *rand.Rand) Model
}

// Architectures lists the models there are.
var Architectures = []Architecture{
	{"superresnet", "SuperResNet", 1, func(rng *rand.Rand) Model { return NewSuperResNet(rng) }},
}

// Find returns the architecture called name; the error lists those there are.
func Find(name string) (Architecture, error) {
	var names []string
	for _, a := range Architectures {
		if a.Name == name {
			return a, nil
		}
		names = append(names, a.Name)
	}
	return Architecture{}, fmt.Errorf("unknown model %q: there is %s", name, strings.Join(names, ", "))
}
