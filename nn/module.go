// Package nn builds networks from the operations of package autograd: layers with
// their parameters, PyTorch's initialisation and names, and losses.
package nn

import (
	"fmt"

	"pixelgrad/autograd"
)

// A Module is a network or a part of one: something with parameters.
type Module interface {
	// Parameters returns the trained parameters in a fixed order, each with the
	// name that PyTorch's state dict would give it, as in "block1.conv1.weight".
	Parameters() []Parameter
}

// A Parameter is a trained tensor with its name.
type Parameter struct {
	Name string
	*autograd.Value
}

// Child is a module with the name of the field that holds it.
type Child struct {
	Name   string
	Module Module
}

// Join returns the parameters of a module's children, named "child.parameter".
func Join(children ...Child) []Parameter {
	var all []Parameter
	for _, c := range children {
		for _, p := range c.Module.Parameters() {
			all = append(all, Parameter{c.Name + "." + p.Name, p.Value})
		}
	}
	return all
}

// Count returns how many numbers a module learns.
func Count(m Module) int {
	n := 0
	for _, p := range m.Parameters() {
		n += p.Data().Len()
	}
	return n
}

// checkUnique panics if two parameters have the same name: a mistake in a model.
func checkUnique(ps []Parameter) {
	seen := map[string]bool{}
	for _, p := range ps {
		if seen[p.Name] {
			panic(fmt.Sprintf("nn: two parameters are called %q", p.Name))
		}
		seen[p.Name] = true
	}
}
