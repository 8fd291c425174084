package torchfile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth limits how deep values may lie in each other. An object and the dictionary of its
// attributes are two.
const maxDepth = 1000

// bare is the name of a tensor that is a file's only object.
const bare = "tensor"

// collector walks through a file's top object and gives every tensor the name of its path.
//
// A container that is there under several paths is walked under each of them, as tied
// weights need it. Every step is charged, because a few bytes can mean 2^n paths. A
// list, dictionary or object that lies in itself is not entered again: its tensors have a
// name already.
type collector struct {
	f    *File
	m    *machine
	path []segment
	// listed is how many containers of the path are in f.dicts; those are its first.
	listed int
	depth  int
	isDict map[string]bool // what f.dicts has
	// inModule is true below a module.
	inModule bool
}

// segment is one step of a path: a key, and the position that names what has no text.
type segment struct {
	key      value
	position int
}

// collect finds the tensors below a file's top object.
func (f *File) collect(m *machine, top value) error {
	f.byName, f.unread, f.modules = map[string]*array{}, map[string]string{}, map[string]bool{}
	c := &collector{f: f, m: m, isDict: map[string]bool{}}
	if err := c.walk(top); err != nil {
		return err
	}
	if f.frozen() {
		if err := c.step("constants", 0, f.constants); err != nil {
			return err
		}
	}
	if len(f.names) == 0 {
		return f.noTensor(top)
	}
	return f.checkTotal()
}

// frozen reports whether the weights of a TorchScript archive are its constants: if these
// have more elements than the module. torch.jit.freeze makes such archives. The constants of
// others are small numbers that the code needs.
func (f *File) frozen() bool {
	constants, _ := f.constants.(tuple)
	more := 0.0
	for _, v := range constants {
		if a, ok := v.(*array); ok {
			more += float64(a.count)
		}
	}
	for _, a := range f.byName {
		more -= float64(a.count)
	}
	return more > 0
}

// walk takes the tensors in v, which is at the end of the path.
func (c *collector) walk(v value) error {
	if c.depth > maxDepth {
		return fmt.Errorf("its values lie in each other more than %d deep, at %s", maxDepth, quote(c.name(8)+"…"))
	}
	c.depth++
	defer func() { c.depth-- }()
	switch v := v.(type) {
	case *array:
		return c.add(v)
	case *unread:
		return c.skip(v)
	case tuple:
		return c.sequence(v)
	case *list:
		if v.open {
			return nil
		}
		v.open = true
		defer func() { v.open = false }()
		return c.sequence(v.items)
	case *dict:
		if v.open {
			return nil
		}
		v.open = true
		defer func() { v.open = false }()
		return c.pairs(v.items)
	case *object:
		return c.object(v)
	}
	return nil
}

func (c *collector) sequence(items []value) error {
	if err := c.m.charge(costVisit + len(items)); err != nil {
		return err
	}
	for i, item := range items {
		if holds(item) {
			if err := c.step(int64(i), i, item); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *collector) pairs(items []pair) error {
	if err := c.m.charge(costVisit + len(items)); err != nil {
		return err
	}
	for i, p := range items {
		if holds(p.value) {
			if err := c.step(p.key, i, p.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// holds reports whether a value is a tensor or may have one in it.
func holds(v value) bool {
	switch v.(type) {
	case *array, *unread, tuple, *list, *dict, *object:
		return true
	}
	return false
}

// step walks v, one step further along the path.
func (c *collector) step(key value, position int, v value) error {
	c.path = append(c.path, segment{key, position})
	err := c.walk(v)
	c.path = c.path[:len(c.path)-1]
	c.listed = min(c.listed, len(c.path)+1)
	return err
}

// tensor returns the name of what is at the end of the path.
func (c *collector) tensor() string {
	if len(c.path) == 0 {
		return bare
	}
	return c.name(len(c.path))
}

// name joins the first n steps of the path with dots.
func (c *collector) name(n int) string {
	var b strings.Builder
	for i, s := range c.path[:min(n, len(c.path))] {
		if i > 0 {
			b.WriteByte('.')
		}
		text, ok := keyText(s.key)
		if !ok {
			text = "#" + strconv.Itoa(s.position)
		}
		b.WriteString(text)
		if b.Len() > maxName {
			break
		}
	}
	return b.String()
}

// add takes the tensor at the end of the path, and lists the containers around it that are
// not listed yet.
func (c *collector) add(a *array) error {
	for ; c.listed < max(1, len(c.path)); c.listed++ {
		dict := c.name(c.listed)
		if err := c.m.charge(costAppend + costPair + len(dict)); err != nil {
			return err
		}
		if len(dict) <= maxName && !c.isDict[dict] { // of a longer name the tensor is an error
			c.f.dicts = append(c.f.dicts, dict)
			c.isDict[dict] = true
		}
	}
	for _, s := range c.path {
		if text, ok := keyText(s.key); ok && text == "" {
			return fmt.Errorf("a tensor's key is an empty text, in %s", quote(c.name(len(c.path))))
		}
	}
	name := c.tensor()
	if err := c.m.charge(2 * len(name)); err != nil {
		return err
	}
	return c.f.add(c.m, name, a)
}

// skip notes why the tensor at the end of the path has no name in the file.
func (c *collector) skip(u *unread) error {
	name := c.tensor()
	if err := c.m.charge(costPair + costString + 2*len(name)); err != nil {
		return err
	}
	c.f.unread[name] = u.why
	return nil
}

// keyText returns a key as Python's str writes it: texts, numbers, None, and tuples of
// them. All others have no text.
func keyText(key value) (text string, ok bool) {
	switch k := key.(type) {
	case string:
		return k, true
	case raw:
		return string(k), utf8.ValidString(string(k))
	case int64:
		return strconv.FormatInt(k, 10), true
	case bool:
		if k {
			return "True", true
		}
		return "False", true
	case nil:
		return "None", true
	case float64:
		s := strconv.FormatFloat(k, 'g', -1, 64)
		if strings.Trim(s, "-0123456789") == "" {
			s += ".0"
		}
		return s, true
	case tuple:
		parts := make([]string, 0, 4)
		for _, item := range k {
			if _, isTuple := item.(tuple); isTuple || len(parts) == 4 {
				return "", false
			}
			part, ok := keyText(item)
			if !ok {
				return "", false
			}
			if _, isText := item.(string); isText {
				part = "'" + part + "'"
			}
			parts = append(parts, part)
		}
		if len(parts) == 1 {
			return "(" + parts[0] + ",)", true
		}
		return "(" + strings.Join(parts, ", ") + ")", true
	}
	return "", false
}

// add takes one tensor.
func (f *File) add(m *machine, name string, a *array) error {
	switch {
	case len(name) > maxName:
		return fmt.Errorf("a tensor has the name %s", quote(name))
	case f.byName[name] != nil:
		// Python would let the last of two equal keys count. But nobody's program writes
		// such a file, and which tensor was meant cannot be told.
		return fmt.Errorf("tensor %s is there twice", quote(name))
	}
	if err := m.charge(costPair + costString); err != nil {
		return err
	}
	f.names = append(f.names, name)
	f.byName[name] = a
	return nil
}
