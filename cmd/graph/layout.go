//go:build !js

package main

import (
	"bytes"
	"context"

	"github.com/goccy/go-graphviz"
)

// layout has Graphviz draw a graph.
func layout(ctx context.Context, dot []byte) ([]byte, error) {
	g, err := graphviz.New(ctx)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	graph, err := graphviz.ParseBytes(dot)
	if err != nil {
		return nil, err
	}
	defer graph.Close()
	var svg bytes.Buffer
	err = g.Render(ctx, graph, graphviz.SVG, &svg)
	return svg.Bytes(), err
}
