// Package diagram draws networks for people: a box for each layer, with what it computes and how
// many numbers it learns, and an arrow for each tensor, with its shape.
//
// The drawing is made from what the network computes: Of records its operations, as
// autograd/compile does, and layout.go decides where their boxes are.
package diagram

import (
	"fmt"
	"slices"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/cmd/internal/report"
	"pixelgrad/vision/superres"
)

// Of draws a model for inputs of the shapes of in, of which the number of photographs is not
// shown. features names what in.Features are, as in "VGG16's relu2_2". The same model has the
// same drawing. It panics where the model's Forward would.
func Of(model superres.Model, in superres.Input, features string) *report.Diagram {
	in = in.Map(func(v *autograd.Value) *autograd.Value {
		if v == nil {
			return nil
		}
		return autograd.Placeholder(v.Shape()...)
	})
	out := model.Forward(in).Sizes()
	names := map[*autograd.Value]string{}
	for _, p := range model.Parameters() {
		names[p.Value] = p.Name
	}
	sorted := autograd.Sorted(out...)
	readers := map[*autograd.Value]int{}
	for _, v := range sorted {
		_, operands := v.Source()
		for _, x := range operands {
			readers[x]++
		}
	}
	var g graph
	from := map[*autograd.Value]*vertex{} // the box that an arrow with the value leaves
	for _, v := range sorted {
		op, operands := v.Source()
		switch {
		case v == in.Photo:
			from[v] = g.add("input", "photograph")
		case v == in.Features:
			from[v] = g.add("input", features, shape(v)+", frozen")
		case op == nil: // a parameter, which its reader names, or a constant
		case foldable(op) && from[operands[0]] != nil && readers[operands[0]] == 1 && from[operands[0]].kind != "input" && !slices.Contains(out, operands[0]):
			from[v] = from[operands[0]]
			from[v].lines[0] += " + " + word(op)
		default:
			kind, lines := describe(op, operands, names)
			from[v] = g.add(kind, lines...)
			for _, x := range operands {
				if from[x] != nil {
					g.connect(from[x], from[v], shape(x))
				}
			}
		}
	}
	for _, v := range out {
		s := v.Shape()
		prediction := g.add("output", fmt.Sprintf("prediction %d×%d", s[2], s[3]))
		if from[v] != nil {
			g.connect(from[v], prediction, shape(v))
		}
	}
	return g.layout()
}

// foldable says whether an operation is drawn in the box before it.
func foldable(op autograd.Operation) bool {
	switch op.(type) {
	case autograd.ReLUOp, autograd.SigmoidOp:
		return true
	}
	return false
}

// describe returns what the box of an operation says. A layer has the name of its weights.
func describe(op autograd.Operation, operands []*autograd.Value, names map[*autograd.Value]string) (kind string, lines []string) {
	layer, count := "", 0
	for _, x := range operands {
		if name, trained := names[x]; trained {
			count += x.Data().Len()
			if layer == "" {
				layer = name[:max(0, strings.LastIndexByte(name, '.'))]
			}
		}
	}
	text := word(op)
	if c, ok := op.(autograd.Conv2dOp); ok {
		w := operands[1].Shape()
		text = fmt.Sprintf("conv %d×%d, %d→%d", w[2], w[3], w[1], w[0])
		if c.Dilation > 1 {
			text += fmt.Sprintf(", dilation %d", c.Dilation)
		}
	}
	if count == 0 {
		return "fixed", []string{text}
	}
	if layer != "" {
		lines = append(lines, layer)
	}
	return "trained", append(lines, text, format.Thousands(count)+" parameters")
}

// word names an operation as the drawings of the networks in vision/superres do.
func word(op autograd.Operation) string {
	switch op := op.(type) {
	case autograd.ReLUOp:
		return "relu"
	case autograd.SigmoidOp:
		return "sigmoid"
	case autograd.Upsample2Op:
		return "up2 (bilinear ×2)"
	case autograd.UpsampleBicubicOp:
		return fmt.Sprintf("bicubic ×%d", op.Factor)
	case autograd.ConcatChannelsOp:
		return "concat"
	case autograd.ExpandOp:
		return fmt.Sprintf("expand to %d×%d", op.H, op.W)
	case autograd.AddOp:
		return "add"
	}
	name := fmt.Sprintf("%T", op)
	return strings.ToLower(strings.TrimSuffix(name[strings.LastIndexByte(name, '.')+1:], "Op"))
}

// shape writes a shape without the number of photographs: 64×72×72.
func shape(v *autograd.Value) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(v.Shape()[1:]), "[]"), " ", "×")
}
