package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"pixelgrad/autograd"
	"pixelgrad/cmd/internal/format"
	"pixelgrad/nn"
	"pixelgrad/nn/optim"
	"pixelgrad/nn/train"
	"pixelgrad/tensor"
	"pixelgrad/vision/superres"
)

// plan makes a model's training loop and has it plan its memory, of which nothing is
// allocated yet. It returns an error for what the machine cannot hold.
func (s *session) plan(r *modelRun) error {
	r.loop = &train.Loop[superres.Input, superres.Output]{
		Model:     r.model,
		Loss:      superres.Loss,
		Optimizer: optim.NewAdam(r.model.Parameters(), s.LR),
		Epochs:    s.Epochs,
		MaxSteps:  s.Steps,
		Plain:     s.Plain,
		Without:   s.Without,
	}
	training, validation := s.shapes(r, s.photos.train.Len()), s.shapes(r, s.photos.val.Len())
	var err error
	if r.planned, err = r.loop.Memory(training, validation); err != nil {
		return err
	}
	count := func(v *autograd.Value) *autograd.Value {
		if v != nil {
			n := 4
			for _, d := range v.Shape() {
				n *= d
			}
			r.batches += n
		}
		return v
	}
	for _, b := range []batch{training[0], validation[0]} { // one of each is there at a time
		b.Input.Map(count)
		b.Target.Map(count)
	}
	need := r.need()
	if free, known := freeMemory(); known && need > free {
		return fmt.Errorf("%s with -batch %d: expected %s of free memory for a training step, found %s; choose a smaller -batch",
			r.title, s.batch, format.Bytes(need), format.Bytes(free))
	}
	return nil
}

// need is how many bytes the training will take beside what is there already: the programs,
// the batches, two copies of the parameters that guard against divergence, and Adam's two
// averages.
func (r *modelRun) need() int64 { return int64(r.planned + r.batches + 4*4*nn.Count(r.model)) }

// shapes returns the batches that n photographs come in, without numbers: whole ones and the
// last one, which may be smaller.
func (s *session) shapes(r *modelRun, n int) []batch {
	var batches []batch
	sizes := s.photos.train.Sizes
	for _, count := range []int{min(s.batch, n), n % s.batch} {
		if count == 0 || n < s.batch && len(batches) > 0 {
			continue
		}
		square := func(side int) *autograd.Value { return autograd.Placeholder(count, 3, side, side) }
		b := batch{Input: superres.Input{Photo: square(sizes.X)}, Target: superres.Output{Mid: square(sizes.Mid)}, Size: count}
		if r.extractor != nil {
			b.Input.Features = autograd.Placeholder(append([]int{count}, r.extractor.Shape...)...)
		}
		if r.arch.Outputs == 2 {
			b.Target.Large = square(sizes.Large)
		}
		batches = append(batches, b)
	}
	return batches
}

// memory says what the training will take.
func (r *report) memory() {
	if r.Plain {
		fmt.Fprintln(r.out, "  memory    not planned: the plain tape keeps every result of a step")
		return
	}
	tensor.ReleaseAll()  // programs have memory of their own
	debug.FreeOSMemory() // what reading photographs and drawing samples has left
	fmt.Fprintf(r.out, "  memory    %s for the steps, planned; %s with the program and its photographs\n",
		format.Megabytes(float64(r.planned)), format.Megabytes(float64(r.need()+residentMemory())))
}

// freeMemory is availableMemory, and another function in tests.
var freeMemory = availableMemory

// availableMemory returns how many bytes the system can give without swapping, if it says so.
func availableMemory() (bytes int64, known bool) {
	bytes, known = figure("/proc/meminfo", "MemAvailable: %d kB")
	bytes <<= 10
	// A container may have less than its machine.
	number := func(file string) (int64, bool) {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, false
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return n, err == nil
	}
	limit, limited := number("/sys/fs/cgroup/memory.max") // "max" without a limit
	used, ok := number("/sys/fs/cgroup/memory.current")
	for _, cache := range []string{"inactive_file", "active_file"} { // given back when it is needed
		n, _ := figure("/sys/fs/cgroup/memory.stat", cache+" %d")
		used -= n
	}
	if limited && ok && (!known || limit-used < bytes) {
		bytes, known = max(0, limit-used), true
	}
	return bytes, known
}

// residentMemory returns how many bytes of this process are in memory, or 0 if the system
// does not say.
func residentMemory() int64 {
	n, _ := figure("/proc/self/status", "VmRSS: %d kB")
	return n << 10
}

// figure returns the number in the line of one of Linux's files that has a form.
func figure(file, form string) (n int64, known bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, form, &n); err == nil {
			return n, true
		}
	}
	return 0, false
}
