package main

import (
	"context"
	"errors"
)

// layout is not there: Graphviz is WebAssembly itself, and its runtime does not run in it.
func layout(context.Context, []byte) ([]byte, error) {
	return nil, errors.New("expected a file that ends in .dot: this program cannot draw .svg under WebAssembly")
}
