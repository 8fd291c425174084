package clip

import (
	"testing"

	"pixelgrad/internal/golden"
)

// TestPreprocessOrders expects every bit of torchvision's numbers on Pillow 13, for photographs
// of many sizes. Half of them are resized along the columns first.
func TestPreprocessOrders(t *testing.T) {
	for _, c := range golden.ReadOrders(t).CLIP {
		x, err := Preprocess(224, picture("noise", c.W, c.H))
		if err != nil {
			t.Errorf("%d×%d: %v", c.W, c.H, err)
			continue
		}
		if got := golden.DigestNumbers(x.Data()); got != c.Numbers {
			t.Errorf("%d×%d: hash %s, torchvision's %s", c.W, c.H, got, c.Numbers)
		}
	}
}
