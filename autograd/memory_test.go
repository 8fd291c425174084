package autograd_test

import (
	"math"
	"testing"

	. "pixelgrad/autograd"
	"pixelgrad/internal/recipe"
	"pixelgrad/tensor"
)

// wantSame fails unless two lists of tensors are the same bit by bit.
func wantSame(t *testing.T, what string, got, want []*tensor.Tensor) {
	t.Helper()
	for k := range want {
		if want[k] == nil && got[k] == nil {
			continue
		}
		for i, w := range want[k].Data() {
			if g := got[k].Data()[i]; math.Float32bits(g) != math.Float32bits(w) {
				t.Fatalf("%s: tensor %d, element %d: got %v, want %v", what, k, i, g, w)
			}
		}
	}
}

// branches is a convolution of the results of two others. One of its parameters is an image.
func branches(recompute bool) (out *Value, inner []*Value, parameters []*Value) {
	sizes := [][]int{{2, 3, 6, 8}, {4, 3, 3, 3}, {4}, {4, 3, 3, 3}, {4}, {5, 8, 3, 3}, {5}}
	for i, s := range sizes {
		parameters = append(parameters, Parameter(recipe.Numbers(i, s...)))
	}
	p := parameters
	inner = []*Value{Conv2dReLU(p[0], p[1], p[2], 1), Conv2dReLU(p[0], p[3], p[4], 2)}
	if recompute {
		for _, v := range inner {
			v.Recompute()
		}
	}
	return Conv2dReLU(ConcatChannels(inner...), p[5], p[6], 1), inner, p
}

// TestRecompute wants results that were forgotten and computed again to make no
// difference, and to have been forgotten.
func TestRecompute(t *testing.T) {
	run := func(recompute bool, use func(out *Value, inner []*Value) *Value) (results []*tensor.Tensor) {
		out, inner, p := branches(recompute)
		for _, v := range inner {
			if recompute == Stored(v) {
				t.Fatalf("Recompute %v: after the next convolution the result is stored: %v", recompute, Stored(v))
			}
		}
		out = use(out, inner)
		results = append(results, out.Data().Clone())
		BackwardFrom(out, recipe.Numbers(9, out.Shape()...))
		for _, v := range p {
			results = append(results, v.Grad())
		}
		return results
	}
	for what, use := range map[string]func(out *Value, inner []*Value) *Value{
		"once":   func(out *Value, _ []*Value) *Value { return out },
		"kept":   func(out *Value, inner []*Value) *Value { inner[0].Keep(); return out },
		"shared": func(out *Value, inner []*Value) *Value { return Add(ReLU(inner[0]), Scale(2, inner[1])) },
		"both": func(out *Value, inner []*Value) *Value {
			w, b := Constant(recipe.Numbers(7, 5, 4, 1, 1)), Constant(recipe.Numbers(8, 5))
			return Add(out, Conv2d(inner[1], w, b, 1))
		},
	} {
		wantSame(t, what, run(true, use), run(false, use))
	}
	// What is kept before it is read is not forgotten.
	p := []*Value{Parameter(recipe.Numbers(0, 1, 1, 4, 4)), Parameter(recipe.Numbers(1, 1, 1, 3, 3)), Parameter(recipe.Numbers(2, 1))}
	kept := Conv2dReLU(p[0], p[1], p[2], 1).Recompute().Keep()
	before := kept.Data()
	Conv2dReLU(kept, p[1], p[2], 1)
	if kept.Data() != before {
		t.Error("a result was forgotten after Keep")
	}

	// Without gradients, too, and a result that is gone for good says so.
	out, inner, _ := branches(true)
	out.Free()
	defer func() {
		if recover() == nil {
			t.Error("a result is read after Free, want a panic")
		}
	}()
	inner[0].Data()
}

// TestSigmoidOverwritten wants the gradient that MSE writes over a sigmoid to be the same as
// one beside it, and a sigmoid that is still needed to be left alone.
func TestSigmoidOverwritten(t *testing.T) {
	target := Constant(recipe.Pixels(1, 1, 2, 5, 6))
	run := func(prepare func(y *Value) *Value) []*tensor.Tensor {
		x := Parameter(recipe.Numbers(0, 1, 2, 5, 6))
		y := Sigmoid(x)
		MSE(prepare(y), target).Backward()
		return []*tensor.Tensor{x.Grad()}
	}
	want := run(func(y *Value) *Value { return y.Keep() })
	wantSame(t, "not kept", run(func(y *Value) *Value { return y }), want)

	// So large that the work is cut.
	large := func(keep bool) []*tensor.Tensor {
		x := Parameter(recipe.Numbers(0, 1, 1, 200, 200))
		y := Sigmoid(x)
		if keep {
			y.Keep()
		}
		MSE(y, Constant(recipe.Pixels(1, 1, 1, 200, 200))).Backward()
		return []*tensor.Tensor{x.Grad()}
	}
	wantSame(t, "40,000 pixels", large(false), large(true))

	// y is an operand twice.
	twice := func(keep bool) []*tensor.Tensor {
		x := Parameter(recipe.Numbers(0, 1, 2, 5, 6))
		y := Sigmoid(x)
		if keep {
			y.Keep()
		}
		Add(MSE(y, target), MSE(Scale(0.5, y), target)).Backward()
		return []*tensor.Tensor{x.Grad()}
	}
	wantSame(t, "two uses", twice(false), twice(true))

	// Both sides of the difference have a gradient.
	both := func(keep bool) []*tensor.Tensor {
		a, b := Parameter(recipe.Numbers(0, 1, 2, 5, 6)), Parameter(recipe.Numbers(2, 1, 2, 5, 6))
		y, z := Sigmoid(a), Sigmoid(b)
		if keep {
			y.Keep()
			z.Keep()
		}
		MSE(y, z).Backward()
		return []*tensor.Tensor{a.Grad(), b.Grad()}
	}
	wantSame(t, "two sigmoids", both(false), both(true))

	// The sigmoid of an enlarged image is computed in place, and leaves the image unstored.
	enlarged := func(read bool) []*tensor.Tensor {
		x := Parameter(recipe.Numbers(0, 1, 2, 5, 6))
		u := Upsample2(x)
		if read {
			u.Data()
		}
		y := Sigmoid(u)
		if !read && Stored(u) {
			t.Error("Sigmoid stores the enlarged image")
		}
		if keep := u.Data().Clone(); math.Float32bits(keep.Data()[7]) != math.Float32bits(tensor.Upsample2(x.Data()).Data()[7]) {
			t.Error("Sigmoid changes the enlarged image")
		}
		result := y.Data().Clone()
		MSE(y, Constant(recipe.Pixels(3, 1, 2, 10, 12))).Backward()
		return []*tensor.Tensor{result, x.Grad()}
	}
	wantSame(t, "enlarged", enlarged(false), enlarged(true))

	// What was enlarged is read by a convolution too, whose gradient comes first and must not
	// be written over it.
	shared := func(keep bool) []*tensor.Tensor {
		p := []*Value{
			Parameter(recipe.Numbers(0, 1, 2, 4, 4)), Parameter(recipe.Numbers(1, 3, 2, 3, 3)), Parameter(recipe.Numbers(2, 3)),
			Parameter(recipe.Numbers(3, 2, 3, 3, 3)), Parameter(recipe.Numbers(4, 2)),
		}
		h := Conv2dReLU(p[0], p[1], p[2], 1)
		if keep {
			h.Keep()
		}
		s := Sigmoid(Upsample2(h))
		Add(MSE(s, Constant(recipe.Pixels(5, 1, 3, 8, 8))), Mean(Conv2d(h, p[3], p[4], 1))).Backward()
		return []*tensor.Tensor{p[0].Grad(), p[1].Grad(), p[2].Grad()}
	}
	wantSame(t, "enlarged and convolved", shared(false), shared(true))
}
