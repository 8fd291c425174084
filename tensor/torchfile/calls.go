package torchfile

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// functions lists the names whose result matters to tensors. Each has a function that does
// the necessary part of the original. Of the arguments, only the number is checked here.
// Every other name gives an opaque object.
var functions = map[global]struct {
	min, max int
	call     func(m *machine, args tuple) (value, error)
}{
	"collections.OrderedDict": {0, 1, orderedDict},
	"collections.defaultdict": {0, 2, emptyDict}, // its items follow
	"collections.deque":       {0, 2, sequence},
	"builtins.set":            {0, 1, sequence}, "__builtin__.set": {0, 1, sequence},
	"builtins.frozenset": {0, 1, sequence}, "__builtin__.frozenset": {0, 1, sequence},

	"torch._utils._rebuild_tensor":                        {4, 4, rebuildTensor}, // before 0.4
	"torch._utils._rebuild_tensor_v2":                     {6, 7, rebuildTensor},
	"torch._utils._rebuild_tensor_v3":                     {7, 8, rebuildTensor}, // types without a storage class
	"torch._utils._rebuild_parameter":                     {3, 3, first},
	"torch._utils._rebuild_parameter_with_state":          {4, 4, first},
	"torch._utils._rebuild_device_tensor_from_cpu_tensor": {4, 4, first},
	"torch.nn.parameter.Parameter":                        {1, 2, first},
	"torch.Size":                                          {1, 1, first},
	"torch.device":                                        {1, 2, first},
	"torch.jit._pickle.build_intlist":                     {1, 1, first},
	"torch.jit._pickle.build_doublelist":                  {1, 1, first},
	"torch.jit._pickle.build_boollist":                    {1, 1, first},
	"torch.jit._pickle.build_tensorlist":                  {1, 1, first},
	"torch.jit._pickle.build_tensor_from_id":              {1, 1, first},
	"torch.jit._pickle.restore_type_tag":                  {2, 2, first},
}

// unreadable lists the names that make tensors of kinds that this package does not read.
var unreadable = map[global]string{
	"torch._utils._rebuild_sparse_tensor":            "that is sparse",
	"torch._utils._rebuild_sparse_csr_tensor":        "that is sparse",
	"torch._utils._rebuild_nested_tensor":            "that is nested",
	"torch._utils._rebuild_qtensor":                  "that is quantized",
	"torch._utils._rebuild_meta_tensor_no_storage":   "without elements, of the device meta",
	"torch._utils._rebuild_device_tensor_from_numpy": "that was saved as a NumPy array",
	"torch._utils._rebuild_xla_tensor":               "that was saved as a NumPy array",
	"torch._utils._rebuild_wrapper_subclass":         "of a class that keeps its elements elsewhere",
}

// first replaces functions whose first argument serves as their result.
func first(_ *machine, args tuple) (value, error) { return args[0], nil }

// emptyDict makes an empty dictionary.
func emptyDict(m *machine, _ tuple) (value, error) { return &dict{}, m.charge(costObject) }

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

// sequence makes a list of the elements of a set, or of a queue.
func sequence(m *machine, args tuple) (value, error) {
	var items []value
	if len(args) > 0 {
		switch a := args[0].(type) {
		case tuple:
			items = a
		case *list:
			items = a.items
		}
	}
	if err := m.charge(costObject + costAppend*len(items)); err != nil {
		return nil, err
	}
	return &list{items: append([]value(nil), items...)}, nil
}

// pushGlobal reads a name and pushes it. Nothing is looked up.
func (m *machine) pushGlobal(op byte) error {
	var g global
	if op == 'c' { // two lines of text
		var err error
		if g, err = m.name(); err != nil {
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
		module, isText1 := a.(string)
		name, isText2 := b.(string)
		if !isText1 || !isText2 || len(module) > maxName || len(name) > maxName {
			return fmt.Errorf("expected two texts, found %s and %s", describe(a), describe(b))
		}
		g = global(module + "." + name)
	}
	if strings.HasPrefix(string(g), "torch.distributed.") && (strings.HasSuffix(string(g), ".DTensor") || strings.HasSuffix(string(g), ".ShardedTensor")) {
		return fmt.Errorf("the file has only a part of each tensor, because the model was spread over several processes (%s): gather it before it is saved, with torch.distributed.checkpoint.state_dict.get_model_state_dict and full_state_dict=True", quote(string(g)))
	}
	return m.push(g, 2*(costString+len(g)))
}

// name reads two lines, a module and a name in it.
func (m *machine) name() (global, error) {
	module, err := m.line()
	if err != nil {
		return "", err
	}
	name, err := m.line()
	return global(module + "." + name), err
}

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

// reduce calls a function, or makes an object of a class: REDUCE, NEWOBJ and NEWOBJ_EX,
// whose arguments by name are not used.
func (m *machine) reduce(op byte) error {
	if op == 0x92 {
		if _, err := m.pop(); err != nil {
			return err
		}
	}
	a, err := m.pop()
	if err != nil {
		return err
	}
	f, err := m.pop()
	if err != nil {
		return err
	}
	args, ok := a.(tuple)
	if !ok {
		return fmt.Errorf("%s: expected a tuple of arguments, found %s", describe(f), describe(a))
	}
	return m.pushCall(f, args, op != 'R')
}

// instance makes an object of a class. The arguments are above a mark, and after them
// (OBJ) the class, or it follows as two lines (INST).
func (m *machine) instance(op byte) error {
	var f value
	if op == 'i' {
		g, err := m.name()
		if err != nil {
			return err
		}
		f = g
	}
	items, err := m.popMark()
	if err != nil {
		return err
	}
	if op == 'o' {
		if len(items) == 0 {
			return errors.New("there is no class")
		}
		f, items = items[0], items[1:]
	}
	if err := m.charge(costTuple + costItem*len(items)); err != nil {
		return err
	}
	return m.pushCall(f, append(tuple(nil), items...), true)
}

// pushCall pushes what f would return for args. Only the functions in the list do
// something; all others give an opaque object. isClass says that the pickle makes an
// instance, so its arguments may be its elements.
func (m *machine) pushCall(f value, args tuple, isClass bool) error {
	g, isName := f.(global)
	switch g {
	case "torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type":
		// (function, class, arguments, attributes): a tensor with attributes, or of a
		// class of its own. Python calls the function.
		inner, ok := tuple(nil), false
		if len(args) == 4 {
			inner, ok = args[2].(tuple)
		}
		if !ok {
			return errors.New("expected (function, class, arguments, attributes)")
		}
		f, args = args[0], inner
		g, isName = f.(global)
	case "copyreg.__newobj__", "copy_reg.__newobj__", "copyreg._reconstructor", "copy_reg._reconstructor":
		// (class, …): how protocols 0 and 1 make an instance. The latter continues
		// (base, value), which has the items of a kind of dictionary.
		if len(args) == 0 {
			return errors.New("expected a class, found no arguments")
		}
		f = args[0]
		o := &object{class: className(f)}
		if strings.HasSuffix(string(g), "__newobj__") {
			o.args = args[1:]
		} else if d, ok := args[len(args)-1].(*dict); ok {
			o.items = d.items[:len(d.items):len(d.items)]
		}
		return m.push(o, costOpaque)
	}
	if fn, ok := functions[g]; ok && isName {
		if len(args) < fn.min || len(args) > fn.max {
			return fmt.Errorf("%s: expected %d to %d arguments, found %d", g, fn.min, fn.max, len(args))
		}
		v, err := fn.call(m, args)
		if err != nil {
			return err
		}
		return m.push(v, 0)
	}
	if why, ok := unreadable[g]; ok {
		return m.push(&unread{why}, costObject)
	}
	if _, isObject := f.(*object); !isName && !isObject {
		return fmt.Errorf("%s cannot be called", describe(f))
	}
	o := &object{class: className(f)}
	if isClass {
		o.args = args
	}
	return m.push(o, costOpaque)
}

// className returns the name of what makes an opaque object.
func className(f value) string {
	switch f := f.(type) {
	case global:
		return string(f)
	case *object:
		return f.class
	}
	return describe(f)
}

// build gives an object its attributes. It ignores the attributes of a dictionary, such as
// the version numbers of a state dict, and those of a list and a tensor.
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
	case *dict, *list, *array, *unread:
	default:
		return fmt.Errorf("%s has no attributes", describe(v))
	}
	return nil
}
