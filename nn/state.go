package nn

import (
	"fmt"
	"slices"
	"strings"

	"pixelgrad/tensor"
)

// NamedTensor is a tensor with its name in a state dict.
type NamedTensor struct {
	Name   string
	Tensor *tensor.Tensor
}

// StateDict returns the parameters' tensors under their names: the memory itself,
// not a copy.
func StateDict(m Module) []NamedTensor {
	ps := m.Parameters()
	checkUnique(ps)
	state := make([]NamedTensor, len(ps))
	for i, p := range ps {
		state[i] = NamedTensor{p.Name, p.Data()}
	}
	return state
}

// LoadStateDict copies tensors into the parameters of the same names. get returns
// the tensor called name; source is what the error calls the place they come from,
// and names lists all that it has. Tensors that the module does not know are left
// alone. Nothing is changed if a tensor is missing, has another shape or numbers
// that are not finite: the error then names it, and what was expected and found.
func LoadStateDict(m Module, source string, names []string, get func(name string) (*tensor.Tensor, error)) error {
	ps := m.Parameters()
	checkUnique(ps)
	if err := checkNames(ps, source, names); err != nil {
		return err
	}
	loaded := make([]*tensor.Tensor, len(ps))
	for i, p := range ps {
		t, err := get(p.Name)
		if err != nil {
			return err
		}
		if !slices.Equal(t.Shape(), p.Shape()) {
			return fmt.Errorf("%s: tensor %q has shape %v, the model's has %v: these are the weights of another model", source, p.Name, t.Shape(), p.Shape())
		}
		for j, v := range t.Data() {
			if v-v != 0 { // NaN, or infinite
				return fmt.Errorf("%s: tensor %q, number %d: expected a finite number, found %v: these weights are from a training that diverged", source, p.Name, j, v)
			}
		}
		loaded[i] = t
	}
	for i, p := range ps {
		copy(p.Data().Data(), loaded[i].Data())
	}
	return nil
}

// checkNames returns an error if one of the parameters has no tensor. It says how many have
// none, and what is there instead.
func checkNames(ps []Parameter, source string, names []string) error {
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	var missing []Parameter
	ours := make(map[string]bool, len(ps))
	for _, p := range ps {
		ours[p.Name] = true
		if !there[p.Name] {
			missing = append(missing, p)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	first := fmt.Sprintf("no tensor %q of shape %v", missing[0].Name, missing[0].Shape())
	if len(missing) == len(ps) {
		return fmt.Errorf("%s: %s, nor any other of the model's %d; it has %s: these are the weights of another model, or under other names", source, first, len(ps), list(names))
	}
	extra := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return ours[name] })
	return fmt.Errorf("%s: %s; it has %d of the model's %d tensors, and of others %s: these are the weights of another model", source, first, len(ps)-len(missing), len(ps), list(extra))
}

// list names a few of many.
func list(names []string) string {
	const most = 6
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
