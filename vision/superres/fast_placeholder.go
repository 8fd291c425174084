package superres

import "math/rand/v2"

// LoadFast stands here until the weights are there: what it returns is bicubic interpolation.
func LoadFast(scale int) (*Fast, error) { return NewFast(rand.New(rand.NewPCG(0, 0)), scale), nil }
