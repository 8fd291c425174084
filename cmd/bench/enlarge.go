package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"pixelgrad/nn"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/vision/superres"
)

// An enlarger is a network that enlarges one picture of any size. What is measured begins with the
// picture's bytes and ends with those of the larger one.
type enlarger struct {
	name    string
	sizes   []image.Point // that are measured unless the command line says others
	network func(rng *rand.Rand) superres.Network

	// Random weights of the last convolution are smaller by damping, and lie about base, so that
	// few pixels become black or white.
	damping float64
	base    float32

	convs []layer // at the size of the picture, whose side is 1
}

// enlargers are "fast", and the networks of Real-ESRGAN with the sizes of realesr-general-x4v3 and
// of RealESRGAN_x4plus. At two megapixels the last one needs ten minutes for a picture, and those
// who compute it whole more memory than most machines have.
var enlargers = []enlarger{
	{"fast", []image.Point{quarter, two}, func(rng *rand.Rand) superres.Network {
		return superres.NewFast(rng, 2)
	}, 0.1, 0, body(32, 5, 2)},
	{"compact", []image.Point{quarter, two}, func(rng *rand.Rand) superres.Network {
		return superres.NewSRVGGNetCompact(rng, 3, 64, 32, 4, superres.PReLU)
	}, 0.1, 0, body(64, 32, 4)},
	{"rrdb", []image.Point{quarter}, func(rng *rand.Rand) superres.Network {
		return superres.NewRRDBNet(rng, superres.RRDBSizes{Channels: 3, Features: 64, Growth: 32, Blocks: 23, Doublings: 2, Unshuffle: 1})
	}, 0.005, 0.5, rrdbConvs()},
}

// A quarter of a megapixel, and two megapixels.
var (
	quarter = image.Pt(512, 512)
	two     = image.Pt(1600, 1250)
)

// body lists the convolutions of a network that works at the size of the picture.
func body(features, convs, scale int) []layer {
	ls := []layer{{in: 3, out: features, k: 3, side: 1}}
	for range convs {
		ls = append(ls, layer{in: features, out: features, k: 3, side: 1})
	}
	return append(ls, layer{in: features, out: 3 * scale * scale, k: 3, side: 1})
}

// rrdbConvs lists those of RRDBNet.
func rrdbConvs() []layer {
	ls := []layer{{in: 3, out: 64, k: 3, side: 1}}
	for range 3 * 23 {
		for i := range 4 {
			ls = append(ls, layer{in: 64 + 32*i, out: 32, k: 3, side: 1})
		}
		ls = append(ls, layer{in: 64 + 32*4, out: 64, k: 3, side: 1})
	}
	for _, side := range []int{1, 2, 4, 4} {
		ls = append(ls, layer{in: 64, out: 64, k: 3, side: side})
	}
	return append(ls, layer{in: 64, out: 3, k: 3, side: 4})
}

// findEnlarger returns the enlarger of that name, or nil.
func findEnlarger(name string) *enlarger {
	for i := range enlargers {
		if enlargers[i].name == name {
			return &enlargers[i]
		}
	}
	return nil
}

// sizeText is how a size is written: 512x512.
func sizeText(size image.Point) string { return fmt.Sprintf("%dx%d", size.X, size.Y) }

// mostSide is the longest side of a picture that is measured.
const mostSide = 100_000

// parseSize reads a size such as 512x512.
func parseSize(text string) (image.Point, bool) {
	w, h, _ := strings.Cut(text, "x")
	x, errX := strconv.Atoi(w)
	y, errY := strconv.Atoi(h)
	return image.Pt(x, y), errX == nil && errY == nil && x > 1 && y > 1 && x <= mostSide && y <= mostSide
}

// fill makes the weights as fill in testdata/peers/enlargers.py does.
func (e *enlarger) fill(m nn.Module) {
	ps := m.Parameters()
	for i, p := range ps {
		factor := 0.1
		if shape := p.Shape(); len(shape) == 4 {
			factor = math.Sqrt(6 / float64(p.Data().Len()/shape[0]))
			if i == len(ps)-2 {
				factor *= e.damping
			}
		}
		tensor.ScaleTo(p.Data(), float32(factor), scattered(i, p.Shape()...))
	}
	for i, v := range ps[len(ps)-1].Data().Data() {
		ps[len(ps)-1].Data().Data()[i] = v + e.base
	}
}

// open has the package open a file of the weights, as whoever has weights does.
func (e *enlarger) open() (*superres.Upscaler, error) {
	folder, err := os.MkdirTemp("", "pixelgrad-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	m := e.network(rand.New(rand.NewPCG(0, 0)))
	e.fill(m)
	var tensors []safetensors.Named
	for _, t := range nn.StateDict(m) {
		tensors = append(tensors, safetensors.Named{Name: t.Name, Tensor: t.Tensor})
	}
	path := filepath.Join(folder, "weights.safetensors")
	if err := safetensors.WriteFile(path, tensors, nil); err != nil {
		return nil, err
	}
	m, tensors = nil, nil
	debug.FreeOSMemory() // what made the file takes nothing from what it is measured with
	return superres.Open(path, superres.Options{})
}

// picture returns what picture in testdata/peers/enlargers.py does.
func picture(size image.Point) *image.RGBA {
	m := image.NewRGBA(image.Rectangle{Max: size})
	for i, v := range scattered(1000, size.Y, size.X, 3).Data() {
		m.Pix[i/3*4+i%3] = byte((v + 1) * 128)
		m.Pix[i/3*4+3] = 255
	}
	return m
}

// serveEnlarger runs one of our networks. Its loss is the mean square of what it computes, of bytes
// as numbers in [0,1].
func serveEnlarger(o *options, e *enlarger, in io.Reader, out io.Writer) error {
	size, ok := parseSize(o.picture)
	if !ok {
		return fmt.Errorf("-picture: expected a size such as %s, found %q", sizeText(quarter), o.picture)
	}
	u, err := e.open()
	if err != nil {
		return err
	}
	m := picture(size)
	enlarge := func() *image.RGBA {
		larger, err := u.Upscale(context.Background(), m)
		if err != nil {
			panic(err) // of memory
		}
		return larger.(*image.RGBA)
	}
	return serve(o, in, out, func() float64 {
		var counts [256]int
		pixels := enlarge().Pix
		for i, v := range pixels {
			if i%4 != 3 {
				counts[v]++
			}
		}
		sum := 0.0
		for v, n := range counts {
			sum += float64(n) * float64(v*v)
		}
		return sum / (255 * 255) / float64(len(pixels)/4*3)
	}, nil, func() { enlarge() })
}
