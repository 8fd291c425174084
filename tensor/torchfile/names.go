package torchfile

import (
	"errors"
	"fmt"
	"strings"
)

// nested lists the keys under which training programs store the weights in a larger
// dictionary.
var nested = []string{"state_dict", "model", "model_state_dict"}

// maxDepth limits the nesting of TorchScript modules. A module that contains itself would
// have no end.
const maxDepth = 100

// collect finds the tensors in a file's top object and gives them names.
func (f *File) collect(m *machine, top value) error {
	f.byName = map[string]*array{}
	switch top := top.(type) {
	case *object:
		if err := f.walk(m, top, "", 0); err != nil {
			return err
		}
	case *dict:
		if err := f.collectDict(m, top); err != nil {
			return err
		}
	default:
		return fmt.Errorf("expected a dictionary of tensors, found %s; save torch.save(model.state_dict(), …)", describe(top))
	}
	return f.checkTotal()
}

// collectDict takes the tensors of a dictionary. If it has none, collectDict takes those of
// the only inner dictionary under one of the keys in nested.
func (f *File) collectDict(m *machine, d *dict) error {
	if err := f.addAll(m, d); err != nil || len(f.names) > 0 || len(d.items) == 0 {
		return err
	}
	var inner *dict
	var found []string
	for _, key := range nested {
		if v, ok := d.get(key).(*dict); ok {
			inner = v
			found = append(found, key)
		}
	}
	if len(found) == 1 {
		if err := f.addAll(m, inner); err != nil || len(f.names) > 0 || len(inner.items) == 0 {
			return err
		}
		return fmt.Errorf("found no tensors under %q; its keys are %s", found[0], keys(inner))
	}
	return fmt.Errorf("found no tensors; expected a dictionary of them, or exactly one dictionary under a key among %q, but the keys are %s", nested, keys(d))
}

// addAll takes the tensors of a dictionary.
func (f *File) addAll(m *machine, d *dict) error {
	for _, p := range d.items {
		a, ok := p.value.(*array)
		if !ok {
			continue // such as an epoch number
		}
		name, ok := p.key.(string)
		if !ok {
			return fmt.Errorf("a tensor's name must be a text, found %s", describe(p.key))
		}
		if err := f.add(m, name, a); err != nil {
			return err
		}
	}
	return nil
}

// add takes one tensor.
func (f *File) add(m *machine, name string, a *array) error {
	switch {
	case name == "":
		return errors.New("a tensor has an empty name")
	case len(name) > maxName:
		return fmt.Errorf("a tensor has the name %s", quote(name))
	case f.byName[name] != nil:
		return fmt.Errorf("tensor %s is there twice", quote(name))
	}
	if err := m.charge(costPair + costString); err != nil {
		return err
	}
	f.names = append(f.names, name)
	f.byName[name] = a
	return nil
}

// walk takes the tensors of a TorchScript module and of the modules in it, with dotted
// names. Like the module's state_dict, it lists parameters and buffers. It also lists plain
// attributes that are tensors, because only the code in the archive tells them from buffers.
func (f *File) walk(m *machine, o *object, prefix string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("modules lie in each other more than %d deep, at %s", maxDepth, quote(prefix))
	}
	if o.state == nil {
		return nil // an enumeration's value
	}
	d, ok := o.state.(*dict)
	if !ok {
		return fmt.Errorf("module %s of class %s stores itself in its own way, as %s, and cannot be read", quote(prefix), quote(o.class), describe(o.state))
	}
	// Shared objects can form a very large tree, so every step is charged.
	if err := m.charge(costItem * len(d.items)); err != nil {
		return err
	}
	for _, p := range d.items {
		attribute, ok := p.key.(string)
		if !ok {
			return fmt.Errorf("module %s: expected texts for attributes, found %s", quote(prefix), describe(p.key))
		}
		switch v := p.value.(type) {
		case *array:
			if err := m.charge(len(prefix) + len(attribute)); err != nil {
				return err
			}
			if err := f.add(m, prefix+attribute, v); err != nil {
				return err
			}
		case *object:
			if err := m.charge(costString + len(prefix) + len(attribute)); err != nil {
				return err
			}
			if len(prefix)+len(attribute) > maxName {
				return fmt.Errorf("a module has the name %s", quote(prefix+attribute))
			}
			if err := f.walk(m, v, prefix+attribute+".", depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkTotal returns an error if a tensor, or all tensors together, are much larger than the
// file. This happens with views that repeat elements, and with storages under many names.
// Tied weights in half precision need four times the size of the file.
func (f *File) checkTotal() error {
	size := f.src.Size()
	total := int64(0)
	for _, name := range f.names {
		n := 4 * int64(f.byName[name].count)
		if n > memoryBase+2*size {
			return fmt.Errorf("tensor %s of shape %v needs %d bytes, more than twice the file, which has %d", quote(name), f.byName[name].shape, n, size)
		}
		if total += n; total > memoryBase+8*size {
			return fmt.Errorf("its %d tensors share storages so often that they need more than 8 times the file's %d bytes", len(f.names), size)
		}
	}
	return nil
}

// keys lists the first keys of a dictionary, for an error message.
func keys(d *dict) string {
	var out []string
	for _, p := range d.items[:min(len(d.items), 8)] {
		if s, ok := p.key.(string); ok {
			out = append(out, quote(s))
		} else {
			out = append(out, describe(p.key))
		}
	}
	if len(out) < len(d.items) {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}
