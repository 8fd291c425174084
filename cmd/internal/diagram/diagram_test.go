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
		"global": {
			"photograph → bicubic ×2: 3×72×72",
			"photograph → conv1 + relu: 3×72×72",
			"up2 (bilinear ×2) → residual: 64×144×144",
			"bicubic ×2 → add: 3×144×144",
			"residual → add: 3×144×144",
			"add → prediction 144×144: 3×144×144",
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
		checkWays(t, name, d, true)
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

// TestPlaces: the drawings are laid out as people draw such networks.
func TestPlaces(t *testing.T) {
	box := func(model, first string) report.Box {
		a, err := superres.Find(model)
		if err != nil {
			t.Fatal(err)
		}
		_, d := draw(a)
		i := slices.IndexFunc(d.Boxes, func(b report.Box) bool { return b.Lines[0] == first })
		if i < 0 {
			t.Fatalf("%s: no box %q", model, first)
		}
		return d.Boxes[i]
	}
	left, middle, right, concat := box("dilated", "block1.conv1 + relu"), box("dilated", "block1.conv2 + relu"), box("dilated", "block1.conv4 + relu"), box("dilated", "concat")
	if !(left.X < middle.X && middle.X == concat.X && middle.X < right.X && left.Y == right.Y && right.Y == middle.Y && middle.Y < concat.Y) {
		t.Errorf("the convolutions of a dilated block are at %v, %v, %v, the concatenation at %v: want them side by side over it", left, middle, right, concat)
	}
	if mid := box("dilated", "conv_mid + sigmoid"); mid.X < right.X {
		t.Errorf("what makes the smaller prediction is at %v: want it right of %v, where it is in nobody's way", mid, right)
	}
	if first, last := box("residual", "photograph"), box("residual", "prediction 288×288"); first.X != last.X {
		t.Errorf("the trunk begins at %g and ends at %g, want a straight line", first.X, last.X)
	}
	if skip, mid := box("residual", "block3.conv1 + relu"), box("residual", "conv_mid + sigmoid"); mid.X-mid.Width/2 < skip.X+skip.Width/2+40 {
		t.Errorf("what makes the smaller prediction is at %v: want it beyond the shortcut around %v", mid, skip)
	}
	if clip, conv1 := box("clip", "CLIP's embeddings"), box("clip", "conv1 + relu"); clip.Y < conv1.Y-20 || clip.X < conv1.X {
		t.Errorf("the features are at %v: want them right of the trunk and near their reader, below %v", clip, conv1)
	}
}

// odd has what the networks have not: a ReLU of what is read twice, of an input and of an
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

// TestRandomNetworks: in networks of the kinds that there are, shortcuts, parallel branches and
// outputs on the way, no arrow passes a box.
func TestRandomNetworks(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var g graph
		after := func(before *vertex, name string) *vertex {
			v := g.add("fixed", strings.Repeat(name, 1+rng.IntN(5)))
			g.connect(before, v, "512×1024×1024")
			return v
		}
		chain := func(v *vertex, n int) *vertex {
			for range n {
				v = after(v, "chain ")
			}
			return v
		}
		var grow func(v *vertex, depth int) *vertex
		grow = func(v *vertex, depth int) *vertex {
			for range 1 + rng.IntN(3) {
				switch kind := rng.IntN(4); {
				case kind == 0 && depth > 0: // a shortcut
					inner := grow(after(v, "conv "), depth-1)
					sum := after(v, "add ")
					g.connect(inner, sum, "64×72×72")
					v = sum
				case kind == 1: // parallel branches
					var ends []*vertex
					for range 2 + rng.IntN(3) {
						ends = append(ends, chain(v, 1+rng.IntN(3)))
					}
					v = g.add("fixed", "concat")
					for _, e := range ends {
						g.connect(e, v, "64×72×72")
					}
				case kind == 2: // an output on the way
					chain(v, 1+rng.IntN(4))
					v = after(v, "up ")
				default:
					v = after(v, "box ")
				}
			}
			return v
		}
		chain(grow(g.add("input", "input"), 2), 5) // the longest path ends where the network does
		d := g.layout()
		name := fmt.Sprintf("network %d", seed)
		check(t, name, d)
		checkWays(t, name, d, false)
		if t.Failed() {
			return
		}
	}
}

// TestOrder: shorter arrows are nearer to the trunk, and of two ends the last one is the trunk's.
func TestOrder(t *testing.T) {
	var g graph
	var boxes []*vertex
	for i := range 6 {
		boxes = append(boxes, g.add("fixed", fmt.Sprint("box ", i)))
		if i > 0 {
			g.connect(boxes[i-1], boxes[i], "64")
		}
	}
	g.connect(boxes[0], boxes[5], "long")
	g.connect(boxes[1], boxes[4], "shorter")
	g.connect(boxes[1], boxes[3], "short")
	for range 2 {
		g.connect(boxes[5], g.add("output", fmt.Sprint("output ", len(g.vertices))), "1")
	}
	x := map[string]float64{}
	d := g.layout()
	for _, a := range d.Arrows {
		x[a.Label] = a.X
	}
	if !(x["short"] < x["shorter"] && x["shorter"] < x["long"]) {
		t.Errorf("the arrows are at %v: want the shorter ones farther left", x)
	}
	if b := d.Boxes; b[7].X != b[0].X || b[6].X <= b[0].X {
		t.Errorf("the outputs are at %g and %g, want the second one at %g and the other to the right", b[6].X, b[7].X, b[0].X)
	}
}

// TestCorner: nothing lies in the way of an arrow that comes back to the trunk, or in its corner.
func TestCorner(t *testing.T) {
	for k, of := range []string{"a", "b"} {
		var g graph
		in, a, b := g.add("input", "input"), g.add("fixed", "a"), g.add("fixed", "b")
		output, concat := g.add("output", "the output of "+of), g.add("fixed", "concat")
		end := g.add("output", "end")
		for _, e := range [][2]*vertex{{in, a}, {in, b}, {[]*vertex{a, b}[k], output}, {a, concat}, {b, concat}, {concat, end}} {
			g.connect(e[0], e[1], "64×72×72")
		}
		d := g.layout()
		check(t, "the output of "+of, d)
		checkWays(t, "the output of "+of, d, false)
	}
}

// TestNarrow: boxes are as far from each other as the shapes between them need.
func TestNarrow(t *testing.T) {
	var g graph
	in := g.add("input", "x")
	var all []*vertex
	for range 5 {
		all = append(all, g.add("fixed", "f"))
		g.connect(in, all[len(all)-1], "512×1024×1024")
	}
	sum := g.add("fixed", "+")
	for _, v := range all {
		g.connect(v, sum, "512×1024×1024")
	}
	d := g.layout()
	check(t, "narrow", d)
	checkWays(t, "narrow", d, true)
}

// checkWays looks whether an arrow passes a box or meets another where that one begins, and
// whether a label lies over anything; over an arrow it may in others than those of superres.
func checkWays(t *testing.T, name string, d *report.Diagram, ours bool) {
	t.Helper()
	for i, a := range d.Arrows {
		end := a.Points[len(a.Points)-1]
		width, height := 0.5*report.DetailSize*float64(len([]rune(a.Label))), 0.7*report.DetailSize
		under := func(x, y, w, h float64) bool { // whether the label is over what is there
			return a.X < x+w && x < a.X+width && a.Y-height < y+h && y < a.Y
		}
		for _, b := range d.Boxes {
			if under(b.X-b.Width/2, b.Y-b.Height/2, b.Width, b.Height) {
				t.Errorf("%s: label %s is over box %q", name, a.Label, b.Lines[0])
			}
		}
		for j, o := range d.Arrows {
			if math.Hypot(end[0]-o.Points[0][0], end[1]-o.Points[0][1]) < 4 {
				t.Errorf("%s: an arrow %s begins where an arrow %s ends, at %.1f", name, o.Label, a.Label, end)
			}
			if i != j && under(o.X, o.Y-height, 0.5*report.DetailSize*float64(len([]rune(o.Label))), height) {
				t.Errorf("%s: labels %s and %s overlap at %.1f, %.1f", name, a.Label, o.Label, a.X, a.Y)
			}
			for _, p := range along(o) {
				if ours && under(p[0], p[1], 0, 0) {
					t.Errorf("%s: label %s is over an arrow at %.1f", name, a.Label, p)
				}
			}
		}
	}
	for _, arrow := range d.Arrows {
		for _, p := range along(arrow) {
			for _, b := range d.Boxes {
				if math.Abs(p[0]-b.X) < b.Width/2-0.2 && math.Abs(p[1]-b.Y) < b.Height/2-0.2 {
					t.Errorf("%s: an arrow %s passes box %q at %.1f", name, arrow.Label, b.Lines[0], p)
				}
			}
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
