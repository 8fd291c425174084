package autograd

import "pixelgrad/tensor"

// BackwardFrom lets tests start from a gradient of their own.
func BackwardFrom(v *Value, dy *tensor.Tensor) { v.backwardFrom(dy) }

// Stored says whether a value has its tensor.
func Stored(v *Value) bool { return v.data != nil }
