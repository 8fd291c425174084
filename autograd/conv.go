package autograd

import "pixelgrad/tensor"

// Conv2d convolves images with weights and adds a bias: stride 1, zeros around the image
// ("same" padding), odd kernels. d is the dilation, ordinarily 1: the distance between the
// input pixels of two neighbouring weights. kh/2 and kw/2 are rounded down.
//
//	y[n,oc,i,j] = b[oc] + Σ_ic,ky,kx w[oc,ic,ky,kx] · x[n,ic,i+d·(ky-kh/2),j+d·(kx-kw/2)]
//
// Backward:
//
//	dx[n,ic,i,j]    = Σ_oc,ky,kx w[oc,ic,ky,kx] · dy[n,oc,i-d·(ky-kh/2),j-d·(kx-kw/2)]
//	dw[oc,ic,ky,kx] = Σ_n,i,j dy[n,oc,i,j] · x[n,ic,i+d·(ky-kh/2),j+d·(kx-kw/2)]
//	db[oc]          = Σ_n,i,j dy[n,oc,i,j]
//
// Shapes: x (n,ic,h,w), w (oc,ic,kh,kw), b (oc) → (n,oc,h,w). It panics if they do not fit.
// It matches torch.nn.functional.conv2d(x, w, b, padding="same", dilation=d).
func Conv2d(x, w, b *Value, dilation int) *Value { return Apply(Conv2dOp{Dilation: dilation}, x, w, b) }

// Conv2dOp is the operation of Conv2d.
type Conv2dOp struct {
	Dilation int
	readsOperands
}

func (op Conv2dOp) Forward(in ...*tensor.Tensor) *tensor.Tensor {
	x, w, b := in[0], in[1], in[2]
	return tensor.Conv2d(x, w, b, tensor.ConvOptions{Dilation: op.Dilation})
}

func (op Conv2dOp) Backward(dy, _ *tensor.Tensor, in []*tensor.Tensor, want []bool) []*tensor.Tensor {
	x, w := in[0], in[1]
	var dx, dw, db *tensor.Tensor
	if want[0] {
		dx = tensor.Conv2dInputGrad(w, dy, op.Dilation)
	}
	if want[1] {
		dw = tensor.Conv2dWeightGrad(x, dy, w.Dim(2), w.Dim(3), op.Dilation)
	}
	if want[2] {
		db = tensor.Conv2dBiasGrad(dy)
	}
	return []*tensor.Tensor{dx, dw, db}
}

func (op Conv2dOp) Shape(in ...[]int) []int {
	return tensor.Conv2dShape("Conv2d", in[0], in[1], in[2], op.Dilation)
}

// Upsample2 enlarges images by two in both directions, by bilinear interpolation with
// half-pixel centres. Backward is the transposed map: each input pixel sums the gradients of
// the output pixels that it contributes to. tensor.Upsample2 and tensor.Upsample2Backward
// have the formulas. Shapes: (n,c,h,w) → (n,c,2h,2w). It panics for another rank.
func Upsample2(x *Value) *Value { return Apply(Upsample2Op{}, x) }

// Upsample2Op is the operation of Upsample2.
type Upsample2Op struct{ readsNeither }

func (Upsample2Op) Forward(x ...*tensor.Tensor) *tensor.Tensor { return tensor.Upsample2(x[0]) }

func (Upsample2Op) Backward(dy, _ *tensor.Tensor, _ []*tensor.Tensor, _ []bool) []*tensor.Tensor {
	return []*tensor.Tensor{tensor.Upsample2Backward(dy)}
}

func (Upsample2Op) Shape(x ...[]int) []int {
	s := rank("Upsample2", x[0], 4, "(n,c,h,w)")
	return []int{s[0], s[1], 2 * s[2], 2 * s[3]}
}
