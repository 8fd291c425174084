package optim

import (
	"fmt"
	"math"
	"strings"
)

// A Schedule returns the learning rate of a step, numbered from 1. It depends on that number
// alone, so that a training that is resumed in its middle goes on with the same rates.
type Schedule func(step int) float64

// Constant returns the same rate for every step.
func Constant(lr float64) Schedule {
	return func(int) float64 { return lr }
}

// Cosine falls from lr to floor over so many steps, along half a wave, and stays there:
//
//	floor + (lr-floor)·(1 + cos(π·t/steps))/2,  t = min(step-1, steps)
//
// It matches torch.optim.lr_scheduler.CosineAnnealingLR(T_max=steps, eta_min=floor), which
// rises again after steps. It panics unless steps is positive.
//
// Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017,
// equation 5, without restarts.
func Cosine(lr, floor float64, steps int) Schedule {
	if steps <= 0 {
		panic(fmt.Sprintf("optim: Cosine: %d steps: want a positive number", steps))
	}
	return func(step int) float64 {
		t := min(float64(step-1)/float64(steps), 1)
		return floor + (lr-floor)*(1+math.Cos(math.Pi*t))/2
	}
}

// StepDecay multiplies the rate by gamma after every so many steps:
//
//	lr·gamma^⌊(step-1)/every⌋
//
// It matches torch.optim.lr_scheduler.StepLR(step_size=every, gamma=gamma). It panics unless
// every is positive.
func StepDecay(lr, gamma float64, every int) Schedule {
	if every <= 0 {
		panic(fmt.Sprintf("optim: StepDecay: every %d steps: want a positive number", every))
	}
	return func(step int) float64 {
		return lr * math.Pow(gamma, float64((step-1)/every))
	}
}

// WarmUp lets the rate of s rise evenly over the first so many steps, the last of which has
// the whole rate:
//
//	s(step)·min(1, step/steps)
//
// Adam's averages are of few gradients at first, and a large rate would follow their noise. It
// matches torch.optim.lr_scheduler.LinearLR(start_factor=1/steps, total_iters=steps-1) beside
// the scheduler of s. Without steps it is s.
//
// Source: Goyal et al., "Accurate, Large Minibatch SGD", 2017, section 2.2.
func (s Schedule) WarmUp(steps int) Schedule {
	if steps <= 0 {
		return s
	}
	return func(step int) float64 {
		return s(step) * min(1, float64(step)/float64(steps))
	}
}

// The defaults of the schedule called "step": a tenth of the rate after each third of the
// training, as in the reference training of ResNet (30 of 90 epochs).
const (
	stepGamma = 0.1
	stepParts = 3
)

// A ScheduleKind is a schedule with its defaults.
type ScheduleKind struct {
	Name string
	Does string // in a line

	// New returns the schedule of a training of so many steps.
	New func(lr float64, steps int) Schedule
}

// Schedules lists the schedules that have names.
var Schedules = []ScheduleKind{
	{"constant", "the same rate for every step", func(lr float64, _ int) Schedule { return Constant(lr) }},
	{"cosine", "falls to 0 along half a wave", func(lr float64, steps int) Schedule { return Cosine(lr, 0, max(steps, 1)) }},
	{"step", "a tenth after each third of the training", func(lr float64, steps int) Schedule {
		return StepDecay(lr, stepGamma, max((steps+stepParts-1)/stepParts, 1))
	}},
}

// FindSchedule returns the schedule called name; the error lists those there are.
func FindSchedule(name string) (ScheduleKind, error) {
	var names []string
	for _, k := range Schedules {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return ScheduleKind{}, fmt.Errorf("unknown schedule %q: there is %s", name, strings.Join(names, ", "))
}
