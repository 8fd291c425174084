package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"pixelgrad/autograd"
	"pixelgrad/internal/recipe"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/tensor"
	"pixelgrad/vision/superres"
)

// answer is what a process that runs a model says.
type answer struct {
	Loss    float64 `json:"loss,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Bytes   float64 `json:"bytes,omitempty"`
	Name    string  `json:"name,omitempty"`
}

// serveModel runs a model as testdata/peers/torch_bench.py does: same weights, same
// pictures, same questions.
func serveModel(o *options, in io.Reader, out io.Writer) error {
	arch, err := superres.Find(o.serve)
	if err != nil {
		return err
	}
	m := arch.New(rand.New(rand.NewPCG(0, 0)))
	recipe.FillWeights(m, 0)
	x := recipe.Pixels(50, o.batch, 3, 72, 72)
	var targets []*autograd.Value
	for i := range arch.Outputs {
		targets = append(targets, autograd.Constant(recipe.Pixels(51+i, o.batch, 3, 144<<i, 144<<i)))
	}
	extra := features(arch, o.batch)
	adam := optim.NewAdam(m.Parameters(), 0.001)
	loss := func() *autograd.Value {
		var total *autograd.Value
		for i, p := range m.Forward(autograd.Constant(x), extra...) {
			if l := nn.PSNRLoss(p, targets[i]); total == nil {
				total = l
			} else {
				total = autograd.Add(total, l)
			}
		}
		return total
	}
	return serve(in, out, func() float64 {
		l := loss()
		defer l.Free()
		return float64(l.Data().Data()[0])
	}, func() {
		loss().Backward()
		adam.Step()
	}, func() {
		for _, p := range m.Forward(autograd.Inference(x), extra...) {
			p.Free()
		}
	})
}

// serve answers questions about a model. train is nil if it only predicts.
func serve(in io.Reader, out io.Writer, loss func() float64, train, infer func()) error {
	timed := func(n int, f func()) answer {
		start := time.Now()
		for range n {
			f()
		}
		return answer{Seconds: time.Since(start).Seconds() / float64(n)}
	}
	return answers(in, out, func(line string) (any, error) {
		var word string
		n := 1
		fmt.Sscan(line, &word, &n)
		switch {
		case word == "loss":
			return answer{Loss: loss()}, nil
		case word == "train" && train != nil:
			return timed(n, train), nil
		case word == "infer":
			return timed(n, infer), nil
		case word == "memory":
			return answer{Bytes: peakMemory()}, nil
		}
		return nil, fmt.Errorf("unknown request %q", line)
	})
}

// features makes what a model gets beside photographs: numbers as large as the frozen
// network's, by models.features' recipe.
func features(a superres.Architecture, n int) []*autograd.Value {
	switch a.Features {
	case superres.VGGFeatures:
		return []*autograd.Value{autograd.Constant(recipe.Pixels(60, n, 128, 36, 36))}
	case superres.CLIPFeatures:
		return []*autograd.Value{autograd.Constant(tensor.Scale(0.5, recipe.Numbers(60, n, 512)))}
	}
	return nil
}

// A modelResult is what a model takes; the peer's figures are 0 without one.
type modelResult struct {
	Model       string  `json:"model"`
	Batch       int     `json:"batch"`
	Train       float64 `json:"train_seconds"`
	Infer       float64 `json:"infer_seconds"`
	Memory      float64 `json:"peak_bytes"`
	Peer        string  `json:"peer,omitempty"`
	PeerTrain   float64 `json:"peer_train_seconds,omitempty"`
	PeerInfer   float64 `json:"peer_infer_seconds,omitempty"`
	PeerMemory  float64 `json:"peer_peak_bytes,omitempty"`
	TrainRatio  float64 `json:"train_ratio,omitempty"`  // ours / peer's: the median of the rounds'
	InferRatio  float64 `json:"infer_ratio,omitempty"`  //
	MemoryRatio float64 `json:"memory_ratio,omitempty"` //
}

// measureModel measures a model in a process of its own and, if there is a peer, in
// turn with that.
func measureModel(o *options, model string) (modelResult, error) {
	r := modelResult{Model: model, Batch: o.batch}
	ours, err := self(nil, "-serve", model, "-threads", fmt.Sprint(o.threads), "-batch", fmt.Sprint(o.batch))
	if err != nil {
		return r, err
	}
	defer ours.close()
	var a answer
	if err := ours.ask(&a, "loss"); err != nil {
		return r, err
	}
	loss := a.Loss
	peer, err := startPeer(o, model)
	if err == nil && peer != nil {
		defer peer.close()
		var version, b answer
		if err = peer.ask(&version, "version"); err == nil {
			err = peer.ask(&b, "loss")
		}
		if err == nil && !(math.Abs(b.Loss-loss) <= 1e-5*loss) {
			return r, fmt.Errorf("%s: the loss is %v, %s computes %v from the same weights", model, loss, version.Name, b.Loss)
		}
		r.Peer = version.Name
	}
	if err != nil {
		return r, fmt.Errorf("-peer %s: expected a Python with PyTorch: %w; without -peer ours is measured alone", o.peer, err)
	}
	var train, infer, peerTrain, peerInfer, trainRatio, inferRatio []float64
	both := func(what string, mine, theirs, ratio *[]float64) error {
		const each = 3 // steps a round
		if err := ours.ask(&a, "%s %d", what, each); err != nil {
			return err
		}
		*mine = append(*mine, a.Seconds)
		if peer == nil {
			return nil
		}
		var b answer
		if err := peer.ask(&b, "%s %d", what, each); err != nil {
			return err
		}
		*theirs = append(*theirs, b.Seconds)
		*ratio = append(*ratio, a.Seconds/b.Seconds)
		return nil
	}
	for round := -1; round < o.rounds; round++ {
		if round == 0 { // the first one warmed up
			train, infer, peerTrain, peerInfer, trainRatio, inferRatio = nil, nil, nil, nil, nil, nil
		}
		if model != vggName {
			if err := both("train", &train, &peerTrain, &trainRatio); err != nil {
				return r, err
			}
		}
		if err := both("infer", &infer, &peerInfer, &inferRatio); err != nil {
			return r, err
		}
	}
	r.Infer = median(infer)
	if len(train) > 0 {
		r.Train = median(train)
	}
	if err := ours.ask(&a, "memory"); err != nil {
		return r, err
	}
	r.Memory = a.Bytes
	if peer != nil {
		r.PeerInfer, r.InferRatio = median(peerInfer), median(inferRatio)
		if len(train) > 0 {
			r.PeerTrain, r.TrainRatio = median(peerTrain), median(trainRatio)
		}
		if err := peer.ask(&a, "memory"); err != nil {
			return r, err
		}
		r.PeerMemory = a.Bytes
		if a.Bytes > 0 {
			r.MemoryRatio = r.Memory / r.PeerMemory
		}
	}
	return r, nil
}

// startPeer starts the peer, or returns nil if none is wanted. Its threads are told
// to sleep while they have nothing to do: they would take ours' time.
func startPeer(o *options, model string) (*process, error) {
	if o.peer == "" {
		return nil, nil
	}
	if _, err := os.Stat(o.script); err != nil {
		return nil, fmt.Errorf("-peer-script: %w; run from the project's folder", err)
	}
	return start("peer", []string{"OMP_WAIT_POLICY=passive"}, o.peer, o.script, model, fmt.Sprint(o.batch), fmt.Sprint(o.threads))
}
