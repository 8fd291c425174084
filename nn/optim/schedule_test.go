package optim

import (
	"math"
	"strings"
	"testing"

	"pixelgrad/internal/golden"
	"pixelgrad/tensor"
)

// TestSchedulesGolden compares rates with those of torch.optim.lr_scheduler. The numbers are
// those of testdata/golden/optim.py.
func TestSchedulesGolden(t *testing.T) {
	const lr, steps, warm = 0.1, 23, 7
	file := golden.Open(t, "optim")
	for name, s := range map[string]Schedule{
		"constant":          Constant(lr).WarmUp(0),
		"cosine":            Cosine(lr, 0.01, steps),
		"step":              StepDecay(lr, 0.3, 5),
		"constant, warm-up": Constant(lr).WarmUp(warm),
		"cosine, warm-up":   Cosine(lr, 0, steps).WarmUp(warm),
		"step, warm-up":     StepDecay(lr, 0.3, 5).WarmUp(warm),
	} {
		rates := tensor.New(steps)
		for i := range rates.Data() {
			rates.Data()[i] = float32(s(i + 1))
		}
		golden.Check(t, file, "schedule/"+name, rates, 1e-6, 0)
	}
}

func TestScheduleEnds(t *testing.T) {
	cosine := Cosine(1, 0.25, 10)
	if first, middle, end, after := cosine(1), cosine(6), cosine(11), cosine(1000); first != 1 || !(math.Abs(middle-0.625) < 1e-15) || end != 0.25 || after != 0.25 {
		t.Errorf("cosine from 1 to ¼: %v, %v in the middle, %v at the end, %v after it", first, middle, end, after)
	}
	warm := Constant(1).WarmUp(4)
	if warm(1) != 0.25 || warm(4) != 1 || warm(5) != 1 {
		t.Errorf("warm-up over 4 steps: %v, %v, %v, want ¼, 1, 1", warm(1), warm(4), warm(5))
	}
}

// TestSchedules takes each by its name. Trainings of any length must have a positive rate in
// every step.
func TestSchedules(t *testing.T) {
	want := map[string][]float64{ // after nothing, ⅓ and ⅔ of 9 steps
		"constant": {1, 1, 1},
		"cosine":   {1, 0.75, 0.25},
		"step":     {1, 0.1, 0.01},
	}
	if len(Schedules) != len(want) {
		t.Errorf("%d schedules, want %d", len(Schedules), len(want))
	}
	for name, rates := range want {
		kind, err := FindSchedule(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range rates {
			if got := kind.New(1, 9)(1 + 3*i); !(math.Abs(got-w) < 1e-12) {
				t.Errorf("%s: rate %v in step %d of 9, want %v", name, got, 1+3*i, w)
			}
		}
		for steps := range 8 {
			for step := 1; step <= steps; step++ {
				if lr := kind.New(1, steps)(step); !(lr > 0 && lr <= 1) {
					t.Errorf("%s: rate %v in step %d of %d", name, lr, step, steps)
				}
			}
		}
	}
	if _, err := FindSchedule("linear"); err == nil || !strings.Contains(err.Error(), `"linear"`) || !strings.Contains(err.Error(), "constant, cosine, step") {
		t.Errorf("an unknown schedule: %v", err)
	}
}

func TestSchedulesRefuse(t *testing.T) {
	for what, f := range map[string]func(){
		"Cosine":    func() { Cosine(1, 0, 0) },
		"StepDecay": func() { StepDecay(1, 0.1, 0) },
		"ClipNorm":  func() { ClipNorm(nil, 0) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(r.(string), what) {
					t.Errorf("%s: %v, want a panic that names it", what, r)
				}
			}()
			f()
		}()
	}
}
