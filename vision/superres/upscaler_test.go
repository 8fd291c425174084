package superres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/internal/memory"
	"pixelgrad/nn"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/vision"
)

// savedNetwork writes the weights of a network to a file.
func savedNetwork(t *testing.T, m nn.Module) string {
	t.Helper()
	var all []safetensors.Named
	for _, p := range nn.StateDict(m) {
		all = append(all, safetensors.Named{Name: p.Name, Tensor: p.Tensor})
	}
	path := filepath.Join(t.TempDir(), "weights.safetensors")
	if err := safetensors.WriteFile(path, all, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// opened opens a network that must be there.
func opened(t *testing.T, path string, o Options) *Upscaler {
	t.Helper()
	u, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// upscaled enlarges a picture, which must succeed.
func upscaled(t *testing.T, u *Upscaler, m image.Image) image.Image {
	t.Helper()
	got, err := u.Upscale(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// random fills a picture's bytes.
func random(pix []uint8) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range pix {
		pix[i] = uint8(rng.UintN(256))
	}
}

// trained is a Fast whose last convolution does something.
func trained(scale int) *Fast {
	m := NewFast(rand.New(rand.NewPCG(5, 6)), scale)
	last := m.body[len(m.body)-1].(*nn.Conv2d)
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range last.Weight.Data().Data() {
		last.Weight.Data().Data()[i] = rng.Float32()*0.4 - 0.2
	}
	return m
}

// TestUpscale compares pictures with what the networks make of the same numbers on the plain tape.
func TestUpscale(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	compact := NewSRVGGNetCompact(rng, 3, 6, 2, 3, PReLU)
	rrdb := NewRRDBNet(rng, RRDBSizes{3, 8, 4, 1, 2, 2})
	multi := NewSuperResNetMulti(rng)
	mid := func(x *autograd.Value) *autograd.Value { return multi.Forward(Input{Photo: x}).Mid }
	large := func(x *autograd.Value) *autograd.Value { return multi.Forward(Input{Photo: x}).Large }
	fast := trained(2)
	for _, c := range []struct {
		name    string
		path    string
		scale   int
		forward func(*autograd.Value) *autograd.Value
	}{
		{"SRVGGNetCompact ×3, 6 features, 2 convolutions", savedNetwork(t, compact), 3, compact.Forward},
		{"RRDBNet ×2, 8 features, 1 blocks", savedNetwork(t, rrdb), 2, rrdb.Forward},
		{"SuperResNetMulti ×2", savedNetwork(t, multi), 2, mid},
		{"SuperResNetMulti ×4", savedNetwork(t, multi), 4, large},
		{fast.String(), savedNetwork(t, fast), 2, fast.Forward},
		{"bicubic interpolation ×3", BicubicName, 3, func(x *autograd.Value) *autograd.Value { return autograd.UpsampleBicubic(x, 3) }},
	} {
		u := opened(t, c.path, Options{Scale: c.scale})
		if u.String() != c.name || u.Scale() != c.scale {
			t.Errorf("opened %s, ×%d; want %s", u, u.Scale(), c.name)
		}
		for _, size := range []image.Point{{35, 51}, {67, 21}, {1, 1}, {2, 9}} {
			p := vision.NewRGB(size.X, size.Y)
			random(p.Pix)
			want := vision.FromTensor(c.forward(autograd.Constant(p.Tensor())).Data(), 0)
			got := upscaled(t, u, p)
			if m, ok := got.(*image.RGBA); !ok || m.Bounds() != want.Bounds() {
				t.Fatalf("%s, %v: a %T of %v, want an *image.RGBA of %v", c.name, size, got, got.Bounds(), want.Bounds())
			}
			for i, v := range vision.FromImage(got).Pix {
				if d := int(v) - int(want.Pix[i]); d < -1 || d > 1 {
					t.Fatalf("%s, %v: sample %d is %d, want %d", c.name, size, i, v, want.Pix[i])
				}
			}
		}
	}
}

// TestUpscaleTo compares what encoders make of rows with what they make of the whole picture.
func TestUpscaleTo(t *testing.T) {
	u := opened(t, savedNetwork(t, trained(3)), Options{})
	for _, m := range []image.Image{image.NewGray(image.Rect(0, 0, 70, 50)), image.NewNRGBA(image.Rect(3, 4, 40, 50)), image.NewRGBA64(image.Rect(-3, -4, 40, 50)), vision.NewRGB(37, 61)} {
		switch m := m.(type) {
		case *image.Gray:
			random(m.Pix)
		case *image.NRGBA:
			random(m.Pix)
		case *vision.RGB:
			random(m.Pix)
		}
		for name, encode := range map[string]func(w io.Writer, m image.Image) error{
			"png":  png.Encode,
			"jpeg": func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) },
		} {
			if _, grey := m.(*image.Gray); grey && name == "jpeg" {
				continue // image/jpeg writes grey files of an *image.Gray alone
			}
			var want, got bytes.Buffer
			if err := encode(&want, upscaled(t, u, m)); err != nil {
				t.Fatal(err)
			}
			if err := u.UpscaleTo(t.Context(), m, func(larger image.Image) error { return encode(&got, larger) }); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%T, %s: another file of %d bytes than Upscale's of %d", m, name, got.Len(), want.Len())
			}
		}
	}
}

var _ = []any{context.Background, errors.Is, fmt.Sprint, color.Black, jpeg.Encode, png.Encode, io.EOF, slices.Equal[[]int], strings.Contains, sync.OnceFunc, memory.Free, tensor.New}
