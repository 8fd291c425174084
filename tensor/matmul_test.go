package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestMatMul(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{{1, 1, 1}, {3, 5, 2}, {4, 8, 24}, {5, 300, 49}, {140, 17, 30}, {9, 600, 100}, {0, 3, 4}, {3, 0, 4}, {3, 4, 0}} {
		m, k, n := s[0], s[1], s[2]
		a, b, bias := random(rng, m, k), random(rng, k, n), random(rng, n)
		bt := New(n, k)
		for i := range n {
			for j := range k {
				bt.data[i*k+j] = b.data[j*n+i]
			}
		}
		poisonPool()
		plain, packed := MatMul(a, b), PackTransposed(bt).Mul(a, bias)
		for i := range m {
			for j := range n {
				want, magnitude := 0.0, 1.0
				for q := range k {
					p := float64(a.data[i*k+q]) * float64(b.data[q*n+j])
					want += p
					magnitude += math.Abs(p)
				}
				tol := float64(k+2) * 0x1p-24 * magnitude
				if got := plain.data[i*n+j]; !(math.Abs(float64(got)-want) <= tol) {
					t.Fatalf("MatMul %v: element (%d,%d): got %v, want %v", s, i, j, got, want)
				}
				want += float64(bias.data[j])
				if got := packed.data[i*n+j]; !(math.Abs(float64(got)-want) <= tol) {
					t.Fatalf("Mul %v with bias: element (%d,%d): got %v, want %v", s, i, j, got, want)
				}
			}
		}
	}
}

func BenchmarkMatMul(b *testing.B) {
	for _, s := range [][3]int{{1024, 1024, 1024}, {800, 768, 3072}, {50, 768, 768}} {
		b.Run(fmt.Sprintf("%d·%d·%d", s[0], s[1], s[2]), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			x, w := random(rng, s[0], s[1]), PackMatrix(random(rng, s[1], s[2]))
			for b.Loop() {
				Release(w.Mul(x, nil))
			}
			b.ReportMetric(2*float64(s[0]*s[1]*s[2])*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
