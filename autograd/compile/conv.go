package compile

import (
	"fmt"
	"slices"

	"pixelgrad/autograd"
	"pixelgrad/tensor"
)

// conv is a convolution over one or more sources, with its fused addition and activation:
//
//	y = act(conv(concat(sources)) + shortcut)
//
// In: the sources, w, b and, if there is one, the shortcut.
type conv struct {
	dilation int
	forms    []tensor.InputForm // of the sources
	add      bool               // whether there is a shortcut
	addForm  tensor.InputForm
	relu     bool
	prelu    *tensor.Tensor // slopes, or nil: see slopes.go
}

func (k conv) String() string {
	s := "conv"
	if k.dilation > 1 {
		s += fmt.Sprintf(" dilation %d", k.dilation)
	}
	for _, f := range append(slices.Clone(k.forms), k.addForm) {
		if f == tensor.Enlarged {
			s += " of enlarged"
			break
		}
	}
	if k.add {
		s += " + add"
	}
	if k.relu {
		s += " + relu"
	}
	if k.prelu != nil {
		s += " + prelu"
	}
	return s
}

// split returns what the operands of a step are.
func (k conv) split(in []*Tensor) (sources []*Tensor, w, b, add *Tensor) {
	n := len(k.forms)
	if k.add {
		add = in[n+2]
	}
	return in[:n], in[n], in[n+1], add
}

// inputs describes the sources.
func (k conv) inputs(sources []*Tensor) []tensor.ConvInput {
	var inputs []tensor.ConvInput
	for i, t := range sources {
		inputs = append(inputs, tensor.ConvInput{Shape: t.Shape, Form: k.forms[i]})
	}
	return inputs
}

func (k conv) prepare(s *Step) *prepared {
	sources, w, _, add := k.split(s.In)
	o := tensor.ConvOptions{Dilation: k.dilation, ReLU: k.relu, PReLU: k.prelu}
	if add != nil {
		o.Add = &tensor.ConvInput{Shape: add.Shape, Form: k.addForm}
	}
	plan := tensor.PlanConv2d(k.inputs(sources), w.Shape, o)
	n, packedLen := len(k.forms), plan.PackedLen()
	run := func(out, in []*tensor.Tensor, packed, scratch []float32) {
		var add *tensor.Tensor
		if k.add {
			add = in[n+2]
		}
		plan.Run(out[0], in[:n], in[n], in[n+1], add, packed, scratch)
	}
	pack := &packing{length: packedLen, scratch: plan.ScratchLen(), run: run}
	pack.fill = func(dst []float32, in []*tensor.Tensor) { plan.PackWeights(dst, in[n]) }
	return &prepared{
		scratch: packedLen + plan.ScratchLen(),
		run: func(out, in []*tensor.Tensor, scratch []float32) {
			pack.fill(scratch[:packedLen], in)
			run(out, in, scratch[:packedLen], scratch[packedLen:])
		},
		pack:     pack,
		work:     plan.Work,
		packWork: plan.PackWork,
	}
}

// gradient adds one step that computes all gradients of the convolution in one pass over dy.
// ReLU's derivative is applied while dy is read or, if a shortcut needs it too, before.
func (k conv) gradient(b *differentiation, s *Step, dy *Tensor, want []bool) []*Tensor {
	if k.prelu != nil {
		panic("compile: a gradient of a convolution with PReLU, which comes after the gradients")
	}
	sources, w, bias, add := k.split(s.In)
	gradients := make([]*Tensor, len(s.In))
	masked := k.relu
	if add != nil && want[len(s.In)-1] {
		if masked {
			dz := &Tensor{Shape: dy.Shape}
			b.add(&Step{Kernel: applyBackward{op: autograd.ReLUOp{}, want: []bool{true}, shapes: [][]int{dy.Shape}, result: dy.Shape},
				In: []*Tensor{dy, s.Out[0]}, Out: []*Tensor{dz}, Phase: Backward})
			dy, masked = dz, false
		}
		gradients[len(s.In)-1] = dy
		if k.addForm == tensor.Enlarged {
			small := &Tensor{Shape: add.Shape}
			b.add(&Step{Kernel: applyBackward{op: autograd.Upsample2Op{}, want: []bool{true}, shapes: [][]int{add.Shape}, result: dy.Shape},
				In: []*Tensor{dy}, Out: []*Tensor{small}, Phase: Backward})
			gradients[len(s.In)-1] = small
		}
	}
	kernel := convBackward{dilation: k.dilation, forms: k.forms, relu: masked}
	back := &Step{In: append([]*Tensor{dy, w}, sources...), Phase: Backward}
	if masked {
		back.In = append(back.In, s.Out[0])
	}
	wanted := false
	for i := range len(sources) {
		g := tensor.NoGrad
		if want[i] {
			g = tensor.Grad
		}
		kernel.grads = append(kernel.grads, g)
	}
	n := len(sources)
	kernel.weights, kernel.bias = want[n], want[n+1]
	for i, t := range append(slices.Clone(sources), w, bias) {
		if want[i] {
			gradients[i] = &Tensor{Shape: t.Shape}
			back.Out = append(back.Out, gradients[i])
			wanted = true
		}
	}
	if wanted {
		back.Kernel = kernel
		b.add(back)
	}
	return gradients
}

func (conv) overwrites(*Step) []int { return nil }

// convBackward computes the gradients of a convolution in one pass over dy.
// In: dy, w, the sources and, if relu, the result. Out: the gradients that are wanted, of the
// sources, w and the bias.
type convBackward struct {
	dilation      int
	forms         []tensor.InputForm
	grads         []tensor.InputGrad
	relu          bool // dy is to be 0 where the result is not above 0
	weights, bias bool // whether their gradients are wanted
}

func (k convBackward) String() string {
	s := "∂ conv"
	if k.dilation > 1 {
		s += fmt.Sprintf(" dilation %d", k.dilation)
	}
	if k.relu {
		s += " of ∂ relu"
	}
	if slices.Contains(k.grads, tensor.MaskedGrad) {
		s += ", ∂ relu"
	}
	return s
}

// result returns the tensor that masks dy.
func (k convBackward) result(s *Step) *Tensor {
	if !k.relu {
		return nil
	}
	return s.In[len(s.In)-1]
}

func (k convBackward) prepare(s *Step) *prepared {
	n := len(k.forms)
	var inputs []tensor.ConvInput
	for i := range n {
		inputs = append(inputs, tensor.ConvInput{Shape: s.In[2+i].Shape, Form: k.forms[i], Grad: k.grads[i]})
	}
	plan := tensor.PlanConv2dBackward(inputs, s.In[1].Shape, tensor.ConvOptions{Dilation: k.dilation, ReLU: k.relu}, k.weights, k.bias)
	dx := make([]*tensor.Tensor, n)
	return &prepared{scratch: plan.ScratchLen(), work: plan.Work, run: func(out, in []*tensor.Tensor, scratch []float32) {
		next := func() *tensor.Tensor {
			t := out[0]
			out = out[1:]
			return t
		}
		for i, g := range k.grads {
			if g != tensor.NoGrad {
				dx[i] = next()
			}
		}
		var dw, db, y *tensor.Tensor
		if k.weights {
			dw = next()
		}
		if k.bias {
			db = next()
		}
		if k.relu {
			y = in[2+n]
		}
		plan.Run(dx, dw, db, in[2:2+n], in[1], y, in[0], scratch)
	}}
}

func (convBackward) gradient(*differentiation, *Step, *Tensor, []bool) []*Tensor {
	panic("compile: a gradient of a gradient")
}

func (convBackward) overwrites(*Step) []int { return nil }
