package main

import "pixelgrad/clip"

// A layer is a k×k convolution whose output has side² pixels. A linear layer has k = 1
// and side = 1.
type layer struct {
	in, out, k, side int
	needed           int // channels of the input whose gradient training needs
}

func (l layer) operations(in int) float64 {
	return 2 * float64(in*l.out) * float64(l.k*l.k) * float64(l.side*l.side)
}

// work returns the number of operations that a model needs for all its pictures.
func (m modelSpec) work() (predict, train float64) {
	e := findEnlarger(m.name)
	if e == nil {
		predict, train = work(m.name)
		return predict * float64(m.batch), train * float64(m.batch)
	}
	for _, l := range e.convs {
		predict += l.operations(l.in)
	}
	return predict * float64(m.picture.X) * float64(m.picture.Y), 0
}

// work returns the number of operations that a model needs for one picture, to predict
// and to train. It counts two for each multiply-add of the convolutions and linear layers
// in the model's definition, and nothing else. An algorithm that needs fewer operations
// can therefore exceed 100% of the processor's peak.
func work(model string) (predict, train float64) {
	for _, l := range layers(model) {
		forward := l.operations(l.in)
		predict += forward
		train += 2*forward + l.operations(l.needed) // the gradient of the weights costs as much
	}
	if model == vitName { // attention: each token's scores, and the sum that they weigh
		v := clip.ViTB32().Vision
		tokens := v.ImageSize/v.PatchSize*(v.ImageSize/v.PatchSize) + 1
		predict += float64(v.Layers) * 2 * 2 * float64(tokens*tokens*v.Width)
	}
	return predict, train
}

// layers lists the convolutions and linear layers of a model, at 72×72 pixels; frozen
// networks have 224×224.
func layers(model string) []layer {
	const side = 72
	begin := func(channels int) layer { return layer{3, channels, 3, side, 0} }
	two := func(channels int) []layer { // both enlargements
		return []layer{{channels, 3, 1, 2 * side, channels}, {channels, 3, 1, 4 * side, channels}}
	}
	same := func(in, out, side int) layer { return layer{in, out, 3, side, in} }
	merging := func(channels int) []layer {
		return append([]layer{begin(64), same(64, 64, side), {64 + channels, 64, 3, side, 64}}, two(64)...)
	}
	switch model {
	case "superresnet", "global":
		return []layer{begin(64), same(64, 64, side), {64, 3, 1, 2 * side, 64}}
	case "multi":
		return append([]layer{begin(64), same(64, 64, side)}, two(64)...)
	case "residual", "dilated":
		ls := append([]layer{begin(32)}, two(32)...)
		for _, s := range []int{side, side, 2 * side} { // three blocks
			ls = append(ls, same(32, 32, s), same(32, 32, s))
			if model == "dilated" {
				ls = append(ls, same(32, 32, s), same(96, 32, s))
			}
		}
		return ls
	case "vgg":
		return merging(128)
	case "clip":
		return merging(512)
	case vggName:
		var ls []layer
		in, side := 3, 224
		for _, stage := range vggStages {
			for _, out := range stage {
				ls = append(ls, layer{in, out, 3, side, in})
				in = out
			}
			side /= 2
		}
		return append(ls, layer{in * side * side, 4096, 1, 1, 0}, layer{4096, 4096, 1, 1, 0}, layer{4096, 1000, 1, 1, 0})
	case vitName:
		c := clip.ViTB32()
		v := c.Vision
		grid := v.ImageSize / v.PatchSize
		ls := []layer{{3 * v.PatchSize * v.PatchSize, v.Width, 1, grid, 0}, {v.Width, c.Embed, 1, 1, 0}}
		for range v.Layers {
			weights := v.Width * (4*v.Width + 2*v.Hidden)                              // query, key, value, output; two linear layers
			ls = append(ls, layer{weights, 1, 1, grid, 0}, layer{weights, 1, 1, 1, 0}) // patches and the class token
		}
		return ls
	}
	return nil
}
