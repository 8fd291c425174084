package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// TestLinear holds Linear to Mul, bit by bit, and what it does after the product to
// float64.
func TestLinear(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	functions := map[Activation]func(x float64) float64{
		Identity:  func(x float64) float64 { return x },
		QuickGELU: func(x float64) float64 { return x / (1 + math.Exp(-1.702*x)) },
		GELU:      func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) },
	}
	for _, s := range [][3]int{{1, 1, 1}, {3, 5, 2}, {4, 8, 24}, {5, 300, 49}, {140, 17, 30}, {9, 600, 100}, {300, 257, 411}, {0, 3, 4}, {3, 0, 4}, {3, 4, 0}} {
		m, k, n := s[0], s[1], s[2]
		x, w, bias, residual := random(rng, m, k), PackTransposed(random(rng, n, k)), random(rng, n), random(rng, m, n)
		plain, product := New(m, n), New(m, n)
		if k > 0 {
			plain, product = w.Mul(x, nil), w.Mul(x, bias)
		} else {
			for i := range product.data {
				product.data[i] = bias.data[i%n]
			}
		}
		poisonPool()
		checkClose(t, fmt.Sprintf("Linear %v", s), w.Linear(x, LinearOptions{}), plain, 0)
		checkClose(t, fmt.Sprintf("Linear %v with bias", s), w.Linear(x, LinearOptions{Bias: bias}), product, 0)
		for activation, f := range functions {
			want, sum := New(m, n), New(m, n)
			for i, v := range product.data {
				want.data[i] = float32(f(float64(v)))
				sum.data[i] = float32(f(float64(v)) + float64(residual.data[i]))
			}
			poisonPool()
			what := fmt.Sprintf("Linear %v with bias and activation %d", s, activation)
			checkClose(t, what, w.Linear(x, LinearOptions{Bias: bias, Activation: activation}), want, 2e-6)
			y := residual.Clone()
			if got := w.Linear(x, LinearOptions{Bias: bias, Activation: activation, AddTo: y}); got != y {
				t.Errorf("%s: did not return what it added to", what)
			}
			checkClose(t, what+", added", y, sum, 2e-6)
		}
	}
}

func TestLayerNorm(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, s := range [][2]int{{1, 1}, {2, 7}, {40, 768}, {17, 130}, {0, 5}} {
		m, k := s[0], s[1]
		x, gamma, beta := random(rng, m, k), random(rng, k), random(rng, k)
		for i := range x.data {
			x.data[i] += 3 // the mean should not cost precision
		}
		want := New(m, k)
		for i := range m {
			row := x.data[i*k : (i+1)*k]
			mean, variance := 0.0, 0.0
			for _, v := range row {
				mean += float64(v) / float64(k)
			}
			for _, v := range row {
				variance += (float64(v) - mean) * (float64(v) - mean) / float64(k)
			}
			for j, v := range row {
				want.data[i*k+j] = float32((float64(v)-mean)/math.Sqrt(variance+1e-5)*float64(gamma.data[j]) + float64(beta.data[j]))
			}
		}
		poisonPool()
		checkClose(t, fmt.Sprintf("LayerNorm %v", s), LayerNorm(x, gamma, beta, 1e-5), want, 3e-6)
	}
}

func TestAttention(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		lengths  []int
		heads, d int
	}{
		{[]int{1}, 1, 1}, {[]int{3, 1, 2}, 2, 5}, {[]int{50, 50}, 3, 64}, {[]int{77, 0, 5, 24}, 2, 64},
		{[]int{400}, 1, 20}, {[]int{9}, 2, 300}, {nil, 4, 8},
	} {
		rows := 0
		for _, n := range c.lengths {
			rows += n
		}
		qkv := random(rng, rows, 3*c.heads*c.d)
		for _, causal := range []bool{false, true} {
			poisonPool()
			what := fmt.Sprintf("Attention, lengths %v, %d heads of %d, causal %v", c.lengths, c.heads, c.d, causal)
			checkClose(t, what, Attention(qkv, c.lengths, c.heads, causal), attentionReference(qkv, c.lengths, c.heads, causal), 2e-6)
		}
	}
}

// TestAttentionLarge has scores whose exponentials would overflow, and a NaN that
// must reach those who look at it, and nobody else.
func TestAttentionLarge(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	qkv := Scale(60, random(rng, 20, 3*16))
	for i, v := range Attention(qkv, []int{20}, 1, false).data {
		if !(math.Abs(float64(v)) <= 60) {
			t.Fatalf("large scores: element %d is %v", i, v)
		}
	}
	qkv.data[12*48+16] = float32(math.NaN()) // a key of token 12
	for i, v := range Attention(qkv, []int{20}, 1, true).data {
		if isNaN := v != v; isNaN != (i/16 >= 12) {
			t.Fatalf("NaN in the key of token 12: token %d has %v", i/16, v)
		}
	}
}

// TestTransformerThreads wants the same bits from any number of threads.
func TestTransformerThreads(t *testing.T) {
	defer SetThreads(0)
	rng := rand.New(rand.NewPCG(9, 10))
	x, w, bias := random(rng, 150, 192), PackTransposed(random(rng, 576, 192)), random(rng, 576)
	gamma, beta := random(rng, 192), random(rng, 192)
	var want *Tensor
	for threads := 1; threads <= 5; threads++ {
		SetThreads(threads)
		h := LayerNorm(x, gamma, beta, 1e-5)
		h = w.Linear(h, LinearOptions{Bias: bias, Activation: QuickGELU})
		h = Attention(h, []int{50, 77, 23}, 3, true)
		if want == nil {
			want = h
		}
		checkClose(t, fmt.Sprintf("%d threads", threads), h, want, 0)
	}
}

func TestTransformerMistakesPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"Linear inner":       func() { PackMatrix(New(3, 4)).Linear(New(2, 4), LinearOptions{}) },
		"Linear bias":        func() { PackMatrix(New(3, 4)).Linear(New(2, 3), LinearOptions{Bias: New(3)}) },
		"Linear sum":         func() { PackMatrix(New(3, 4)).Linear(New(2, 3), LinearOptions{AddTo: New(2, 3)}) },
		"Linear activation":  func() { PackMatrix(New(3, 4)).Linear(New(2, 3), LinearOptions{Activation: 9}) },
		"LayerNorm gamma":    func() { LayerNorm(New(2, 3), New(2), New(3), 1e-5) },
		"LayerNorm rank":     func() { LayerNorm(New(1, 2, 3), New(3), New(3), 1e-5) },
		"Attention heads":    func() { Attention(New(4, 12), []int{4}, 3, false) },
		"Attention lengths":  func() { Attention(New(4, 12), []int{3}, 2, false) },
		"Attention negative": func() { Attention(New(4, 12), []int{5, -1}, 2, false) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

// BenchmarkLinear has the layers of ViT-B/32 for 16 pictures and for one.
func BenchmarkLinear(b *testing.B) {
	for _, s := range [][3]int{{800, 768, 2304}, {800, 768, 3072}, {800, 3072, 768}, {50, 768, 3072}} {
		b.Run(fmt.Sprintf("%d·%d·%d", s[0], s[1], s[2]), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			x, w, bias := random(rng, s[0], s[1]), PackMatrix(random(rng, s[1], s[2])), random(rng, s[2])
			for b.Loop() {
				Release(w.Linear(x, LinearOptions{Bias: bias}))
			}
			b.ReportMetric(2*float64(s[0]*s[1]*s[2])*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}

func BenchmarkLayerNorm(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	x, gamma, beta := random(rng, 800, 768), random(rng, 768), random(rng, 768)
	for b.Loop() {
		Release(LayerNorm(x, gamma, beta, 1e-5))
	}
}

func BenchmarkAttention(b *testing.B) {
	for _, c := range []struct{ n, tokens, heads int }{{16, 50, 12}, {16, 77, 8}, {1, 577, 16}} {
		b.Run(fmt.Sprintf("%d×%d", c.n, c.tokens), func(b *testing.B) {
			lengths := make([]int, c.n)
			for i := range lengths {
				lengths[i] = c.tokens
			}
			qkv := random(rand.New(rand.NewPCG(1, 2)), c.n*c.tokens, 3*64*c.heads)
			for b.Loop() {
				Release(Attention(qkv, lengths, c.heads, false))
			}
			b.ReportMetric(4*float64(c.n*c.heads*c.tokens*c.tokens*64)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
