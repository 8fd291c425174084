package diagram

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/nn"
	"pixelgrad/tensor"
	"pixelgrad/vision/superres"
)

// draw draws a new model of an architecture for photographs of 72×72.
func draw(a superres.Architecture) (superres.Model, *report.Diagram) {
	m := a.New(rand.New(rand.NewPCG(1, 2)))
	in := superres.Input{Photo: autograd.Placeholder(16, 3, 72, 72)}
	features := ""
	switch a.Features {
	case superres.VGGFeatures:
		in.Features, features = autograd.Placeholder(16, 128, 36, 36), "VGG16's relu2_2"
	case superres.CLIPFeatures:
		in.Features, features = autograd.Placeholder(16, 512), "CLIP's embeddings"
	}
	return m, Of(m, in, features)
}

// TestNetworks: what the drawings say is what the networks are.
func TestNetworks(t *testing.T) {
	for name, want := range map[string][]string{
		"superresnet": {
			"photograph → conv1 + relu: 3×72×72",
			"conv1 + relu → conv2 + relu: 64×72×72",
			"conv2 + relu → up2 (bilinear ×2): 64×72×72",
			"up2 (bilinear ×2) → conv3 + sigmoid: 64×144×144",
			"conv3 + sigmoid → prediction 144×144: 3×144×144",
		},
		"multi": {
			"up2 (bilinear ×2) → conv_mid + sigmoid: 64×144×144",
			"up2 (bilinear ×2) → up2 (bilinear ×2): 64×144×144",
			"up2 (bilinear ×2) → conv_large + sigmoid: 64×288×288",
		},
		"residual": {
			"conv1 + relu → block1.conv1 + relu: 32×72×72",
			"conv1 + relu → add + relu: 32×72×72",
			"block1.conv1 + relu → block1.conv2: 32×72×72",
			"block1.conv2 → add + relu: 32×72×72",
			"add + relu → add + relu: 32×72×72",
			"add + relu → up2 (bilinear ×2): 32×72×72",
		},
		"dilated": {
			"conv1 + relu → block1.conv2 + relu: 32×72×72",
			"block1.conv4 + relu → concat: 32×72×72",
			"concat → block1.fuse + relu: 96×72×72",
			"concat → block3.fuse + relu: 96×144×144",
		},
		"vgg": {
			"VGG16's relu2_2 → up2 (bilinear ×2): 128×36×36",
			"conv2 + relu → concat: 64×72×72",
			"up2 (bilinear ×2) → concat: 128×72×72",
			"concat → merge + relu: 192×72×72",
		},
		"clip": {
			"CLIP's embeddings → expand to 72×72: 512",
			"expand to 72×72 → concat: 512×72×72",
			"concat → merge + relu: 576×72×72",
		},
	} {
		a, err := superres.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		m, d := draw(a)
		got := arrows(t, name, d)
		outputs := []string{"→ prediction 144×144: 3×144×144", "→ prediction 288×288: 3×288×288"}[:a.Outputs]
		for _, w := range append(want, outputs...) {
			if !slices.ContainsFunc(got, func(g string) bool { return strings.HasSuffix(g, w) }) {
				t.Errorf("%s: no arrow %q among\n%s", name, w, strings.Join(got, "\n"))
			}
		}
		if name == "superresnet" && len(got) != len(want) {
			t.Errorf("%s: %d arrows, want %d", name, len(got), len(want))
		}
		if n := parameters(t, d); n != nn.Count(m) {
			t.Errorf("%s: the boxes have %d parameters, want %d", name, n, nn.Count(m))
		}
		check(t, name, d)
		for _, arrow := range d.Arrows {
			for _, p := range along(arrow) {
				for _, b := range d.Boxes {
					if math.Abs(p[0]-b.X) < b.Width/2-0.2 && math.Abs(p[1]-b.Y) < b.Height/2-0.2 {
						t.Errorf("%s: an arrow %s passes box %q at %.1f", name, arrow.Label, b.Lines[0], p)
					}
				}
			}
		}
		if d.Width > 800 || d.Height > 1100 {
			t.Errorf("%s: %g×%g pixels: too large to be read", name, d.Width, d.Height)
		}
		if _, again := draw(a); !reflect.DeepEqual(d, again) {
			t.Errorf("%s: drawn again, it is another drawing", name)
		}
	}
}

// TestBoxes: lines of boxes that have something to say beside the name.
func TestBoxes(t *testing.T) {
	for name, want := range map[string][]string{
		"superresnet": {"trained: conv1 + relu, conv 3×3, 3→64, 1,792 parameters", "trained: conv3 + sigmoid, conv 1×1, 64→3, 195 parameters", "input: photograph", "output: prediction 144×144"},
		"residual":    {"trained: block1.conv2, conv 3×3, 32→32, 9,248 parameters", "fixed: add + relu"},
		"dilated":     {"trained: block3.conv4 + relu, conv 3×3, 32→32, dilation 4, 9,248 parameters", "fixed: concat"},
		"vgg":         {"input: VGG16's relu2_2, 128×36×36, frozen"},
		"clip":        {"input: CLIP's embeddings, 512, frozen", "fixed: expand to 72×72"},
	} {
		a, err := superres.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		_, d := draw(a)
		var got []string
		for _, b := range d.Boxes {
			got = append(got, b.Kind+": "+strings.Join(b.Lines, ", "))
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: no box %q among\n%s", name, w, strings.Join(got, "\n"))
			}
		}
	}
}

// odd has what the six networks have not: a ReLU of what is read twice, of an input and of an
// output, an operation without a word, and a parameter that is no layer's.
type odd struct{ shift *autograd.Value }

func (m odd) Parameters() []nn.Parameter { return []nn.Parameter{{Name: "shift", Value: m.shift}} }

func (m odd) Forward(in superres.Input) superres.Output {
	x := autograd.ReLU(in.Photo)
	y := autograd.Add(x, m.shift)
	mid := autograd.Add(autograd.ReLU(y), autograd.Scale(2, y))
	return superres.Output{Mid: mid, Large: autograd.Sigmoid(mid)}
}

func TestOdd(t *testing.T) {
	m := odd{autograd.Parameter(tensor.New(1, 3, 8, 8))}
	d := Of(m, superres.Input{Photo: autograd.Placeholder(1, 3, 8, 8)}, "")
	want := []string{
		"photograph → relu: 3×8×8", "relu → add: 3×8×8", "add → relu: 3×8×8", "add → scale: 3×8×8", "relu → add: 3×8×8", "scale → add: 3×8×8",
		"add → prediction 8×8: 3×8×8", "add → sigmoid: 3×8×8", "sigmoid → prediction 8×8: 3×8×8",
	}
	got := arrows(t, "odd", d)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("arrows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := parameters(t, d); n != 192 {
		t.Errorf("the boxes have %d parameters, want 192", n)
	}
	check(t, "odd", d)
}

// TestRandomGraphs: whatever the graph, boxes do not overlap and arrows meet them.
func TestRandomGraphs(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var g graph
		n := 2 + rng.IntN(20)
		read := 0
		for i := range n {
			v := g.add("fixed", fmt.Sprintf("box %d", i), strings.Repeat("w", rng.IntN(20)))
			for range min(i, rng.IntN(4)) {
				g.connect(g.vertices[i-1-rng.IntN(min(i, 5))], v, fmt.Sprint(seed*uint64(i)))
				read++
			}
		}
		d := g.layout()
		if len(d.Boxes) != n || len(d.Arrows) != read {
			t.Fatalf("graph %d: %d boxes and %d arrows, want %d and %d", seed, len(d.Boxes), len(d.Arrows), n, read)
		}
		check(t, fmt.Sprintf("graph %d", seed), d)
		if t.Failed() {
			return
		}
	}
}

// check looks at what every drawing must be.
func check(t *testing.T, name string, d *report.Diagram) {
	t.Helper()
	inside := func(x, y float64) bool { return x >= 0 && y >= 0 && x <= d.Width && y <= d.Height }
	for i, b := range d.Boxes {
		if !inside(b.X-b.Width/2, b.Y-b.Height/2) || !inside(b.X+b.Width/2, b.Y+b.Height/2) {
			t.Errorf("%s: box %q is outside of the drawing", name, b.Lines)
		}
		for _, c := range d.Boxes[:i] {
			if math.Abs(b.X-c.X) < (b.Width+c.Width)/2 && math.Abs(b.Y-c.Y) < (b.Height+c.Height)/2 {
				t.Errorf("%s: boxes %q and %q overlap", name, b.Lines, c.Lines)
			}
		}
		for k, line := range b.Lines {
			em := 0.5 * report.DetailSize // what a character takes in Helvetica, about
			if k == 0 {
				em = 0.56 * report.NameSize
			}
			if width := em * float64(len([]rune(line))); width > b.Width-8 {
				t.Errorf("%s: %q takes about %.0f of %.0f pixels", name, line, width, b.Width)
			}
		}
		if h := report.LineHeight * float64(len(b.Lines)); h > b.Height-4 {
			t.Errorf("%s: %d lines take %.0f of %.0f pixels", name, len(b.Lines), h, b.Height)
		}
	}
	arrows(t, name, d)
	for _, a := range d.Arrows {
		for _, p := range along(a) {
			if !inside(p[0], p[1]) {
				t.Errorf("%s: an arrow leaves the drawing at %.1f", name, p)
			}
		}
		if !inside(a.X+0.5*report.DetailSize*float64(len([]rune(a.Label))), a.Y) {
			t.Errorf("%s: label %q at %.1f, %.1f is outside of the drawing", name, a.Label, a.X, a.Y)
		}
	}
}

// arrows writes each arrow with the names of the boxes on whose borders it begins and ends.
func arrows(t *testing.T, name string, d *report.Diagram) []string {
	t.Helper()
	at := func(p [2]float64) string {
		for _, b := range d.Boxes {
			dx, dy := math.Abs(p[0]-b.X)-b.Width/2, math.Abs(p[1]-b.Y)-b.Height/2
			if max(dx, dy) < 0.3 && max(dx, dy) > -0.3 {
				return b.Lines[0]
			}
		}
		t.Errorf("%s: an arrow begins or ends at %.1f, where no box has its border", name, p)
		return "?"
	}
	var all []string
	for _, a := range d.Arrows {
		if len(a.Points)%3 != 1 || len(a.Points) < 4 {
			t.Errorf("%s: an arrow of %d control points: want 3·n + 1", name, len(a.Points))
			continue
		}
		all = append(all, at(a.Points[0])+" → "+at(a.Points[len(a.Points)-1])+": "+a.Label)
	}
	return all
}

// along returns points on an arrow.
func along(a report.Arrow) [][2]float64 {
	var all [][2]float64
	for i := 0; i+3 < len(a.Points); i += 3 {
		p := a.Points[i:]
		for k := range 21 {
			s := float64(k) / 20
			var q [2]float64
			for c := range 2 {
				q[c] = (1-s)*(1-s)*(1-s)*p[0][c] + 3*(1-s)*(1-s)*s*p[1][c] + 3*(1-s)*s*s*p[2][c] + s*s*s*p[3][c]
			}
			all = append(all, q)
		}
	}
	return all
}

var counted = regexp.MustCompile(`^([0-9,]+) parameters$`)

// parameters adds up what the boxes say.
func parameters(t *testing.T, d *report.Diagram) int {
	t.Helper()
	sum := 0
	for _, b := range d.Boxes {
		for _, line := range b.Lines {
			if m := counted.FindStringSubmatch(line); m != nil {
				n, err := strconv.Atoi(strings.ReplaceAll(m[1], ",", ""))
				if err != nil || b.Kind != "trained" {
					t.Errorf("a box of kind %s says %q", b.Kind, line)
				}
				sum += n
			}
		}
	}
	return sum
}
