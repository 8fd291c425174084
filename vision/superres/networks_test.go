package superres

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/autograd/compile"
	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
	"pixelgrad/tensor/safetensors"
	"pixelgrad/tensor/weightfile"
)

// A networkCase is a network of testdata/golden/networks.py.
type networkCase struct {
	name     string
	network  Network
	shape    []int // of the picture
	geometry Geometry
}

// networkCases returns the networks, with the weights that the Python script gives them.
func networkCases() []networkCase {
	compact := func(channels, features, convs, scale int, act Activation) Network {
		return NewSRVGGNetCompact(rand.New(rand.NewPCG(0, 0)), channels, features, convs, scale, act)
	}
	rrdb := func(channels, features, blocks, doublings, unshuffle int) Network {
		return NewRRDBNet(rand.New(rand.NewPCG(0, 0)), RRDBSizes{channels, features, 32, blocks, doublings, unshuffle})
	}
	cases := []networkCase{
		{"compact x4", compact(3, 16, 2, 4, PReLU), []int{2, 3, 35, 51}, Geometry{4, 3, 4, 1}},
		{"compact x2", compact(3, 16, 1, 2, PReLU), []int{1, 3, 101, 67}, Geometry{2, 3, 3, 1}},
		{"compact x3 of luma", compact(1, 6, 3, 3, PReLU), []int{1, 1, 8, 5}, Geometry{3, 1, 5, 1}},
		{"compact x1", compact(3, 5, 0, 1, PReLU), []int{1, 3, 1, 1}, Geometry{1, 3, 2, 1}},
		{"compact relu", compact(3, 8, 1, 2, ReLU), []int{1, 3, 7, 6}, Geometry{2, 3, 3, 1}},
		{"compact leakyrelu", compact(3, 8, 1, 2, LeakyReLU), []int{1, 3, 7, 6}, Geometry{2, 3, 3, 1}},
		{"rrdb x4", rrdb(3, 16, 2, 2, 1), []int{1, 3, 35, 51}, Geometry{4, 3, 34, 1}},
		{"rrdb x2plus", rrdb(3, 16, 1, 2, 2), []int{2, 3, 35, 51}, Geometry{2, 3, 39, 2}},
		{"rrdb x2plus even", rrdb(3, 8, 1, 2, 2), []int{1, 3, 6, 8}, Geometry{2, 3, 39, 2}},
		{"rrdb x1 unshuffled", rrdb(3, 8, 1, 2, 4), []int{1, 3, 9, 6}, Geometry{1, 3, 79, 4}},
		{"rrdb x2", rrdb(3, 8, 1, 1, 1), []int{1, 3, 5, 4}, Geometry{2, 3, 19, 1}},
		{"rrdb x8 of luma", rrdb(1, 4, 1, 3, 1), []int{1, 1, 3, 5}, Geometry{8, 1, 19, 1}},
	}
	for _, c := range cases {
		recipe.FillWeights(c.network, 0)
	}
	return cases
}

// predict runs a network as a compiled program.
func predict(t *testing.T, n Network, x *tensor.Tensor) *tensor.Tensor {
	t.Helper()
	p, err := compile.Predict(n.Forward, autograd.Constant(x), compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Run(autograd.Constant(x)).Data()
}

// TestNetworksGolden compares published networks with spandrel: the results on the plain tape and
// compiled, of networks that are made and of those that Recognize makes of a file with spandrel's
// names; and all gradients.
func TestNetworksGolden(t *testing.T) {
	file := golden.Open(t, "networks")
	for _, c := range networkCases() {
		t.Run(c.name, func(t *testing.T) {
			if got := c.network.Geometry(); got != c.geometry {
				t.Errorf("geometry %+v, want %+v", got, c.geometry)
			}
			x := autograd.Parameter(recipe.Pixels(70, c.shape...))
			y := c.network.Forward(x)
			check := func(y *tensor.Tensor) { t.Helper(); checkSample(t, file, c.name+"/y", y, 1e-5, 1e-5) }
			check(y.Data())
			check(predict(t, c.network, x.Data()))
			y.BackwardFrom(recipe.Numbers(71, y.Shape()...))
			// Where an activation is almost 0, rounding decides about its slope, and one of many is
			// enough to move a gradient a little.
			close := func(name string, got *tensor.Tensor, most int) {
				t.Helper()
				norm, err := file.Tensor(name + "/norm")
				if err != nil {
					t.Fatal(err)
				}
				typical := float64(norm.Data()[0]) / math.Sqrt(float64(got.Len()))
				checkSampleOf(t, file, name, got, most, 1e-3, 0.03*typical, 1e-3)
			}
			close(c.name+"/dx", x.Grad(), 4000)
			for i, p := range c.network.Parameters() {
				close(fmt.Sprintf("%s/d%d", c.name, i), p.Grad(), 200)
			}
			names := strings.Fields(file.Metadata()["names of "+c.name])
			if len(names) != len(c.network.Parameters()) {
				t.Fatalf("%d parameters, spandrel has %d", len(c.network.Parameters()), len(names))
			}
			if strings.HasSuffix(c.name, "relu") {
				return // what they are cannot be told from the tensors
			}
			found, err := recognize(t, weightsOf(c.network, names))
			if err != nil {
				t.Fatal(err)
			}
			if found.String() != c.network.String() || found.Geometry() != c.geometry {
				t.Errorf("recognized as %v, %+v, want %v, %+v", found, found.Geometry(), c.network, c.geometry)
			}
			check(predict(t, found, x.Data()))
		})
	}
}

// weightsOf returns the parameters of a network under the given names.
func weightsOf(n Network, names []string) []safetensors.Named {
	var all []safetensors.Named
	for i, p := range n.Parameters() {
		all = append(all, safetensors.Named{Name: names[i], Tensor: p.Data()})
	}
	return all
}

// recognize writes tensors to a file in memory and has it recognized.
func recognize(t *testing.T, tensors []safetensors.Named) (Network, error) {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, tensors, nil); err != nil {
		t.Fatal(err)
	}
	f, err := weightfile.Read("test", bytes.NewReader(b.Bytes()), int64(b.Len()), weightfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return Recognize("test.safetensors", f)
}

// parameterNames returns the names that a network gives its parameters.
func parameterNames(n Network) []string {
	var names []string
	for _, p := range n.Parameters() {
		names = append(names, p.Name)
	}
	return names
}

// TestRecognizeNames wants the same network from its own names, those of BSRGAN, and behind those
// of a training module.
func TestRecognizeNames(t *testing.T) {
	bsrgan := strings.NewReplacer("body.", "RRDB_trunk.", "rdb", "RDB", "conv_body", "trunk_conv", "conv_up", "upconv", "conv_hr", "HRconv")
	for _, c := range networkCases() {
		if strings.HasSuffix(c.name, "relu") {
			continue
		}
		own := parameterNames(c.network)
		kinds := map[string][]string{"own": own}
		prefixed := slices.Clone(own)
		for i := range prefixed {
			prefixed[i] = "module.model." + prefixed[i]
		}
		kinds["prefixed"] = prefixed
		if strings.HasPrefix(c.name, "rrdb") {
			others := slices.Clone(own)
			for i := range others {
				others[i] = bsrgan.Replace(others[i])
			}
			kinds["BSRGAN"] = others
		}
		for kind, names := range kinds {
			found, err := recognize(t, weightsOf(c.network, names))
			if err != nil {
				t.Errorf("%s, %s names: %v", c.name, kind, err)
				continue
			}
			for i, p := range found.Parameters() {
				if want := c.network.Parameters()[i]; p.Name != want.Name || !slices.Equal(p.Data().Data(), want.Data().Data()) {
					t.Errorf("%s, %s names: parameter %d is %s, want %s and its numbers", c.name, kind, i, p.Name, want.Name)
				}
			}
		}
	}
}

// TestRecognizeTraining reads what a training with averages of the weights leaves: the averages
// count.
func TestRecognizeTraining(t *testing.T) {
	f, err := weightfile.Open("../../testdata/golden/networks.pth", weightfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found, err := Recognize("networks.pth", f)
	if err != nil {
		t.Fatal(err)
	}
	want := NewSRVGGNetCompact(rand.New(rand.NewPCG(0, 0)), 3, 4, 1, 2, PReLU)
	recipe.FillWeights(want, 0)
	for i, p := range want.Parameters() {
		if got := found.Parameters()[i]; !slices.Equal(got.Data().Data(), p.Data().Data()) {
			t.Errorf("%s: got %v …, want the average %v …", p.Name, got.Data().Data()[0], p.Data().Data()[0])
		}
	}
}

// TestRecognizeRefuses wants an error that says what was found.
func TestRecognizeRefuses(t *testing.T) {
	compact := NewSRVGGNetCompact(rand.New(rand.NewPCG(1, 2)), 3, 4, 1, 2, PReLU)
	rrdb := NewRRDBNet(rand.New(rand.NewPCG(1, 2)), RRDBSizes{3, 4, 2, 2, 2, 1})
	old := func(n Network, change func(all map[string]*tensor.Tensor)) []safetensors.Named {
		all := map[string]*tensor.Tensor{}
		for _, p := range n.Parameters() {
			all[p.Name] = p.Data().Clone()
		}
		change(all)
		var named []safetensors.Named
		for name, t := range all {
			named = append(named, safetensors.Named{Name: name, Tensor: t})
		}
		return named
	}
	type tensors = map[string]*tensor.Tensor
	for _, c := range []struct {
		name        string
		n           Network
		change      func(all tensors)
		want        string
		unsupported bool
	}{
		{"SwinIR", compact, func(all tensors) {
			clear(all)
			all["conv_first.weight"], all["layers.0.residual_group.blocks.0.norm1.weight"] = tensor.New(8), tensor.New(8)
		}, "the weights of SwinIR", true},
		{"ESRGAN+", compact, func(all tensors) {
			clear(all)
			all["model.0.weight"], all["model.1.sub.0.RDB1.conv1x1.weight"] = tensor.New(8), tensor.New(8)
		}, "the weights of ESRGAN+", true},
		{"MM-RealSR", rrdb, func(all tensors) { all["am_list.0.fc.0.weight"] = tensor.New(8) }, "MM-RealSR", true},
		{"a classifier", compact, func(all tensors) {
			clear(all)
			all["fc.weight"] = tensor.New(8, 8)
		}, `"fc.weight"`, false},
		{"one tensor more", rrdb, func(all tensors) { all["attention.weight"] = tensor.New(8) }, `1 tensors more, such as "attention.weight"`, true},
		{"one tensor more in the body", compact, func(all tensors) { all["body.2.gamma"] = tensor.New(4) }, `"body.2.gamma"`, true},
		{"a missing tensor", rrdb, func(all tensors) { delete(all, "body.1.rdb2.conv3.bias") }, `"body.1.rdb2.conv3.bias"`, false},
		{"a missing layer", compact, func(all tensors) { delete(all, "body.4.weight") }, `"body.4.weight"`, false},
		{"another shape", rrdb, func(all tensors) { all["body.1.rdb2.conv3.weight"] = tensor.New(2, 9, 3, 3) }, "shape [2 9 3 3], want [2 8 3 3]", false},
		{"another kernel", compact, func(all tensors) { all["body.0.weight"] = tensor.New(4, 3, 5, 5) }, "shape [4 3 5 5], want [4 3 3 3]", false},
		{"another rank", compact, func(all tensors) { all["body.0.weight"] = tensor.New(4, 3, 3) }, "want 4 dimensions", false},
		{"no channels", rrdb, func(all tensors) { all["conv_first.weight"] = tensor.New(4, 0, 3, 3) }, "want 4 dimensions, from 1", false},
		{"NaN", compact, func(all tensors) { all["body.1.weight"].Data()[2] = float32(math.NaN()) }, `"body.1.weight", number 2`, false},
		{"no square", compact, func(all tensors) { all["body.4.weight"] = tensor.New(15, 4, 3, 3) }, "15 channels of 3", true},
		{"an even number of layers", compact, func(all tensors) { all["body.5.weight"] = tensor.New(12, 4, 3, 3) }, "by turns", false},
		{"a huge number", compact, func(all tensors) { all["body.99999999999999999999.weight"] = tensor.New(12, 4, 3, 3) }, "by turns", false},
		{"a large number", compact, func(all tensors) { all["body.2000000000.weight"] = tensor.New(12, 4, 3, 3) }, "by turns", false},
		{"no slopes", compact, func(all tensors) { delete(all, "body.1.weight"); delete(all, "body.3.weight") }, "ReLU or LeakyReLU", true},
		{"a smaller picture", rrdb, func(all tensors) {
			all["conv_first.weight"] = tensor.New(4, 48, 3, 3)
			delete(all, "conv_up2.weight")
			delete(all, "conv_up2.bias")
		}, "4 times smaller and then 2 times larger", true},
	} {
		found, err := recognize(t, old(c.n, c.change))
		if err == nil {
			t.Errorf("%s: recognized as %v", c.name, found)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "test.safetensors: ") || errors.Is(err, ErrUnsupported) != c.unsupported {
			t.Errorf("%s: error %q, unsupported %v; want %q, %v", c.name, err, errors.Is(err, ErrUnsupported), c.want, c.unsupported)
		}
	}
}

// TestRecognizeLimit wants a network that is too large to be refused before its numbers are read.
func TestRecognizeLimit(t *testing.T) {
	defer func(was int) { mostNumbers = was }(mostNumbers)
	n := NewSRVGGNetCompact(rand.New(rand.NewPCG(1, 2)), 3, 4, 1, 2, PReLU)
	for _, limit := range []int{711, 20} {
		mostNumbers = limit
		_, err := recognize(t, weightsOf(n, parameterNames(n)))
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("more than %d numbers", limit)) {
			t.Errorf("of %d numbers, with a limit of %d: error %v", 712, limit, err)
		}
	}
	mostNumbers = 712
	if _, err := recognize(t, weightsOf(n, parameterNames(n))); err != nil {
		t.Error(err)
	}
}

// TestOthersAreKnown wants each name of the list to be found by its own tensors, and no supported
// network to be taken for one of them.
func TestOthersAreKnown(t *testing.T) {
	for _, o := range others {
		s := &state{in: map[string]string{}}
		for _, name := range o.has {
			s.in[name] = name
		}
		if got := s.known(); got != o.name {
			t.Errorf("the tensors of %s are taken for %q", o.name, got)
		}
	}
}

// TestReach makes single pixels NaN, which nothing rounds away: what is further away than Reach must
// keep every bit.
func TestReach(t *testing.T) {
	defer func(use bool) { tensor.UseWinograd = use }(tensor.UseWinograd)
	tensor.UseWinograd = false // its tiles spread a NaN
	for _, n := range []Network{
		NewSRVGGNetCompact(rand.New(rand.NewPCG(1, 2)), 1, 4, 1, 2, PReLU),
		NewRRDBNet(rand.New(rand.NewPCG(1, 2)), RRDBSizes{1, 4, 2, 0, 2, 1}),
		NewRRDBNet(rand.New(rand.NewPCG(1, 2)), RRDBSizes{1, 4, 2, 0, 2, 2}),
		NewRRDBNet(rand.New(rand.NewPCG(1, 2)), RRDBSizes{1, 4, 2, 1, 3, 4}),
		NewRRDBNet(rand.New(rand.NewPCG(1, 2)), RRDBSizes{1, 4, 2, 1, 1, 1}),
	} {
		g := n.Geometry()
		furthest := 0
		w := 2*g.Reach + 15
		x := recipe.Pixels(1, 1, 1, 1, w)
		before := n.Forward(autograd.Constant(x)).Data().Clone()
		for at := range w {
			changed := x.Clone()
			changed.Data()[at] = float32(math.NaN())
			after := n.Forward(autograd.Constant(changed)).Data()
			for i, v := range after.Data() {
				if distance := max(at-i%(w*g.Scale)/g.Scale, i%(w*g.Scale)/g.Scale-at); v != before.Data()[i] {
					furthest = max(furthest, distance)
				}
			}
		}
		if furthest > g.Reach || furthest < g.Reach-2*g.Multiple {
			t.Errorf("%v: a pixel changes what is %d pixels away, Reach is %d", n, furthest, g.Reach)
		}
	}
}

// TestParts enlarges a picture in two parts with Reach pixels around them, and wants the whole
// picture's bits.
func TestParts(t *testing.T) {
	tensor.UseWinograd = false
	defer func() { tensor.UseWinograd = true }()
	for _, n := range []Network{
		NewSRVGGNetCompact(rand.New(rand.NewPCG(1, 2)), 3, 4, 1, 3, PReLU),
		NewRRDBNet(rand.New(rand.NewPCG(1, 2)), RRDBSizes{3, 4, 2, 1, 2, 2}),
	} {
		g := n.Geometry()
		reach := (g.Reach + g.Multiple - 1) / g.Multiple * g.Multiple
		h, w := 2*reach+11, 5
		x := recipe.Pixels(1, 1, 3, h, w)
		whole := predict(t, n, x).Clone()
		cut := reach + 8
		first := predict(t, n, tensor.Crop(x, cut+reach, w))
		for c := range 3 {
			for i := range cut * g.Scale * w * g.Scale {
				a, b := whole.Data()[c*h*w*g.Scale*g.Scale+i], first.Data()[c*(cut+reach)*w*g.Scale*g.Scale+i]
				if a != b {
					t.Fatalf("%v: channel %d, number %d: the upper part has %v, the whole picture %v", n, c, i, b, a)
				}
			}
		}
	}
}
