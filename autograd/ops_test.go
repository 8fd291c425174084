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
	"pixelgrad/autograd/gradcheck"
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
	{"LeakyReLU", func(v ...*Value) *Value { return LeakyReLU(v[0], 0.2) }, [][]int{{2, 3, 5}}},
	{"PReLU", func(v ...*Value) *Value { return PReLU(v[0], v[1]) }, [][]int{{2, 3, 4, 5}, {3}}},
	{"Conv2dPReLU of Conv2dLeakyReLU", func(v ...*Value) *Value {
		return PReLU(Conv2d(LeakyReLU(Conv2d(v[0], v[1], v[2], 1), 0.1), v[3], v[4], 1), v[5])
	}, [][]int{{1, 3, 6, 7}, {4, 3, 3, 3}, {4}, {2, 4, 3, 3}, {2}, {2}}},
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
	{"Conv2dReLU", func(v ...*Value) *Value { return ReLU(Conv2d(v[0], v[1], v[2], 1)) }, [][]int{{2, 3, 7, 9}, {5, 3, 3, 3}, {5}}},
	{"Conv2dReLU of Conv2dReLU", func(v ...*Value) *Value { return ReLU(Conv2d(ReLU(Conv2d(v[0], v[1], v[2], 1)), v[3], v[4], 1)) }, [][]int{{2, 3, 7, 9}, {4, 3, 3, 3}, {4}, {2, 4, 3, 3}, {2}}},
	{"Conv2dAddReLU", func(v ...*Value) *Value { return ReLU(Add(Conv2d(v[0], v[1], v[2], 1), v[3])) }, [][]int{{2, 3, 7, 9}, {5, 3, 3, 3}, {5}, {2, 5, 7, 9}}},
	{"Conv2dAddReLU of Upsample2", func(v ...*Value) *Value {
		x := Upsample2(v[0])
		return ReLU(Add(Conv2d(x, v[1], v[2], 1), x))
	}, [][]int{{2, 3, 4, 5}, {3, 3, 3, 3}, {3}}},
	{"Conv2d of ConcatChannels", func(v ...*Value) *Value {
		return Conv2d(ConcatChannels(v[0], Upsample2(v[1]), Expand(v[2], 6, 8)), v[3], v[4], 2)
	}, [][]int{{2, 2, 6, 8}, {2, 1, 3, 4}, {2, 3}, {4, 6, 3, 3}, {4}}},
	{"Conv2d of Upsample2 twice 3x3", func(v ...*Value) *Value { return Conv2d(Upsample2(Upsample2(v[0])), v[1], v[2], 1) }, [][]int{{1, 3, 3, 5}, {2, 3, 3, 3}, {2}}},
	{"Upsample2", func(v ...*Value) *Value { return Upsample2(v[0]) }, [][]int{{2, 3, 5, 7}}},
	{"Upsample2 one pixel", func(v ...*Value) *Value { return Upsample2(v[0]) }, [][]int{{1, 2, 1, 1}}},
	{"UpsampleNearest", func(v ...*Value) *Value { return UpsampleNearest(v[0], 2) }, [][]int{{2, 3, 5, 7}}},
	{"UpsampleNearest 3", func(v ...*Value) *Value { return UpsampleNearest(v[0], 3) }, [][]int{{1, 2, 3, 1}}},
	{"Conv2d of UpsampleNearest", func(v ...*Value) *Value { return Conv2d(UpsampleNearest(v[0], 2), v[1], v[2], 1) }, [][]int{{2, 4, 5, 7}, {3, 4, 3, 3}, {3}}},
	{"UpsampleBicubic", func(v ...*Value) *Value { return UpsampleBicubic(v[0], 2) }, [][]int{{2, 3, 5, 7}}},
	{"UpsampleBicubic 3", func(v ...*Value) *Value { return UpsampleBicubic(v[0], 3) }, [][]int{{1, 2, 3, 1}}},
	{"UpsampleBicubic 4", func(v ...*Value) *Value { return UpsampleBicubic(v[0], 4) }, [][]int{{1, 1, 2, 4}}},
	{"PixelShuffle", func(v ...*Value) *Value { return PixelShuffle(v[0], 2) }, [][]int{{2, 8, 3, 5}}},
	{"PixelShuffle 3", func(v ...*Value) *Value { return PixelShuffle(v[0], 3) }, [][]int{{1, 9, 2, 3}}},
	{"PixelUnshuffle", func(v ...*Value) *Value { return PixelUnshuffle(v[0], 2) }, [][]int{{2, 3, 4, 6}}},
	{"PixelUnshuffle 4", func(v ...*Value) *Value { return PixelUnshuffle(v[0], 4) }, [][]int{{1, 2, 4, 8}}},
	{"PadReflect", func(v ...*Value) *Value { return PadReflect(v[0], 1, 3) }, [][]int{{2, 3, 3, 4}}},
	{"Crop", func(v ...*Value) *Value { return Crop(v[0], 3, 2) }, [][]int{{2, 3, 4, 5}}},
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
			y.BackwardFrom(recipe.Numbers(100, y.Shape()...))
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
			if err := gradcheck.Check(func() *Value { return c.f(vs...) }, h, 3e-3, vs...); err != nil {
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
				c.f(vs...).BackwardFrom(dy)
			}
		})
	}
}

// TestEveryOpHasACase fails for an exported operation without a row above.
func TestEveryOpHasACase(t *testing.T) {
	cases := map[string]bool{"Parameter": true, "Constant": true, "Placeholder": true, "Apply": true} // no operations
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

func TestBackwardAccumulates(t *testing.T) {
	x := Parameter(tensor.FromSlice([]float32{1, 2}, 2))
	loss := func() (*Value, *Value) { // by way of a value that is used twice
		d := Scale(2, x)
		return d, Mean(Add(d, d))
	}
	_, y := loss()
	y.Backward()
	d, y := loss()
	y.Backward()
	for i, g := range x.Grad().Data() {
		if g != 4 {
			t.Errorf("gradient %d after two passes is %v, want 2·2", i, g)
		}
	}
	if y.Data().Data()[0] != 6 || d.Data().Data()[1] != 4 {
		t.Errorf("after Backward the results are %v and %v, want 6 and 4", y.Data().Data()[0], d.Data().Data()[1])
	}
	if d.Grad() != nil {
		t.Error("an intermediate result keeps its gradient")
	}
	x.SetGrad(nil)
	y.Backward() // a second time over the same values
	if g := x.Grad().Data()[0]; g != 2 {
		t.Errorf("gradient %v after SetGrad(nil), want 2", g)
	}
}

// TestBackwardLeavesOperands wants no operation to change what it is given.
func TestBackwardLeavesOperands(t *testing.T) {
	for _, c := range opCases {
		vs := c.operands()
		y := c.f(vs...)
		dy := recipe.Numbers(100, y.Shape()...)
		y.BackwardFrom(dy)
		for j, v := range vs {
			want := recipe.Numbers(j, c.shapes[j]...)
			for i, w := range want.Data() {
				if v.Data().Data()[i] != w {
					t.Fatalf("%s: Backward changes operand %d, element %d", c.name, j, i)
				}
			}
		}
		for i, w := range recipe.Numbers(100, y.Shape()...).Data() {
			if dy.Data()[i] != w {
				t.Fatalf("%s: Backward changes the gradient that it is given, element %d", c.name, i)
			}
		}
	}
}

// TestReads wants operations to compute the same gradients from what they say they read.
func TestReads(t *testing.T) {
	for _, c := range opCases {
		for _, v := range Sorted(c.f(c.operands()...)) {
			op, operands := v.Source()
			if op == nil {
				continue
			}
			readsOperands, readsResult := op.Reads()
			x, hidden, want := make([]*tensor.Tensor, len(operands)), make([]*tensor.Tensor, len(operands)), make([]bool, len(operands))
			for i, o := range operands {
				x[i], hidden[i], want[i] = o.Data(), tensor.ShapeOnly(o.Shape()...), true
			}
			y := v.Data()
			dy := recipe.Numbers(100, y.Shape()...)
			all := op.Backward(dy, y, x, want)
			if !readsOperands {
				x = hidden
			}
			if !readsResult {
				y = tensor.ShapeOnly(y.Shape()...)
			}
			for i, g := range op.Backward(dy, y, x, want) {
				for k, w := range all[i].Data() {
					if math.Float32bits(g.Data()[k]) != math.Float32bits(w) {
						t.Fatalf("%s, %T: gradient of operand %d, element %d: got %v, want %v", c.name, op, i, k, g.Data()[k], w)
					}
				}
			}
		}
	}
}

// TestPlaceholder wants shapes without numbers, and a panic at the line that is wrong.
func TestPlaceholder(t *testing.T) {
	for _, c := range opCases {
		vs := make([]*Value, len(c.shapes))
		for j, s := range c.shapes {
			vs[j] = Placeholder(s...)
		}
		traced, known := c.f(vs...), c.f(c.operands()...)
		if fmt.Sprint(traced.Shape()) != fmt.Sprint(known.Shape()) || traced.Data() != nil {
			t.Errorf("%s: shape %v, data %v; want shape %v and no data", c.name, traced.Shape(), traced.Data(), known.Shape())
		}
	}
	mustPanic(t, "Backward of a placeholder", func() { Mean(Add(Placeholder(2), Parameter(tensor.New(2)))).Backward() })
	mustPanic(t, "shapes that differ", func() { Add(Placeholder(2), Placeholder(3)) })
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
	mustPanic(t, "InversePSNR of a vector", func() { InversePSNR(x) })
	mustPanic(t, "LeakyReLU with a negative slope", func() { LeakyReLU(x, -0.1) })
	mustPanic(t, "LeakyReLU with a slope that is no number", func() { LeakyReLU(x, float32(math.NaN())) })
	mustPanic(t, "PReLU with a slope too few", func() { PReLU(Constant(tensor.New(1, 3, 2, 2)), x) })
	mustPanic(t, "PixelShuffle of 6 channels by 2", func() { PixelShuffle(Constant(tensor.New(1, 6, 2, 2)), 2) })
	mustPanic(t, "PixelShuffle by 0", func() { PixelShuffle(Constant(tensor.New(1, 4, 2, 2)), 0) })
	mustPanic(t, "PixelUnshuffle of an odd width", func() { PixelUnshuffle(Constant(tensor.New(1, 1, 2, 3)), 2) })
	mustPanic(t, "UpsampleBicubic by 0", func() { UpsampleBicubic(Constant(tensor.New(1, 1, 2, 3)), 0) })
	mustPanic(t, "UpsampleNearest by 0", func() { UpsampleNearest(Constant(tensor.New(1, 1, 2, 3)), 0) })
	mustPanic(t, "PadReflect by a negative number", func() { PadReflect(Constant(tensor.New(1, 1, 2, 3)), 0, -1) })
	mustPanic(t, "Crop of more than there is", func() { Crop(Constant(tensor.New(1, 1, 2, 3)), 3, 3) })
	mustPanic(t, "Upsample2 of a vector", func() { Upsample2(x) })
	mustPanic(t, "ConcatChannels of nothing", func() { ConcatChannels() })
	mustPanic(t, "Expand of an image", func() { Expand(Constant(tensor.New(1, 1, 2, 2)), 3, 3) })
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
