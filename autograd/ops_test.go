package autograd_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"path/filepath"
	"strings"
	"testing"

	. "pixelgrad/autograd"
	"pixelgrad/internal/golden"
	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
)

// An opCase is one row of the table of operations: from it follow a comparison
// with PyTorch, forward and backward, a check of the gradients, and a benchmark.
type opCase struct {
	name   string // as in testdata/golden/ops.py; its first word is the function's
	f      func(v ...*Value) *Value
	shapes [][]int
}

var opCases = []opCase{
	{"Add", func(v ...*Value) *Value { return Add(v[0], v[1]) }, [][]int{{2, 3, 5}, {2, 3, 5}}},
	{"Scale", func(v ...*Value) *Value { return Scale(-1.5, v[0]) }, [][]int{{2, 3, 5}}},
	{"ReLU", func(v ...*Value) *Value { return ReLU(v[0]) }, [][]int{{2, 3, 5}}},
	{"Sigmoid", func(v ...*Value) *Value { return Sigmoid(Scale(5, v[0])) }, [][]int{{2, 3, 5}}},
	{"ConcatChannels", func(v ...*Value) *Value { return ConcatChannels(v...) }, [][]int{{2, 1, 3, 4}, {2, 3, 3, 4}, {2, 2, 3, 4}}},
	{"Expand", func(v ...*Value) *Value { return Expand(v[0], 4, 5) }, [][]int{{2, 3}}},
	{"Mean", func(v ...*Value) *Value { return Mean(v[0]) }, [][]int{{2, 3, 5}}},
	{"MSE", func(v ...*Value) *Value { return MSE(v[0], v[1]) }, [][]int{{2, 3, 5}, {2, 3, 5}}},
	{"InversePSNR", func(v ...*Value) *Value {
		return InversePSNR(Scale(0.01, MSE(v[0], Constant(tensor.New(1)))))
	}, [][]int{{1}}},
	{"Conv2d", func(v ...*Value) *Value { return Conv2d(v[0], v[1], v[2], 1) }, [][]int{{2, 3, 7, 9}, {5, 3, 3, 3}, {5}}},
	{"Conv2d 1x1", func(v ...*Value) *Value { return Conv2d(v[0], v[1], v[2], 1) }, [][]int{{2, 5, 7, 9}, {3, 5, 1, 1}, {3}}},
	{"Conv2d 1x3 of Upsample2", func(v ...*Value) *Value { return Conv2d(Upsample2(v[0]), v[1], v[2], 1) }, [][]int{{2, 4, 5, 7}, {3, 4, 1, 3}, {3}}},
	{"Conv2d 5x5", func(v ...*Value) *Value { return Conv2d(v[0], v[1], v[2], 1) }, [][]int{{1, 2, 7, 9}, {3, 2, 5, 5}, {3}}},
	{"Conv2d dilation 2", func(v ...*Value) *Value { return Conv2d(v[0], v[1], v[2], 2) }, [][]int{{1, 3, 9, 8}, {4, 3, 3, 3}, {4}}},
	{"Conv2d dilation 4", func(v ...*Value) *Value { return Conv2d(v[0], v[1], v[2], 4) }, [][]int{{2, 3, 9, 11}, {4, 3, 3, 3}, {4}}},
	{"Conv2dReLU", func(v ...*Value) *Value { return Conv2dReLU(v[0], v[1], v[2], 1) }, [][]int{{2, 3, 7, 9}, {5, 3, 3, 3}, {5}}},
	{"Conv2dReLU of Conv2dReLU", func(v ...*Value) *Value { return Conv2dReLU(Conv2dReLU(v[0], v[1], v[2], 1), v[3], v[4], 1) }, [][]int{{2, 3, 7, 9}, {4, 3, 3, 3}, {4}, {2, 4, 3, 3}, {2}}},
	{"Conv2dAddReLU", func(v ...*Value) *Value { return Conv2dAddReLU(v[0], v[1], v[2], v[3], 1) }, [][]int{{2, 3, 7, 9}, {5, 3, 3, 3}, {5}, {2, 5, 7, 9}}},
	{"Conv2dAddReLU of Upsample2", func(v ...*Value) *Value {
		x := Upsample2(v[0])
		return Conv2dAddReLU(x, v[1], v[2], x, 1)
	}, [][]int{{2, 3, 4, 5}, {3, 3, 3, 3}, {3}}},
	{"Conv2d of ConcatChannels", func(v ...*Value) *Value {
		return Conv2d(ConcatChannels(v[0], Upsample2(v[1]), Expand(v[2], 6, 8)), v[3], v[4], 2)
	}, [][]int{{2, 2, 6, 8}, {2, 1, 3, 4}, {2, 3}, {4, 6, 3, 3}, {4}}},
	{"Conv2d of Upsample2 twice 3x3", func(v ...*Value) *Value { return Conv2d(Upsample2(Upsample2(v[0])), v[1], v[2], 1) }, [][]int{{1, 3, 3, 5}, {2, 3, 3, 3}, {2}}},
	{"Upsample2", func(v ...*Value) *Value { return Upsample2(v[0]) }, [][]int{{2, 3, 5, 7}}},
	{"Upsample2 one pixel", func(v ...*Value) *Value { return Upsample2(v[0]) }, [][]int{{1, 2, 1, 1}}},
	{"Conv2d of Upsample2", func(v ...*Value) *Value { return Conv2d(Upsample2(v[0]), v[1], v[2], 1) }, [][]int{{2, 4, 5, 7}, {3, 4, 1, 1}, {3}}},
	{"Conv2d of Upsample2 twice", func(v ...*Value) *Value { return Conv2d(Upsample2(Upsample2(v[0])), v[1], v[2], 1) }, [][]int{{1, 4, 3, 5}, {2, 4, 1, 1}, {2}}},
}

// operands returns the case's operands as parameters, made by the common recipe.
func (c *opCase) operands() []*Value {
	vs := make([]*Value, len(c.shapes))
	for j, s := range c.shapes {
		vs[j] = Parameter(recipe.Numbers(j, s...))
	}
	return vs
}

// TestOpsGolden compares results and gradients with PyTorch's.
func TestOpsGolden(t *testing.T) {
	file := golden.Open(t, "ops")
	for _, c := range opCases {
		t.Run(c.name, func(t *testing.T) {
			vs := c.operands()
			y := c.f(vs...)
			golden.Check(t, file, c.name+"/y", y.Data(), 1.3e-6, 1e-5)
			BackwardFrom(y, recipe.Numbers(100, y.Shape()...))
			for j, v := range vs {
				golden.Check(t, file, fmt.Sprintf("%s/d%d", c.name, j), v.Grad(), 1e-3, 1e-4)
			}
		})
	}
}

// TestOpsGradients compares gradients with finite differences.
func TestOpsGradients(t *testing.T) {
	for _, c := range opCases {
		t.Run(c.name, func(t *testing.T) {
			vs := c.operands()
			h := 1e-2
			if strings.Contains(c.name, "ReLU") {
				h = 1e-3 // no element of these cases is within this of the kink
			}
			if err := CheckGradients(func() *Value { return c.f(vs...) }, h, 3e-3, vs...); err != nil {
				t.Error(err)
			}
		})
	}
}

func BenchmarkOps(b *testing.B) {
	for _, c := range opCases {
		b.Run(c.name, func(b *testing.B) {
			vs := c.operands()
			dy := recipe.Numbers(100, c.f(vs...).Shape()...)
			for b.Loop() {
				BackwardFrom(c.f(vs...), dy.Clone())
			}
		})
	}
}

// TestEveryOpHasACase fails for an exported operation without a row above.
func TestEveryOpHasACase(t *testing.T) {
	cases := map[string]bool{"Parameter": true, "Constant": true, "Inference": true} // no operations
	for _, c := range opCases {
		cases[strings.Fields(c.name)[0]] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !fn.Name.IsExported() || fn.Type.Results == nil {
				continue
			}
			if star, ok := fn.Type.Results.List[0].Type.(*ast.StarExpr); !ok || star.X.(*ast.Ident).Name != "Value" {
				continue
			}
			found++
			if !cases[fn.Name.Name] {
				t.Errorf("operation %s has no row in opCases", fn.Name.Name)
			}
		}
	}
	if found < 10 {
		t.Errorf("found only %d functions that return a Value", found)
	}
}

// TestExchangeUpsampling computes a 1×1 convolution of an enlargement in both orders.
func TestExchangeUpsampling(t *testing.T) {
	defer func() { ExchangeUpsampling = true }()
	run := func() (y *tensor.Tensor, grads []*tensor.Tensor) {
		x, w, b := Parameter(recipe.Numbers(0, 2, 8, 9, 7)), Parameter(recipe.Numbers(1, 3, 8, 1, 1)), Parameter(recipe.Numbers(2, 3))
		v := Conv2d(Upsample2(Upsample2(x)), w, b, 1).Keep()
		BackwardFrom(v, recipe.Numbers(100, v.Shape()...))
		return v.Data(), []*tensor.Tensor{x.Grad(), w.Grad(), b.Grad()}
	}
	y, grads := run()
	ExchangeUpsampling = false
	wantY, wantGrads := run()
	same := func(what string, got, want *tensor.Tensor, tol float64) {
		for i, w := range want.Data() {
			if !(math.Abs(float64(got.Data()[i]-w)) <= tol) {
				t.Fatalf("%s: element %d: exchanged %v, as written %v", what, i, got.Data()[i], w)
			}
		}
	}
	same("y", y, wantY, 3e-6)
	for i, g := range grads {
		same(fmt.Sprintf("gradient %d", i), g, wantGrads[i], 2e-4)
	}
}

// TestInversePSNREnds looks at the loss where its formula has no value.
func TestInversePSNREnds(t *testing.T) {
	loss := func(mse float32) (y, slope float64) {
		m := Parameter(tensor.FromSlice([]float32{mse}, 1))
		v := InversePSNR(m)
		v.Backward()
		return float64(v.Data().Data()[0]), float64(m.Grad().Data()[0])
	}
	before, beforeSlope := loss(0)
	if !(before > 0) || !(beforeSlope > 0) || math.IsInf(beforeSlope, 0) {
		t.Errorf("at 0: loss %v, slope %v: want positive, finite numbers", before, beforeSlope)
	}
	for _, mse := range []float32{1e-12, 0.9e-10, 1.1e-10, 1e-6, 0.01, 0.5, 0.89, 0.91, 1, 2, 100} {
		y, slope := loss(mse)
		if !(y > before) || !(slope > 0) || math.IsInf(y, 0) || math.IsInf(slope, 0) {
			t.Errorf("at %v: loss %v after %v, slope %v: want it finite and rising", mse, y, before, slope)
		}
		if mse > 1e-10 && mse < 0.9 {
			if want := 1 / (-10 * math.Log10(float64(mse))); !(math.Abs(y/want-1) < 1e-6) {
				t.Errorf("at %v: loss %v, want %v", mse, y, want)
			}
		}
		before = y
	}
	for _, edge := range []float64{1e-10, 0.9} { // no step there, in value or slope
		lo, loSlope := loss(float32(edge * (1 - 1e-4)))
		hi, hiSlope := loss(float32(edge * (1 + 1e-4)))
		if !(math.Abs(hi/lo-1) < 3e-3) || !(math.Abs(hiSlope/loSlope-1) < 1e-2) {
			t.Errorf("around %v: loss %v and %v, slope %v and %v", edge, lo, hi, loSlope, hiSlope)
		}
	}
	if y, _ := loss(float32(math.NaN())); y == y {
		t.Errorf("of NaN: loss %v", y)
	}
}

func TestBackwardAccumulatesAndFrees(t *testing.T) {
	x := Parameter(tensor.FromSlice([]float32{1, 2}, 2))
	square := func() (*Value, *Value) { // of x's length, by way of a value used twice
		d := Scale(2, x)
		return d, Mean(Add(d, d))
	}
	_, y := square()
	y.Backward()
	d, y := square()
	y.Backward()
	for i, g := range x.Grad().Data() {
		if g != 4 {
			t.Errorf("gradient %d after two passes is %v, want 2·2", i, g)
		}
	}
	if y.Data().Data()[0] != 6 {
		t.Errorf("the result is %v after Backward, want 6", y.Data().Data()[0])
	}
	mustPanic(t, "use after Backward", func() { d.Data() })
	x.ZeroGrad()
	if x.Grad() != nil {
		t.Error("a gradient after ZeroGrad")
	}
	d, y = square()
	d.Keep()
	y.Backward()
	if d.Data().Data()[1] != 4 {
		t.Error("Keep did not keep")
	}
}

func TestInference(t *testing.T) {
	w := Parameter(recipe.Numbers(1, 3, 2, 1, 1))
	b := Parameter(tensor.New(3))
	x := Inference(recipe.Numbers(0, 1, 2, 4, 4))
	h := Conv2d(x, w, b, 1)
	y := Mean(Sigmoid(Upsample2(h)))
	mustPanic(t, "Backward of an inference", func() { y.Backward() })
	y.Free()
	mustPanic(t, "use after Free", func() { h.Data() })
	if x.Data().Len() != 32 || w.Data().Len() != 6 {
		t.Error("Free took a constant or a parameter")
	}
}

// TestDeep walks back over more operations than a recursion would bear.
func TestDeep(t *testing.T) {
	x := Parameter(tensor.FromSlice([]float32{1}, 1))
	y := x
	for range 300_000 {
		y = Scale(1, y)
	}
	y.Backward()
	if x.Grad().Data()[0] != 1 {
		t.Errorf("gradient %v, want 1", x.Grad().Data()[0])
	}
}

func TestBackwardMistakes(t *testing.T) {
	x := Parameter(tensor.New(2))
	mustPanic(t, "Backward of a vector", func() { Scale(2, x).Backward() })
	mustPanic(t, "Backward of a constant", func() { Mean(Constant(tensor.New(2))).Backward() })
	h := Sigmoid(x).Keep()
	Mean(h).Backward()
	mustPanic(t, "Backward through the same Sigmoid", func() { Mean(Scale(2, h)).Backward() })
	y := Mean(x)
	y.Backward()
	mustPanic(t, "Backward twice", y.Backward)
	mustPanic(t, "InversePSNR of a vector", func() { InversePSNR(x) })
	mustPanic(t, "Upsample2 of a vector", func() { Upsample2(x) })
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

// TestCheckGradientsFindsMistakes gives it a function whose result moves in a way
// that its operations do not know of.
func TestCheckGradientsFindsMistakes(t *testing.T) {
	x := Parameter(recipe.Numbers(0, 3))
	f := func() *Value { return Add(x, Constant(x.Data().Clone())) }
	if err := CheckGradients(f, 1e-2, 1e-3, x); err == nil {
		t.Error("no error for a gradient that is half of what it should be")
	}
}

func Example() {
	// The slope of mean(σ(2x)) at x = 0 is 2·σ'(0) = 2·¼.
	x := Parameter(tensor.FromSlice([]float32{0}, 1))
	y := Mean(Sigmoid(Scale(2, x)))
	y.Backward()
	fmt.Println(y.Data().Data(), x.Grad().Data())
	// Output: [0.5] [0.5]
}

// TestSwitches holds convolutions that read their inputs where they are to those that
// store them first: the results are the same bit by bit, those with constant channels
// but for rounding.
func TestSwitches(t *testing.T) {
	defer func() { StoreInputs, ConstantChannels = false, true }()
	run := func(store, constant bool) (y *tensor.Tensor, grads []*tensor.Tensor) {
		StoreInputs, ConstantChannels = store, constant
		vs := []*Value{
			Parameter(recipe.Numbers(0, 2, 3, 6, 8)), Parameter(recipe.Numbers(1, 2, 2, 3, 4)), Parameter(recipe.Numbers(2, 2, 4)),
			Parameter(recipe.Numbers(3, 5, 9, 3, 3)), Parameter(recipe.Numbers(4, 5)),
		}
		out := Conv2dReLU(ConcatChannels(vs[0], Upsample2(vs[1]), Expand(vs[2], 6, 8)), vs[3], vs[4], 1)
		y = out.Keep().Data().Clone()
		BackwardFrom(out, recipe.Numbers(100, y.Shape()...))
		for _, v := range vs {
			grads = append(grads, v.Grad())
		}
		return y, grads
	}
	wantY, want := run(true, false)
	for _, c := range []struct {
		store, constant bool
		tol             float64
	}{{false, false, 0}, {true, true, 1e-4}, {false, true, 1e-4}} {
		gotY, got := run(c.store, c.constant)
		same := func(what string, got, want *tensor.Tensor) {
			for i, w := range want.Data() {
				if !(math.Abs(float64(got.Data()[i]-w)) <= c.tol) {
					t.Fatalf("%+v: %s, element %d: got %v, want %v", c, what, i, got.Data()[i], w)
				}
			}
		}
		same("y", gotY, wantY)
		for i := range got {
			same(fmt.Sprintf("gradient %d", i), got[i], want[i])
		}
	}
}
