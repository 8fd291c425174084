package torchfile

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"pixelgrad/tensor/safetensors"
)

// storage is a block of elements; tensors are views of it. The pickle only names a storage.
// The place of its bytes in the file is found later.
type storage struct {
	key    string
	dtype  safetensors.DType
	bytes  int64
	offset int64 // in the file; -1 until it is known
}

// view is a storage, or a part of one in old files. Counts are in bytes.
type view struct {
	st         *storage
	off, bytes int64
}

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

// storageTypes maps the classes of storages to element types.
var storageTypes = map[global]safetensors.DType{
	"torch.FloatStorage": safetensors.F32, "torch.HalfStorage": safetensors.F16,
	"torch.BFloat16Storage": safetensors.BF16, "torch.DoubleStorage": safetensors.F64,
	"torch.LongStorage": "I64", "torch.IntStorage": "I32", "torch.ShortStorage": "I16",
	"torch.CharStorage": "I8", "torch.ByteStorage": "U8", "torch.BoolStorage": "BOOL",
	"torch.ComplexFloatStorage": "C64",
	"torch.UntypedStorage":      "U8", "torch.storage.UntypedStorage": "U8",
}

// dtypes maps PyTorch's names of element types to element types.
var dtypes = map[global]safetensors.DType{
	"torch.float32": safetensors.F32, "torch.float16": safetensors.F16,
	"torch.bfloat16": safetensors.BF16, "torch.float64": safetensors.F64,
	"torch.int64": "I64", "torch.int32": "I32", "torch.int16": "I16", "torch.int8": "I8",
	"torch.uint64": "U64", "torch.uint32": "U32", "torch.uint16": "U16", "torch.uint8": "U8",
	"torch.bool": "BOOL", "torch.complex64": "C64",
	"torch.float8_e4m3fn": "F8_E4M3", "torch.float8_e5m2": "F8_E5M2", "torch.float8_e8m0fnu": "F8_E8M0",
	"torch.float8_e4m3fnuz": "F8_E4M3FNUZ", "torch.float8_e5m2fnuz": "F8_E5M2FNUZ",
}

// functions lists the names that a pickle may call. Each has a function that does the
// necessary part of the original. Of the arguments, only the number is checked here.
var functions = map[global]struct {
	min, max int
	call     func(m *machine, args tuple) (value, error)
}{
	"collections.OrderedDict":                {0, 1, orderedDict},
	"torch._utils._rebuild_tensor":           {4, 4, rebuildTensor}, // before 0.4
	"torch._utils._rebuild_tensor_v2":        {6, 7, rebuildTensor},
	"torch._utils._rebuild_tensor_v3":        {7, 8, rebuildTensor}, // types without a storage class
	"torch._utils._rebuild_parameter":        {3, 3, first},
	"torch.nn.parameter.Parameter":           {1, 2, first},
	"torch.Size":                             {1, 1, first},
	"torch.device":                           {1, 2, first},
	"torch.jit._pickle.build_intlist":        {1, 1, first},
	"torch.jit._pickle.build_doublelist":     {1, 1, first},
	"torch.jit._pickle.build_boollist":       {1, 1, first},
	"torch.jit._pickle.build_tensorlist":     {1, 1, first},
	"torch.jit._pickle.build_tensor_from_id": {1, 1, first},
	"torch.jit._pickle.restore_type_tag":     {2, 2, first},
}

// first replaces functions whose first argument serves as their result.
func first(_ *machine, args tuple) (value, error) { return args[0], nil }

// orderedDict makes an empty dictionary, or one from a list of [key, value] pairs. Python 2
// wrote such lists.
func orderedDict(m *machine, args tuple) (value, error) {
	d := &dict{}
	if err := m.charge(costObject); err != nil || len(args) == 0 {
		return d, err
	}
	l, ok := args[0].(*list)
	if !ok {
		return nil, fmt.Errorf("OrderedDict: expected a list of pairs, found %s", describe(args[0]))
	}
	if err := m.charge(costPair * len(l.items)); err != nil {
		return nil, err
	}
	d.items = make([]pair, len(l.items))
	for i, item := range l.items {
		var kv []value
		switch item := item.(type) {
		case tuple:
			kv = item
		case *list:
			kv = item.items
		}
		if len(kv) != 2 {
			return nil, fmt.Errorf("OrderedDict: expected pairs, found %s", describe(item))
		}
		d.items[i] = pair{kv[0], kv[1]}
	}
	return d, nil
}

// pushGlobal reads a name, checks that it is allowed and pushes it.
func (m *machine) pushGlobal(op byte) error {
	var module, name string
	if op == 'c' { // two lines of text
		var err error
		if module, err = m.line(); err != nil {
			return err
		}
		if name, err = m.line(); err != nil {
			return err
		}
	} else { // two strings on the stack
		b, err := m.pop()
		if err != nil {
			return err
		}
		a, err := m.pop()
		if err != nil {
			return err
		}
		module, _ = a.(string)
		name, _ = b.(string)
	}
	g := global(module + "." + name)
	_, isFunction := functions[g]
	_, isStorage := storageTypes[g]
	_, isDType := dtypes[g]
	switch {
	case isFunction, isStorage, isDType:
	case isTorchScript(g) && m.torchscript:
	case isTorchScript(g):
		return fmt.Errorf("the class %s is TorchScript's, but this is no TorchScript archive", quote(string(g)))
	default:
		return fmt.Errorf("the pickle wants %s, which is not on the list of what a weight file may name; save the weights alone, torch.save(model.state_dict(), …), and try again", quote(string(g)))
	}
	return m.push(g, 2*(costString+len(g)))
}

// isTorchScript reports whether a name belongs to a class in a TorchScript archive.
func isTorchScript(g global) bool { return strings.HasPrefix(string(g), "__torch__.") }

// line reads a text up to the end of the line.
func (m *machine) line() (string, error) {
	rest := m.in[m.pos:]
	i := bytes.IndexByte(rest[:min(len(rest), maxName+1)], '\n')
	switch {
	case i < 0 && len(rest) <= maxName:
		return "", errCut
	case i < 0:
		return "", fmt.Errorf("a name is longer than %d bytes", maxName)
	}
	s := string(m.in[m.pos : m.pos+i])
	m.pos += i + 1
	return s, nil
}

// maxName limits the names of modules, classes and tensors.
const maxName = 4096

// reduce calls a function, or makes an object of a class.
func (m *machine) reduce() error {
	a, err := m.pop()
	if err != nil {
		return err
	}
	f, err := m.pop()
	if err != nil {
		return err
	}
	g, _ := f.(global)
	if isTorchScript(g) {
		return m.push(&object{class: string(g)}, costObject)
	}
	fn, ok := functions[g]
	if !ok {
		return fmt.Errorf("%s cannot be called", describe(f))
	}
	args, ok := a.(tuple)
	if !ok || len(args) < fn.min || len(args) > fn.max {
		return fmt.Errorf("%s: expected %d to %d arguments, found %d", g, fn.min, fn.max, len(args))
	}
	v, err := fn.call(m, args)
	if err != nil {
		return err
	}
	return m.push(v, 0)
}

// build gives an object its attributes. It ignores the attributes of a dictionary, such as
// the version numbers of a state dict, and those of a tensor.
func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	if len(m.stack) <= m.base() {
		return errors.New("the stack is empty")
	}
	switch v := m.stack[len(m.stack)-1].(type) {
	case *object:
		v.state = state
	case *dict, *array:
	default:
		return fmt.Errorf("%s has no attributes", describe(v))
	}
	return nil
}

// persistent replaces a tuple with the name of a storage by the storage:
//
//	('storage', torch.FloatStorage, key, location, elements)
//	('storage', torch.FloatStorage, key, location, elements, None or (key, offset, elements))
func (m *machine) persistent() error {
	v, err := m.pop()
	if err != nil {
		return err
	}
	t, _ := v.(tuple)
	if len(t) < 5 || len(t) > 6 || t[0] != value("storage") {
		if len(t) > 0 && t[0] == value("module") {
			return errors.New("the file holds a whole module, not its weights; save torch.save(model.state_dict(), …)")
		}
		return errors.New("expected ('storage', type, key, location, elements)")
	}
	class, _ := t[1].(global)
	dtype, ok := storageTypes[class]
	key, isText := t[2].(string)
	n, isInt := t[4].(int64)
	if !ok || !isText || !isInt {
		return fmt.Errorf("expected ('storage', type, key, location, elements), found %s, %s and %s for type, key and elements", describe(t[1]), describe(t[2]), describe(t[4]))
	}
	width := int64(dtype.Bits() / 8)
	if n < 0 || n > math.MaxInt64/width {
		return fmt.Errorf("storage %s has the impossible number of %d elements", quote(key), n)
	}
	st := m.storages[key]
	if st == nil {
		if err := m.charge(costObject + costMemo); err != nil {
			return err
		}
		st = &storage{key: key, dtype: dtype, bytes: n * width, offset: -1}
		m.storages[key] = st
	}
	if st.dtype != dtype || st.bytes != n*width {
		return fmt.Errorf("storage %s is %d bytes of %s here and %d bytes of %s elsewhere", quote(key), n*width, dtype, st.bytes, st.dtype)
	}
	p := &view{st: st, bytes: st.bytes}
	if len(t) == 6 && t[5] != nil {
		part, _ := t[5].(tuple)
		if len(part) != 3 {
			return fmt.Errorf("storage %s: expected None or (key, offset, elements) for the view, found %s", quote(key), describe(t[5]))
		}
		off, ok1 := part[1].(int64)
		size, ok2 := part[2].(int64)
		if !ok1 || !ok2 || off < 0 || size < 0 || off > n || size > n-off {
			return fmt.Errorf("storage %s: its view is not inside its %d elements", quote(key), n)
		}
		p.off, p.bytes = off*width, size*width
	}
	return m.push(p, costObject)
}

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
	if len(args) >= 7 {
		if g, ok := args[6].(global); ok {
			if a.dtype, ok = dtypes[g]; !ok {
				return nil, fmt.Errorf("tensor: expected an element type, found %s", describe(g))
			}
		}
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
	width := int64(a.dtype.Bits() / 8)
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
