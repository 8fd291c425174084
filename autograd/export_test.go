package autograd

import "pixelgrad/tensor"

// BackwardFrom lets tests start from a gradient of their own.
func BackwardFrom(v *Value, dy *tensor.Tensor) { v.backwardFrom(dy) }
