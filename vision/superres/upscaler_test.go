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
	"math"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/internal/memory"
	"pixelgrad/internal/recipe"
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
	path := filepath.Join(t.TempDir(), weightsFile)
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

// trained is a Fast that adds something to the bicubic enlargement.
func trained(scale int) *Fast {
	m := NewFast(rand.New(rand.NewPCG(5, 6)), scale)
	last := m.body[len(m.body)-1].(*nn.Conv2d)
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range last.Weight.Data().Data() {
		last.Weight.Data().Data()[i] = rng.Float32()*0.4 - 0.2
	}
	return m
}

// deep is an opaque picture of 16-bit samples, so that differences of less than a level of 8 bits are
// seen.
func deep(w, h int) *image.RGBA64 {
	m := image.NewRGBA64(image.Rect(0, 0, w, h))
	random(m.Pix)
	for i := 0; i < len(m.Pix); i += 8 {
		m.Pix[i+6], m.Pix[i+7] = 0xff, 0xff
	}
	return m
}

// numbers are the samples of an opaque picture, (1,3,h,w).
func numbers(m image.Image) *tensor.Tensor {
	b := m.Bounds()
	x := tensor.New(1, 3, b.Dy(), b.Dx())
	n := b.Dx() * b.Dy()
	for i := range n {
		r, g, bl, _ := m.At(b.Min.X+i%b.Dx(), b.Min.Y+i/b.Dx()).RGBA()
		x.Data()[i], x.Data()[n+i], x.Data()[2*n+i] = float32(r)/0xffff, float32(g)/0xffff, float32(bl)/0xffff
	}
	return x
}

// nearNumbers compares a picture of 16 bits with numbers that are cut to [0,1].
func nearNumbers(t *testing.T, what string, got image.Image, want *tensor.Tensor) {
	t.Helper()
	if b := got.Bounds(); b.Min != (image.Point{}) || b.Dy() != want.Dim(2) || b.Dx() != want.Dim(3) {
		t.Errorf("%s: a picture of %v, want shape %v", what, b, want.Shape())
		return
	}
	for i, v := range numbers(got).Data() {
		if w := min(max(want.Data()[i], 0), 1); !(math.Abs(float64(v-w)) <= 1.5/0xffff) {
			t.Errorf("%s: number %d of %v is %v, want %v", what, i, want.Shape(), v, w)
			return
		}
	}
}

// TestUpscale compares pictures with what the networks make of the same numbers on the plain tape.
func TestUpscale(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	compact := NewSRVGGNetCompact(rng, 3, 6, 2, 3, PReLU)
	rrdb := NewRRDBNet(rng, RRDBSizes{3, 8, 4, 1, 2, 2})
	multi := NewSuperResNetMulti(rng)
	fast := trained(4)
	for _, c := range []struct {
		name    string
		path    string
		scale   int
		forward func(*autograd.Value) *autograd.Value
	}{
		{"SRVGGNetCompact ×3, 6 features, 2 convolutions", savedNetwork(t, compact), 3, compact.Forward},
		{"RRDBNet ×2, 8 features, 1 blocks", savedNetwork(t, rrdb), 2, rrdb.Forward},
		{"SuperResNetMulti ×2", savedNetwork(t, multi), 2, func(x *autograd.Value) *autograd.Value { return multi.Forward(Input{Photo: x}).Mid }},
		{"SuperResNetMulti ×4", savedNetwork(t, multi), 4, func(x *autograd.Value) *autograd.Value { return multi.Forward(Input{Photo: x}).Large }},
		{fast.String(), savedNetwork(t, fast), 4, fast.Forward},
		{"bicubic interpolation ×5", BicubicName, 5, func(x *autograd.Value) *autograd.Value { return autograd.UpsampleBicubic(x, 5) }},
	} {
		u := opened(t, c.path, Options{Scale: c.scale})
		if u.String() != c.name || u.Scale() != c.scale {
			t.Errorf("opened %s, ×%d; want %s", u, u.Scale(), c.name)
		}
		for _, size := range []image.Point{{35, 51}, {67, 11}, {1, 1}, {2, 9}} {
			m := deep(size.X, size.Y)
			nearNumbers(t, fmt.Sprintf("%s, %v", c.name, size), upscaled(t, u, m), c.forward(autograd.Constant(numbers(m))).Data())
		}
	}
}

// custom hides what a picture is.
type custom struct{ image.Image }

// kinds are pictures of all types, with their upper left corners anywhere.
func kinds() map[string]image.Image {
	r := image.Rect(-5, 3, 14, 20)
	all := map[string]image.Image{}
	add := func(name string, m image.Image, pix ...[]uint8) {
		for _, p := range pix {
			random(p)
		}
		all[name] = m
		all["custom "+name] = custom{m}
	}
	gray, gray16, alpha, alpha16 := image.NewGray(r), image.NewGray16(r), image.NewAlpha(r), image.NewAlpha16(r)
	add("Gray", gray, gray.Pix)
	add("Gray16", gray16, gray16.Pix)
	add("Alpha", alpha, alpha.Pix)
	add("Alpha16", alpha16, alpha16.Pix)
	nrgba, nrgba64 := image.NewNRGBA(r), image.NewNRGBA64(r)
	add("NRGBA", nrgba, nrgba.Pix)
	add("NRGBA64", nrgba64, nrgba64.Pix)
	rgba, rgba64, opaque := image.NewRGBA(r), image.NewRGBA64(r), image.NewNRGBA(r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			rgba.Set(x, y, nrgba.At(x, y)) // premultiplied: no colour is larger than alpha
			rgba64.Set(x, y, nrgba64.At(x, y))
			c := nrgba.NRGBAAt(x, y)
			c.A = 255
			opaque.Set(x, y, c)
		}
	}
	add("RGBA", rgba)
	add("RGBA64", rgba64)
	add("opaque", opaque)
	cmyk := image.NewCMYK(r)
	add("CMYK", cmyk, cmyk.Pix)
	colours, greys := image.NewPaletted(r, color.Palette{color.RGBA{200, 10, 0, 255}, color.RGBA{0, 9, 99, 255}}), image.NewPaletted(r, color.Palette{color.Gray{7}, color.Gray{200}})
	clear := image.NewPaletted(r, color.Palette{color.RGBA{200, 10, 0, 255}, color.RGBA{}})
	for i := range colours.Pix {
		colours.Pix[i] = uint8(i % 3 % 2)
	}
	copy(greys.Pix, colours.Pix)
	copy(clear.Pix, colours.Pix)
	add("palette", colours)
	add("grey palette", greys)
	add("palette with transparency", clear)
	rgb := vision.NewRGB(19, 17)
	add("RGB", rgb, rgb.Pix)
	add("part", opaque.SubImage(image.Rect(-2, 5, 9, 11)))
	yuva := image.NewNYCbCrA(r, image.YCbCrSubsampleRatio444)
	add("NYCbCrA", yuva, yuva.Y, yuva.Cb, yuva.Cr, yuva.A)
	return all
}

// TestKinds enlarges pictures of all types and compares with what the interpolation makes of their
// pixels as color.NRGBA64 has them. It wants results of the right type, of the pictures and of their
// rows.
func TestKinds(t *testing.T) {
	u := opened(t, BicubicName, Options{})
	for name, m := range kinds() {
		b := m.Bounds()
		want := ""
		switch strings.TrimPrefix(name, "custom ") {
		case "Gray", "grey palette":
			want = "*image.Gray"
		case "Gray16":
			want = "*image.Gray16"
		case "NRGBA", "RGBA", "Alpha", "palette with transparency", "NYCbCrA":
			want = "*image.NRGBA"
		case "NRGBA64", "RGBA64", "Alpha16":
			want = "*image.NRGBA64"
		case "opaque", "CMYK", "palette", "RGB", "part":
			want = "*image.RGBA"
		}
		if name == "custom grey palette" {
			want = "*image.RGBA" // which cannot be seen without looking at all pixels
		}
		got := upscaled(t, u, m)
		if fmt.Sprintf("%T", got) != want || got.Bounds() != image.Rect(0, 0, 2*b.Dx(), 2*b.Dy()) {
			t.Errorf("%s: a %T of %v, want a %s of twice %v", name, got, got.Bounds(), want, b.Size())
			continue
		}

		x := tensor.New(1, 4, b.Dy(), b.Dx())
		n := b.Dx() * b.Dy()
		for i := range n {
			at := m.At(b.Min.X+i%b.Dx(), b.Min.Y+i/b.Dx())
			c := color.NRGBA64Model.Convert(at).(color.NRGBA64)
			a := float32(c.A) / 0xffff
			for p, v := range []uint16{c.R, c.G, c.B} {
				x.Data()[p*n+i] = float32(v) / 0xffff * a
			}
			x.Data()[3*n+i] = a
		}
		y := tensor.UpsampleBicubic(x, 2)
		n *= 4
		levels, tolerance := 255.0, 0.51
		if strings.HasSuffix(want, "64") || strings.HasSuffix(want, "16") {
			levels, tolerance = 0xffff, 2
		}
		for i := range n {
			c := color.NRGBA64Model.Convert(got.At(i%(2*b.Dx()), i/(2*b.Dx()))).(color.NRGBA64)
			a := min(max(float64(y.Data()[3*n+i]), 0), 1)
			samples := []float64{float64(c.R), float64(c.G), float64(c.B), float64(c.A)}
			for p, sample := range samples {
				v := float64(y.Data()[p*n+i])
				most := tolerance
				if p < 3 {
					if c.A == 0 {
						v = 0
					} else {
						v /= a
						most += 3 * levels / 0xffff / a // some types premultiply, and round to 16 bits
					}
				}
				if got, want := sample/0xffff*levels, min(max(v, 0), 1)*levels; !(math.Abs(got-want) <= most) {
					t.Fatalf("%s: pixel %d, sample %d is %v of %v levels, want %v (alpha %v)", name, i, p, got, levels, want, a)
				}
			}
		}

		at := 0
		err := u.UpscaleRows(t.Context(), FormatOf(m), func(int) (image.Image, error) { return m, nil }, func(row image.Image) error {
			if fmt.Sprintf("%T", row) != want || row.Bounds() != image.Rect(0, at, 2*b.Dx(), at+1) {
				t.Fatalf("%s: row %d is a %T of %v", name, at, row, row.Bounds())
			}
			for x := range 2 * b.Dx() {
				if row.At(x, at) != got.At(x, at) {
					t.Fatalf("%s: row %d: pixel %d is %v, and %v of the picture", name, at, x, row.At(x, at), got.At(x, at))
				}
			}
			at++
			return nil
		})
		if err != nil || at != 2*b.Dy() {
			t.Errorf("%s: %d rows, %v", name, at, err)
		}
	}
}

// TestJPEG compares the pixels of pictures of JPEGs with vision's, for all kinds of subsampling, for
// parts of a picture, and for more rows than are converted at a time.
func TestJPEG(t *testing.T) {
	u := opened(t, BicubicName, Options{})
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		whole := image.NewYCbCr(image.Rect(0, 0, 24, 2*bandRows+13), ratio)
		random(whole.Y)
		random(whole.Cb)
		random(whole.Cr)
		for _, m := range []image.Image{whole, whole.SubImage(image.Rect(4, 8, 21, bandRows+17))} {
			got, want := upscaled(t, u, m).(*image.RGBA), upscaled(t, u, vision.FromImage(m)).(*image.RGBA)
			if !bytes.Equal(got.Pix, want.Pix) {
				t.Errorf("%v, %v: another picture than that of vision.FromImage", ratio, m.Bounds())
			}
		}
		// Rows may be read from a picture that is larger than what is enlarged of it.
		f := Format{Bounds: image.Rect(3, 5, 21, bandRows+17)}
		var got [2][]byte
		for i, m := range []image.Image{whole, vision.FromImage(whole)} {
			err := u.UpscaleRows(t.Context(), f, func(int) (image.Image, error) { return m, nil }, func(row image.Image) error {
				got[i] = append(got[i], row.(*image.RGBA).Pix...)
				return nil
			})
			if err != nil {
				t.Errorf("%v, %v of %T: %v", ratio, f.Bounds, m, err)
			}
		}
		if !bytes.Equal(got[0], got[1]) {
			t.Errorf("%v, %v of a larger picture: other pixels than those of vision.FromImage", ratio, f.Bounds)
		}
	}
}

// TestLevels wants samples to be rounded to the nearest level.
func TestLevels(t *testing.T) {
	for _, most := range []float32{255, 65535} {
		for l := range int(most) + 1 {
			for _, off := range []float32{-0.49, 0, 0.49} {
				if got := levelOf((float32(l)+off)/most, most); int(got) != l {
					t.Fatalf("%v of %v levels became %d", float32(l)+off, most, got)
				}
			}
		}
	}
	for v, want := range map[float32]uint16{-1: 0, 2: 255, float32(math.Inf(1)): 255, float32(math.NaN()): 0} {
		if got := levelOf(v, 255); got != want {
			t.Errorf("%v became level %d, want %d", v, got, want)
		}
	}
}

// TestPrecision: a ramp of 16 bits has more than the levels of 8 bits when it is enlarged.
func TestPrecision(t *testing.T) {
	m := image.NewGray16(image.Rect(0, 0, 600, 1))
	for x := range 600 {
		m.SetGray16(x, 0, color.Gray16{Y: uint16(30000 + 3*x)})
	}
	got := upscaled(t, opened(t, savedNetwork(t, trained(2)), Options{}), m).(*image.Gray16)
	levels := map[uint16]bool{}
	for x := range got.Bounds().Dx() {
		levels[got.Gray16At(x, 0).Y] = true
	}
	if len(levels) <= 256 {
		t.Errorf("%d levels, want more than 256", len(levels))
	}
}

// TestFringes: a red square on transparent green has no green in it, and none around it.
func TestFringes(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 24, 24))
	for i := range 24 * 24 {
		c := color.NRGBA{0, 255, 0, 0}
		if x, y := i%24, i/24; 7 < x && x < 16 && 7 < y && y < 16 {
			c = color.NRGBA{255, 0, 0, 255}
		}
		m.SetNRGBA(i%24, i/24, c)
	}
	for _, path := range []string{BicubicName, savedNetwork(t, trained(2))} {
		got := upscaled(t, opened(t, path, Options{}), m).(*image.NRGBA)
		if c := got.NRGBAAt(0, 0); path == BicubicName && c.A != 0 {
			t.Errorf("%s: the corner is %v, want it transparent", path, c)
		}
		opaque := 0
		for i := range 48 * 48 {
			c := got.NRGBAAt(i%48, i/48)
			if c.A == 255 {
				opaque++
			}
			if path == BicubicName && (c.G != 0 || c.B != 0 || c.A > 0 && c.R < 250) {
				t.Fatalf("%s: pixel %d,%d is %v, want red", path, i%48, i/48, c)
			}
			if c.A == 0 && c != (color.NRGBA{}) {
				t.Fatalf("%s: pixel %d,%d is %v, want no colour where nothing is seen", path, i%48, i/48, c)
			}
		}
		if opaque < 64 {
			t.Errorf("%s: %d opaque pixels, want the square", path, opaque)
		}
	}
}

// TestAlpha: a network enlarges alpha as it does a grey picture, and premultiplied colours as an
// opaque picture.
func TestAlpha(t *testing.T) {
	u := opened(t, savedNetwork(t, NewSRVGGNetCompact(rand.New(rand.NewPCG(3, 4)), 3, 6, 1, 2, PReLU)), Options{})
	m := image.NewNRGBA64(image.Rect(0, 0, 13, 7))
	alpha, colours := image.NewGray16(m.Rect), image.NewRGBA64(m.Rect)
	random(m.Pix)
	for i := range 13 * 7 {
		x, y := i%13, i/13
		c := m.NRGBA64At(x, y)
		c.A |= 0x4000
		m.SetNRGBA64(x, y, c)
		alpha.SetGray16(x, y, color.Gray16{Y: c.A})
		r, g, b, _ := c.RGBA()
		colours.SetRGBA64(x, y, color.RGBA64{uint16(r), uint16(g), uint16(b), 0xffff})
	}
	got, a, c := upscaled(t, u, m).(*image.NRGBA64), upscaled(t, u, alpha).(*image.Gray16), upscaled(t, u, colours).(*image.RGBA64)
	for i := range 26 * 14 {
		x, y := i%26, i/26
		p, want := got.NRGBA64At(x, y), c.RGBA64At(x, y)
		wantA := a.Gray16At(x, y).Y
		d := float64(p.R)*float64(p.A)/0xffff - min(float64(want.R), float64(wantA))
		if math.Abs(float64(p.A)-float64(wantA)) > 1 || math.Abs(d) > 3 {
			t.Fatalf("pixel %d,%d is %v, want alpha %d and premultiplied %v", x, y, p, wantA, want)
		}
	}
}

// TestLuma: a network of one channel enlarges Y, and bicubic interpolation Cb and Cr.
func TestLuma(t *testing.T) {
	n := NewSRVGGNetCompact(rand.New(rand.NewPCG(3, 4)), 1, 6, 1, 2, PReLU)
	u := opened(t, savedNetwork(t, n), Options{})
	m := deep(13, 9)
	x := numbers(m)
	// In levels, as MATLAB's rgb2ycbcr: rows for Y, Cb and Cr, divided by 255.
	to := [3][3]float64{{65.481, 128.553, 24.966}, {-37.797, -74.203, 112}, {112, -93.786, -18.214}}
	offset := [3]float64{16, 128, 128}
	planes := tensor.New(3, 1, 9, 13)
	for i := range 9 * 13 {
		for p := range 3 {
			v := offset[p]
			for c := range 3 {
				v += to[p][c] * float64(x.Data()[c*9*13+i])
			}
			planes.Data()[p*9*13+i] = float32(v / 255)
		}
	}
	luma := n.Forward(autograd.Constant(tensor.FromSlice(planes.Data()[:9*13], 1, 1, 9, 13))).Data()
	larger := tensor.UpsampleBicubic(planes, 2)
	copy(larger.Data(), luma.Data())
	want := tensor.New(1, 3, 18, 26)
	for i := range 18 * 26 {
		var v [3]float64
		for p := range 3 {
			v[p] = 255*float64(larger.Data()[p*18*26+i]) - offset[p]
		}
		// The inverse of the matrix.
		want.Data()[i] = float32((v[0]/219 + v[2]*1.402/224))
		want.Data()[18*26+i] = float32(v[0]/219 - v[1]*0.344136/224*1 - v[2]*0.714136/224)
		want.Data()[2*18*26+i] = float32(v[0]/219 + v[1]*1.772/224)
	}
	got := upscaled(t, u, m)
	for i, v := range numbers(got).Data() {
		if w := min(max(want.Data()[i], 0), 1); math.Abs(float64(v-w)) > 1e-4 {
			t.Fatalf("number %d is %v, want %v", i, v, w)
		}
	}
	grey := image.NewGray16(image.Rect(0, 0, 5, 4))
	random(grey.Pix)
	colours := image.NewRGBA64(grey.Rect)
	for i := range 20 {
		colours.Set(i%5, i/5, grey.At(i%5, i/5))
	}
	nearNumbers(t, "grey as colours", upscaled(t, u, colours), numbers(upscaled(t, u, grey)))
}

// TestGrey: grey is shown as three equal colours, and the luma is taken.
func TestGrey(t *testing.T) {
	n := NewSRVGGNetCompact(rand.New(rand.NewPCG(3, 4)), 3, 6, 1, 2, PReLU)
	m := image.NewGray16(image.Rect(0, 0, 9, 7))
	random(m.Pix)
	y := greyOf(n.Forward(autograd.Constant(numbers(m)))).Data()
	nearNumbers(t, "grey", upscaled(t, opened(t, savedNetwork(t, n), Options{}), m), tensor.ConcatChannels(y, y, y))
}

// TestEnsemble compares with the mean of what a network makes of pictures that are flipped and turned
// one by one.
func TestEnsemble(t *testing.T) {
	n := NewSRVGGNetCompact(rand.New(rand.NewPCG(3, 4)), 3, 6, 1, 3, PReLU)
	for _, size := range []image.Point{{7, 5}, {6, 6}} {
		m := deep(size.X, size.Y)
		want := tensor.New(1, 3, 3*size.Y, 3*size.X)
		for i := range 8 {
			x := numbers(m)
			for _, f := range turns(i) {
				x = f(x)
			}
			y := n.Forward(autograd.Constant(x)).Data()
			back := turns(i)
			slices.Reverse(back)
			for _, f := range back {
				y = f(y)
			}
			for j, v := range y.Data() {
				want.Data()[j] += v / 8
			}
		}
		ticks := 0
		u := opened(t, savedNetwork(t, n), Options{Ensemble: true, Progress: func(done, total int) {
			if ticks++; done != ticks || total != 4*(size.X+size.Y) {
				t.Errorf("progress %d of %d, want %d of %d", done, total, ticks, 4*(size.X+size.Y))
			}
		}})
		nearNumbers(t, fmt.Sprint(size), upscaled(t, u, m), want)
		if want := 4 * (size.X + size.Y); ticks != want {
			t.Errorf("%d ticks, want %d", ticks, want)
		}
	}
}

// turns returns flips, each its own inverse.
func turns(i int) (all []func(*tensor.Tensor) *tensor.Tensor) {
	change := func(from func(h, w, y, x int) (y2, x2 int), transpose bool) func(x *tensor.Tensor) *tensor.Tensor {
		return func(t *tensor.Tensor) *tensor.Tensor {
			h, w := t.Dim(2), t.Dim(3)
			if transpose {
				h, w = w, h
			}
			out := tensor.New(1, 3, h, w)
			for c := range 3 {
				for y := range h {
					for x := range w {
						fy, fx := from(h, w, y, x)
						out.Data()[(c*h+y)*w+x] = t.Data()[(c*t.Dim(2)+fy)*t.Dim(3)+fx]
					}
				}
			}
			return out
		}
	}
	if i&1 != 0 {
		all = append(all, change(func(h, w, y, x int) (int, int) { return y, w - 1 - x }, false))
	}
	if i&2 != 0 {
		all = append(all, change(func(h, w, y, x int) (int, int) { return h - 1 - y, x }, false))
	}
	if i&4 != 0 {
		all = append(all, change(func(h, w, y, x int) (int, int) { return x, y }, true))
	}
	return all
}

// TestProgress wants each row of the picture to be told once.
func TestProgress(t *testing.T) {
	var told []int
	u := opened(t, BicubicName, Options{Scale: 3, Progress: func(done, total int) {
		told = append(told, done)
		if total != 4 {
			t.Errorf("%d rows in all, want 4", total)
		}
	}})
	upscaled(t, u, deep(5, 4))
	if !slices.Equal(told, []int{1, 2, 3, 4}) {
		t.Errorf("told %v, want 1 to 4", told)
	}
}

// TestGoroutines enlarges pictures of two sizes at once.
func TestGoroutines(t *testing.T) {
	var inside atomic.Int32
	u := opened(t, savedNetwork(t, trained(2)), Options{Progress: func(int, int) {
		if inside.Add(1) != 1 {
			t.Error("Progress was called while it was running")
		}
		runtime.Gosched()
		inside.Add(-1)
	}})
	pictures := []image.Image{deep(9, 7), deep(8, 11), kinds()["NRGBA"]}
	var want []image.Image
	for _, m := range pictures {
		want = append(want, upscaled(t, u, m))
	}
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			m, err := u.Upscale(t.Context(), pictures[i%3])
			if err != nil {
				t.Error(err)
				return
			}
			b := m.Bounds()
			for j := range b.Dx() * b.Dy() {
				if x, y := j%b.Dx(), j/b.Dx(); m.At(x, y) != want[i%3].At(x, y) {
					t.Errorf("picture %d: pixel %d,%d is %v, and %v when it is alone", i%3, x, y, m.At(x, y), want[i%3].At(x, y))
					return
				}
			}
		})
	}
	all.Wait()
}

// TestCancel wants the error of a context that is done, before and in the middle.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	u := opened(t, savedNetwork(t, trained(2)), Options{})
	m := deep(5, 40)
	rows := 0
	err := u.UpscaleRows(ctx, FormatOf(m), func(y int) (image.Image, error) {
		if rows++; y == 20 {
			cancel()
		}
		return m, nil
	}, func(image.Image) error { return nil })
	if !errors.Is(err, context.Canceled) || rows > 22 {
		t.Errorf("cancelled at row 20: error %v, %d rows were read", err, rows)
	}
	if _, err := u.Upscale(ctx, m); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: error %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	rows = 0
	err = u.UpscaleRows(ctx, FormatOf(m), func(int) (image.Image, error) { return m, nil }, func(image.Image) error {
		if rows++; rows == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || rows > 10 {
		t.Errorf("cancelled at row 3 of the result: error %v, %d rows were written", err, rows)
	}
	upscaled(t, u, m) // what was cancelled has left nothing behind
}

// TestSizes wants errors for pictures that cannot be, before any memory is taken.
func TestSizes(t *testing.T) {
	u := opened(t, BicubicName, Options{})
	for _, m := range []image.Image{
		image.NewGray(image.Rectangle{}), image.NewRGBA(image.Rect(0, 0, 5, 0)), custom{image.NewRGBA(image.Rect(3, 3, 3, 9))},
		image.White, custom{image.White}, custom{image.NewUniform(color.Gray{3})},
		sized(image.Rect(0, 0, 1<<30, 1)), sized(image.Rect(0, 0, 1<<20, 1<<20)),
		sized(image.Rectangle{image.Pt(math.MinInt, 0), image.Pt(math.MaxInt, 1)}), sized(image.Rectangle{image.Pt(5, 5), image.Pt(0, 0)}),
	} {
		want := "superres: expected a picture that is at most"
		if m.Bounds().Empty() {
			want = "superres: expected a picture with pixels"
		}
		if _, err := u.Upscale(t.Context(), m); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%T of %v: error %v", m, m.Bounds(), err)
		}
		if err := u.UpscaleTo(t.Context(), m, func(image.Image) error { return nil }); err == nil {
			t.Errorf("%T of %v: no error", m, m.Bounds())
		}
	}
	// Those that are too wide for a network, or too large for one that sees all of it.
	features := func(context.Context, *tensor.Tensor) (*tensor.Tensor, error) { return nil, errors.New("not asked for") }
	rng := rand.New(rand.NewPCG(3, 4))
	n := savedNetwork(t, NewSRVGGNetCompact(rng, 3, 6, 1, 4, PReLU))
	for _, c := range []struct {
		u    *Upscaler
		w, h int
		want string
	}{
		{opened(t, n, Options{}), 1 << 20, 1, "expected rows of at most"},
		{opened(t, n, Options{Ensemble: true}), 1, 1 << 20, "expected rows of at most"},
		{opened(t, savedNetwork(t, NewSuperResNetWithCLIP(rng, 8)), Options{Scale: 4, Features: features}), 3000, 2000, "expected at most 4 megapixels"},
	} {
		if err := c.u.UpscaleRows(t.Context(), Format{Bounds: image.Rect(0, 0, c.w, c.h)}, nil, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %d×%d pixels: error %v, want %q", c.u, c.w, c.h, err, c.want)
		}
	}
}

// sized is a grey picture of any size.
type sized image.Rectangle

func (s sized) Bounds() image.Rectangle { return image.Rectangle(s) }
func (sized) ColorModel() color.Model   { return color.GrayModel }
func (sized) At(x, y int) color.Color   { return color.Gray{9} }
func (sized) Opaque() bool              { return true }

// TestMemory: what a picture takes is known before it is taken.
func TestMemory(t *testing.T) {
	defer func(f func() (int64, string)) { freeMemory = f }(freeMemory)
	freeMemory = func() (int64, string) { return 90e6, memory.Machine }
	u := opened(t, BicubicName, Options{Scale: 8})
	big := sized(image.Rect(0, 0, 2000, 1000))
	if _, err := u.Upscale(t.Context(), big); err == nil || !strings.Contains(err.Error(), "expected 128 MB of free memory, found 90 MB of the machine; write it as it is computed, with UpscaleTo") {
		t.Errorf("a result of 128 MB: error %v", err)
	}
	freeMemory = func() (int64, string) { return 0, memory.Unknown }
	if err := checkFree(1<<40, "what nobody knows"); err != nil {
		t.Error(err)
	}
	small := opened(t, BicubicName, Options{Memory: 10})
	if _, err := small.Upscale(t.Context(), deep(5, 5)); err == nil || !strings.Contains(err.Error(), "allowed are 10") {
		t.Errorf("Options.Memory of 10 bytes: error %v", err)
	}
	// What keeps the whole picture takes nothing for one that is refused.
	freeMemory = func() (int64, string) { return 90e6, memory.Machine }
	features := func(context.Context, *tensor.Tensor) (*tensor.Tensor, error) { return nil, errors.New("not asked for") }
	for name, u := range map[string]*Upscaler{
		"an ensemble":             opened(t, BicubicName, Options{Ensemble: true}),
		"a network with features": opened(t, savedNetwork(t, NewSuperResNetWithCLIP(rand.New(rand.NewPCG(3, 4)), 8)), Options{Features: features}),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := u.UpscaleRows(t.Context(), Format{Bounds: image.Rect(0, 0, 3000, 2500)}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), "found 90 MB") {
			t.Errorf("%s of 7.5 megapixels: error %v", name, err)
		}
		if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 64<<20 {
			t.Errorf("%s of 7.5 megapixels took %d MB before it was refused", name, (after.TotalAlloc-before.TotalAlloc)>>20)
		}
	}
}

// TestUpscaleRows: errors of the caller's functions come back, and what they return is looked at.
func TestUpscaleRows(t *testing.T) {
	u := opened(t, BicubicName, Options{})
	m := deep(5, 4)
	mine := errors.New("mine")
	same := func(int) (image.Image, error) { return m, nil }
	keep := func(image.Image) error { return nil }
	if err := u.UpscaleRows(t.Context(), FormatOf(m), func(y int) (image.Image, error) { return nil, mine }, keep); !errors.Is(err, mine) {
		t.Errorf("of read: %v", err)
	}
	if err := u.UpscaleRows(t.Context(), FormatOf(m), same, func(image.Image) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("of write: %v", err)
	}
	f := FormatOf(m)
	f.Bounds.Max.X++
	if err := u.UpscaleRows(t.Context(), f, same, keep); err == nil || !strings.Contains(err.Error(), "expected row 0") {
		t.Errorf("a row that is too short: error %v", err)
	}
	f = FormatOf(m)
	var asked []int
	err := u.UpscaleRows(t.Context(), f, func(y int) (image.Image, error) {
		asked = append(asked, y)
		return m.SubImage(image.Rect(0, y, 5, y+1)), nil
	}, keep)
	if err != nil || !slices.Equal(asked, []int{0, 1, 2, 3}) {
		t.Errorf("rows %v were asked for, %v; want each once", asked, err)
	}
}

// TestUpscaleTo compares what encoders make of rows with what they make of the whole picture.
func TestUpscaleTo(t *testing.T) {
	u := opened(t, savedNetwork(t, trained(3)), Options{})
	for name, m := range kinds() {
		if strings.HasPrefix(name, "custom") {
			continue
		}
		for kind, encode := range map[string]func(w io.Writer, m image.Image) error{
			"png":  png.Encode,
			"jpeg": func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) },
		} {
			whole := upscaled(t, u, m)
			if _, grey := whole.(*image.Gray); grey && kind == "jpeg" {
				continue // image/jpeg writes grey files of an *image.Gray alone
			}
			var want, got bytes.Buffer
			if err := encode(&want, whole); err != nil {
				t.Fatal(err)
			}
			if err := u.UpscaleTo(t.Context(), m, func(larger image.Image) error { return encode(&got, larger) }); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%s, %s: another file of %d bytes than Upscale's of %d", name, kind, got.Len(), want.Len())
			}
		}
	}
}

// TestUpscaleToErrors: what encode returns comes back, and it ends when a row cannot be had.
func TestUpscaleToErrors(t *testing.T) {
	u := opened(t, BicubicName, Options{})
	m := deep(5, 40)
	mine := errors.New("mine")
	if err := u.UpscaleTo(t.Context(), m, func(image.Image) error { return mine }); err != mine {
		t.Errorf("error %v, want that of encode", err)
	}
	if err := u.UpscaleTo(t.Context(), m, func(larger image.Image) error { larger.At(0, 3); return nil }); err != nil {
		t.Errorf("an encoder that stops: error %v", err)
	}
	err := u.UpscaleTo(t.Context(), m, func(larger image.Image) error {
		if c := larger.At(-1, 500); c != color.Transparent {
			t.Errorf("outside is %v", c)
		}
		larger.At(0, 79)
		larger.At(0, 79-lazyRows+1)
		larger.At(0, 79-lazyRows)
		t.Error("a row that is gone was there")
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "found row 47 after row 79") {
		t.Errorf("from the bottom to the top: error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = u.UpscaleTo(ctx, m, func(larger image.Image) error {
		larger.At(0, 3)
		cancel()
		larger.At(0, 79)
		t.Error("a row that was not computed was there")
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
	defer func() {
		if r := recover(); r != "the encoder's" {
			t.Errorf("a panic of the encoder became %v", r)
		}
	}()
	u.UpscaleTo(t.Context(), m, func(image.Image) error { panic("the encoder's") })
}

// TestFeatures enlarges with networks that lean on a frozen one. VGG16's halves pictures, so that an
// odd side is one longer, with its last pixels twice, and the result is cropped.
func TestFeatures(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		m        Model
		of       Features
		channels int
		shape    func(h, w int) []int
	}{
		{NewSuperResNetWithVGG(rng, 128), VGGFeatures, 128, func(h, w int) []int { return []int{1, 128, h / 2, w / 2} }},
		{NewSuperResNetWithVGG(rng, 64), VGGFeatures, 64, func(h, w int) []int { return []int{1, 64, h, w} }},
		{NewSuperResNetWithCLIP(rng, 8), CLIPFeatures, 8, func(int, int) []int { return []int{1, 8} }},
	} {
		see := func(x *tensor.Tensor) *tensor.Tensor {
			f := recipe.Pixels(int(1000*x.Data()[0]), c.shape(x.Dim(2), x.Dim(3))...)
			return f
		}
		mine := errors.New("mine")
		fail, wrong := false, false
		path := savedNetwork(t, c.m)
		for _, scale := range []int{2, 4} {
			fail, wrong = false, false
			u := opened(t, path, Options{Scale: scale, Features: func(_ context.Context, photo *tensor.Tensor) (*tensor.Tensor, error) {
				switch {
				case fail:
					return nil, mine
				case wrong:
					return tensor.New(1, 2, 3, 4), nil
				}
				return see(photo), nil
			}})
			if u.Features() != c.of || u.FeatureChannels() != c.channels {
				t.Errorf("%s leans on %d channels of %s, want %d of %s", u, u.FeatureChannels(), u.Features(), c.channels, c.of)
			}
			m := deep(7, 5)
			x := numbers(m)
			if c.of == VGGFeatures {
				x = numbers(continued(m))
			}
			out := c.m.Forward(Input{autograd.Constant(x), autograd.Constant(see(x))})
			y := out.Mid.Data()
			if scale == 4 {
				y = out.Large.Data()
			}
			nearNumbers(t, u.String(), upscaled(t, u, m), tensor.Crop(y, scale*5, scale*7))
			grey := image.NewGray16(image.Rect(0, 0, 4, 2))
			random(grey.Pix)
			upscaled(t, u, grey)
			upscaled(t, u, kinds()["NRGBA"])
			fail = true
			if _, err := u.Upscale(t.Context(), m); !errors.Is(err, mine) {
				t.Errorf("%s: error %v, want that of Features", u, err)
			}
			fail, wrong = false, true
			if _, err := u.Upscale(t.Context(), m); err == nil || !strings.Contains(err.Error(), "found [1 2 3 4]") {
				t.Errorf("%s: features of another shape: error %v", u, err)
			}
		}
		if _, err := opened(t, path, Options{}).Upscale(t.Context(), deep(4, 4)); err == nil || !strings.Contains(err.Error(), "expected Options.Features") {
			t.Errorf("%s: without features: error %v", c.of, err)
		}
	}
}

// continued returns m with even sides.
func continued(m *image.RGBA64) image.Image {
	q := image.NewRGBA64(image.Rect(0, 0, roundUp(m.Rect.Dx(), 2), roundUp(m.Rect.Dy(), 2)))
	for y := range q.Rect.Dy() {
		for x := range q.Rect.Dx() {
			q.Set(x, y, m.At(min(x, m.Rect.Dx()-1), min(y, m.Rect.Dy()-1)))
		}
	}
	return q
}
