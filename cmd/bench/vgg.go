package main

import (
	"fmt"
	"io"
	"math"

	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
	"pixelgrad/vgg"
)

// vggName is what the whole of VGG16 is called among the models; it only predicts.
const vggName = "vgg16"

// vggStages are the channels of the convolutions before each pool.
var vggStages = [][]int{{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}}

// vggRecipe makes VGG16's weights as fill_weights in testdata/golden/goldens.py does.
type vggRecipe struct {
	names  []string
	shapes map[string][]int
}

func newVGGRecipe() *vggRecipe {
	r := &vggRecipe{shapes: map[string][]int{}}
	layer := func(name string, weight ...int) {
		r.names = append(r.names, name+".weight", name+".bias")
		r.shapes[name+".weight"], r.shapes[name+".bias"] = weight, weight[:1]
	}
	in, index := 3, 0
	for _, stage := range vggStages {
		for _, out := range stage {
			layer(fmt.Sprintf("features.%d", index), out, in, 3, 3)
			in, index = out, index+2 // a convolution and its ReLU
		}
		index++ // a pool
	}
	layer("classifier.0", 4096, 512*7*7)
	layer("classifier.3", 4096, 4096)
	layer("classifier.6", 1000, 4096)
	return r
}

func (r *vggRecipe) Names() []string { return r.names }

func (r *vggRecipe) Tensor(name string) (*tensor.Tensor, error) {
	for i, n := range r.names {
		if n != name {
			continue
		}
		t := recipe.Numbers(i, r.shapes[n]...)
		fanIn := t.Len()
		if len(t.Shape()) > 1 {
			fanIn /= t.Dim(0)
		}
		root := float32(math.Sqrt(float64(fanIn)))
		for j, v := range t.Data() {
			t.Data()[j] = v / root
		}
		return t, nil
	}
	return nil, fmt.Errorf("no tensor %s in VGG16", name)
}

// serveVGG runs VGG16 at 224×224.
func serveVGG(o *options, in io.Reader, out io.Writer) error {
	m, err := vgg.New(newVGGRecipe(), "recipe", vgg.Logits, vgg.Options{})
	if err != nil {
		return err
	}
	return serveFrozen(o, in, out, recipe.Numbers(50, o.batch, 3, 224, 224), m.Forward)
}

// serveFrozen runs a network that only predicts. Its loss is the mean square of what it
// computes: any number that depends on all of it would do.
func serveFrozen(o *options, in io.Reader, out io.Writer, x *tensor.Tensor, forward func(x *tensor.Tensor) *tensor.Tensor) error {
	return serve(o, in, out, func() float64 {
		y := forward(x)
		defer tensor.Release(y)
		sum := 0.0
		for _, v := range y.Data() {
			sum += float64(v) * float64(v)
		}
		return sum / float64(y.Len())
	}, nil, func() { tensor.Release(forward(x)) })
}
