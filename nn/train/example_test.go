package train_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"

	"pixelgrad/autograd"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/nn/train"
	"pixelgrad/tensor"
)

// A sharpener is a network of one's own: it makes one picture of another.
type sharpener struct{ conv1, conv2 *nn.Conv2d }

func (m sharpener) Forward(x *autograd.Value) *autograd.Value {
	return autograd.Add(x, m.conv2.Forward(autograd.ReLU(m.conv1.Forward(x))))
}

func (m sharpener) Parameters() []nn.Parameter {
	return nn.Join(nn.Child{Name: "conv1", Module: m.conv1}, nn.Child{Name: "conv2", Module: m.conv2})
}

// blurred is its data: random pictures that a box filter has blurred, and the pictures.
type blurred struct{ batches int }

type batch = train.Batch[*autograd.Value, *autograd.Value]

func (d blurred) Batches() int { return d.batches }

func (d blurred) Epoch(epoch int) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		rng := rand.New(rand.NewPCG(1, uint64(epoch)))
		box := tensor.New(1, 1, 3, 3)
		tensor.Fill(box, 1./9)
		for range d.batches {
			y := tensor.New(4, 1, 12, 12)
			for i := range y.Data() {
				y.Data()[i] = rng.Float32()
			}
			x := tensor.Conv2d(y, box, nil, tensor.ConvOptions{})
			if !yield(batch{Input: autograd.Constant(x), Target: autograd.Constant(y), Size: 4}) {
				return
			}
		}
	}
}

// Train a network of one's own. It runs as a compiled program; Plain: true would run it on
// the plain tape.
func ExampleLoop() {
	rng := rand.New(rand.NewPCG(1, 1))
	m := sharpener{nn.NewConv2d(rng, 1, 8, 3), nn.NewConv2d(rng, 8, 1, 3)}
	loop := train.Loop[*autograd.Value, *autograd.Value]{
		Model: m,
		Loss: func(prediction, target *autograd.Value) []*autograd.Value {
			return []*autograd.Value{autograd.MSE(prediction, target)}
		},
		Optimizer: optim.NewAdam(m.Parameters(), 0.01),
		Train:     blurred{20},
		Epochs:    5,
		OnEpoch: func(e train.Epoch) error {
			fmt.Printf("epoch %d: loss %.2f\n", e.Epoch, e.Train[0])
			return nil
		},
	}
	steps, err := loop.Run(context.Background())
	fmt.Println(steps, "steps", err)
	// Output:
	// epoch 1: loss 0.09
	// epoch 2: loss 0.08
	// epoch 3: loss 0.07
	// epoch 4: loss 0.07
	// epoch 5: loss 0.06
	// 100 steps <nil>
}
