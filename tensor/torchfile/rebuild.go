package torchfile

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"pixelgrad/tensor/safetensors"
)

// array is a tensor. Element (i,j,…) of it is element off + i·stride[0] + j·stride[1] + …
// of its storage. All elements are verified to be inside the storage.
type array struct {
	st            *storage
	dtype         safetensors.DType
	off           int64 // bytes from the storage's start
	shape, stride []int
	count         int // elements
	span          int // elements of the storage from the first to the last, inclusive
}

// maxRank is the largest number of dimensions of a tensor, as in PyTorch.
const maxRank = 64

// rebuildTensor makes a tensor from one of these tuples:
//
//	(storage, offset, shape, stride)
//	(storage, offset, shape, stride, requires_grad, hooks[, metadata])
//	(storage, offset, shape, stride, requires_grad, hooks, dtype[, metadata])
func rebuildTensor(m *machine, args tuple) (value, error) {
	v, ok := args[0].(*view)
	off, isInt := args[1].(int64)
	if !ok || !isInt {
		return nil, fmt.Errorf("tensor: expected a storage and an offset, found %s and %s", describe(args[0]), describe(args[1]))
	}
	a := &array{st: v.st, dtype: v.st.dtype}
	metadata := value(nil)
	if len(args) >= 7 {
		metadata = args[len(args)-1]
		switch t := args[6].(type) {
		case global:
			if a.dtype, ok = dtypes[t]; !ok {
				return &unread{"of the type " + quote(string(t))}, m.charge(costOpaque + len(t))
			}
		case *object:
			return nil, fmt.Errorf("tensor: expected an element type, found %s", describe(t))
		}
	}
	// A tensor can have the negated or conjugated elements of its storage.
	if d, ok := metadata.(*dict); ok && (d.get("neg") == true || d.get("conj") == true) {
		return &unread{"that is the negative or the conjugate of what is stored"}, m.charge(costOpaque)
	}
	var err error
	if a.shape, err = m.ints(args[2]); err != nil {
		return nil, fmt.Errorf("tensor: shape: %w", err)
	}
	if a.stride, err = m.ints(args[3]); err != nil {
		return nil, fmt.Errorf("tensor: stride: %w", err)
	}
	if err := a.check(v, off); err != nil {
		return nil, fmt.Errorf("tensor of shape %v and stride %v in storage %s: %w", a.shape, a.stride, quote(a.st.key), err)
	}
	return a, m.charge(2 * costObject)
}

// ints converts a tuple or list of non-negative numbers.
func (m *machine) ints(v value) ([]int, error) {
	var items []value
	switch v := v.(type) {
	case tuple:
		items = v
	case *list:
		items = v.items
	default:
		return nil, fmt.Errorf("expected a tuple, found %s", describe(v))
	}
	if len(items) > maxRank {
		return nil, fmt.Errorf("%d dimensions, more than %d", len(items), maxRank)
	}
	out := make([]int, len(items))
	for i, item := range items {
		n, ok := item.(int64)
		switch {
		case !ok:
			return nil, fmt.Errorf("expected numbers, found %s", describe(item))
		case n < 0 || n > math.MaxInt:
			return nil, fmt.Errorf("%d is not possible", n)
		}
		out[i] = int(n)
	}
	return out, m.charge(costTuple + 8*len(items))
}

// check sets count, span and off, and checks that all elements are inside v.
func (a *array) check(v *view, off int64) error {
	if len(a.shape) != len(a.stride) {
		return fmt.Errorf("%d dimensions but %d strides", len(a.shape), len(a.stride))
	}
	width := int64(width(a.dtype))
	limit := v.bytes / width // elements
	a.count, a.span = 1, 1
	for i, d := range a.shape {
		// tensor.New makes the same test, but panics.
		if d > 0 && a.count > math.MaxInt/4/d {
			return errors.New("too many elements")
		}
		a.count *= d
		if d == 0 {
			continue
		}
		hi, far := bits.Mul64(uint64(d-1), uint64(a.stride[i]))
		if hi != 0 || far > uint64(math.MaxInt-a.span) {
			a.span = math.MaxInt
		} else {
			a.span += int(far)
		}
	}
	if a.count == 0 {
		a.span = 0
	}
	if off < 0 || off > limit || int64(a.span) > limit-off {
		return fmt.Errorf("elements %d to %d are not inside its %d elements", off, uint64(off)+uint64(a.span), limit)
	}
	a.off = v.off + off*width
	return nil
}
