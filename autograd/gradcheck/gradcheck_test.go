package gradcheck_test

import (
	"fmt"
	"strings"
	"testing"

	"pixelgrad/autograd"
	"pixelgrad/autograd/gradcheck"
	"pixelgrad/internal/recipe"
)

// TestFindsMistakes gives it a function whose result moves in a way that its operations do
// not know of.
func TestFindsMistakes(t *testing.T) {
	x := autograd.Parameter(recipe.Numbers(0, 3))
	f := func() *autograd.Value { return autograd.Add(x, autograd.Constant(x.Data().Clone())) }
	if err := gradcheck.Check(f, 1e-2, 1e-3, x); err == nil || !strings.Contains(err.Error(), "element 0") {
		t.Errorf("error %v for a gradient that is half of what it should be", err)
	}
	unused := autograd.Parameter(recipe.Numbers(1, 2))
	if err := gradcheck.Check(func() *autograd.Value { return autograd.Scale(2, x) }, 1e-2, 1e-3, unused); err == nil {
		t.Error("no error for a parameter without a gradient")
	}
}

func Example() {
	x := autograd.Parameter(recipe.Numbers(0, 2, 3))
	f := func() *autograd.Value { return autograd.Sigmoid(autograd.Scale(2, x)) }
	fmt.Println(gradcheck.Check(f, 1e-2, 1e-3, x))
	// Output: <nil>
}
