package memory

import "testing"

// TestHuge asks for huge pages around every beginning and end of a page. The numbers must stay.
func TestHuge(t *testing.T) {
	const n = 5 * hugePage / 4
	all := make([]float32, n)
	for i := range all {
		all[i] = float32(i)
	}
	for _, from := range []int{0, 1, hugePage/4 - 1, hugePage / 4} {
		for _, to := range []int{from, from + 1, n - 1, n} {
			if got := Huge(all[from:to]); got%hugePage != 0 || got > 4*(to-from) {
				t.Errorf("Huge of elements %d to %d: %d bytes, want whole pages of these", from, to, got)
			}
		}
	}
	t.Logf("%d of %d bytes lie in huge pages", Huge(all), 4*n)
	for i, v := range all {
		if v != float32(i) {
			t.Fatalf("element %d was %d and is %v", i, i, v)
		}
	}
}
