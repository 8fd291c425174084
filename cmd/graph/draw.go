package main

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"

	"pixelgrad/autograd/compile"
	"pixelgrad/cmd/internal/format"
)

// draw draws the network as it is written, and after each pass that changes it, side by side.
func draw(ctx context.Context, title string, stages []stage, svg bool) ([]byte, error) {
	var panels [][]byte
	var headings []string
	for i, s := range stages {
		if i > 0 && !s.effective(stages[i-1]) {
			continue
		}
		heading := "As written"
		if s.pass.Name != "" {
			heading = "After “" + s.pass.Name + "”: " + s.pass.Does
		}
		heading += fmt.Sprintf(" (%d steps, %s multiplications, %s)", len(s.program.Graph.Steps), count(multiplications(s.program.Graph)), format.Bytes(int64(s.program.Bytes())))
		panel := []byte(dot(heading, s))
		if svg {
			var err error
			if panel, err = layout(ctx, panel); err != nil {
				return nil, err
			}
		}
		panels, headings = append(panels, panel), append(headings, heading)
	}
	if !svg {
		return bytes.Join(panels, []byte("\n")), nil
	}
	return join(title, headings, panels)
}

// colors of the phases.
var colors = map[compile.Phase]string{compile.Forward: "#dcebfb", compile.Loss: "#fdf0c4", compile.Backward: "#fbe0d8"}

// dot writes a graph in Graphviz's language: steps as boxes, tensors as arrows.
func dot(heading string, s stage) string {
	g := s.program.Graph
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %q {\n  rankdir=TB; nodesep=0.25; ranksep=0.35;\n", heading)
	fmt.Fprint(&b, "  node [shape=box, style=\"filled,rounded\", fontname=\"Helvetica\", fontsize=11, margin=\"0.2,0.06\", color=\"#8a8a8a\"];\n  edge [fontname=\"Helvetica\", fontsize=9, color=\"#6a6a6a\", arrowsize=0.6];\n")
	from := map[*compile.Tensor]string{}
	for i, t := range g.Inputs {
		from[t] = fmt.Sprintf("in%d", i)
		fmt.Fprintf(&b, "  in%d [label=%q, shape=ellipse, fillcolor=\"#ffffff\"];\n", i, t.Name+"\n"+shape(t))
	}
	phase := map[*compile.Tensor]compile.Phase{}
	for i, st := range g.Steps {
		id := fmt.Sprintf("s%d", i)
		label := describe(st)
		if n := st.Multiplications(); n > 0 {
			label += "\n" + count(n) + " multiplications"
		}
		if m := stored(st); m != "" {
			label += "\n" + m
		}
		border := ""
		if s.changed[st] {
			border = ", penwidth=2.6, color=\"#b03030\""
		}
		fmt.Fprintf(&b, "  %s [label=%q, fillcolor=%q%s];\n", id, label, colors[st.Phase], border)
		for _, t := range st.In {
			source, ok := from[t]
			if !ok {
				continue // a parameter: the label names it
			}
			style := ""
			if st.Phase == compile.Backward && phase[t] != compile.Backward {
				style = ", style=dashed, color=\"#b0b0b0\", fontcolor=\"#909090\"" // kept for the backward phase
			}
			fmt.Fprintf(&b, "  %s -> %s [label=%q%s];\n", source, id, shape(t), style)
		}
		for _, t := range st.Out {
			from[t], phase[t] = id, st.Phase
		}
	}
	for i, t := range g.Outputs {
		fmt.Fprintf(&b, "  out%d [label=\"prediction %d\", shape=ellipse, fillcolor=\"#ffffff\"];\n  %s -> out%d [label=%q];\n", i, i, from[t], i, shape(t))
	}
	fmt.Fprint(&b, "}\n")
	return b.String()
}

var (
	sizeOf  = regexp.MustCompile(`<svg width="([0-9.]+)pt" height="([0-9.]+)pt"`)
	element = regexp.MustCompile(`(?s)<svg .*</svg>`)
)

// join puts drawings side by side, each under its heading.
func join(title string, headings []string, panels [][]byte) ([]byte, error) {
	const gap, top = 40, 90
	var body strings.Builder
	x, height := float64(gap), 0.0
	for i, p := range panels {
		m := sizeOf.FindSubmatch(p)
		if m == nil {
			return nil, fmt.Errorf("the layout has no size")
		}
		w, _ := strconv.ParseFloat(string(m[1]), 64)
		h, _ := strconv.ParseFloat(string(m[2]), 64)
		fmt.Fprintf(&body, "<text x=\"%.0f\" y=\"%d\" font-size=\"15\">%s</text>\n", x, top-18, html.EscapeString(headings[i]))
		fmt.Fprintf(&body, "<svg x=\"%.0f\" y=\"%d\" %s\n", x, top, strings.TrimPrefix(string(element.Find(p)), "<svg "))
		x += max(w*4/3, 8*float64(len([]rune(headings[i])))) + gap // points to pixels
		height = max(height, h*4/3)
	}
	var svg bytes.Buffer
	fmt.Fprintf(&svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" width=\"%.0f\" height=\"%.0f\" font-family=\"Helvetica, Arial, sans-serif\">\n", x, height+top+gap)
	fmt.Fprintf(&svg, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<text x=\"%d\" y=\"38\" font-size=\"22\">%s</text>\n%s</svg>\n", gap, html.EscapeString(title), body.String())
	return svg.Bytes(), nil
}
