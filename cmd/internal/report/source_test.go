package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pixelgrad/vision/superres"
)

// TestLessons: every network has a lesson, in the workshop's order and behind it what the workshop
// does not have, and the source's losses for each of its outputs.
func TestLessons(t *testing.T) {
	want := map[string]string{ // output, epochs 1 and 10
		"superresnet": "mid 0.0405 0.0361",
		"multi":       "mid 0.0421 0.0366, large 0.0460 0.0417",
		"residual":    "mid 0.0399 0.0361, large 0.0447 0.0405",
		"dilated":     "mid 0.0429 0.0363, large 0.0478 0.0408",
		"vgg":         "mid 0.0402 0.0364, large 0.0438 0.0416",
		"clip":        "", // not reported
		"global":      "",
	}
	var steps []int
	for _, a := range superres.Architectures {
		l := LessonOf(a.Name)
		steps = append(steps, l.Step)
		if len(l.About) < 50 || !strings.HasSuffix(l.About, ".") {
			t.Errorf("%s: %q is no sentence about it", a.Name, l.About)
		}
		var got []string
		for _, output := range []string{"mid", "large"}[:a.Outputs] {
			if s := l.Losses[output]; len(s) == 2 && s[0].Epoch == 1 && s[1].Epoch == 10 {
				got = append(got, fmt.Sprintf("%s %.4f %.4f", output, s[0].Loss, s[1].Loss))
			}
		}
		if s := strings.Join(got, ", "); s != want[a.Name] || len(got) != len(l.Losses) {
			t.Errorf("%s: the source's losses are %q, want %q", a.Name, s, want[a.Name])
		}
	}
	if !slices.Equal(steps, []int{2, 3, 4, 5, 6, 8, 0}) || len(lessons) != len(steps) {
		t.Errorf("%d lessons, steps %v", len(lessons), steps)
	}
}
