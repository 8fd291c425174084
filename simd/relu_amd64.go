//go:build !noasm

package simd

//go:noescape
func addBiasAVX2(dst, x *float32, bias float32, n int)

//go:noescape
func addBiasAVX512(dst, x *float32, bias float32, n int)

//go:noescape
func addBiasReLUAVX2(dst, x *float32, bias float32, n int)

//go:noescape
func addBiasReLUAVX512(dst, x *float32, bias float32, n int)

//go:noescape
func reluBackwardAVX2(dst, dy, y *float32, n int)

//go:noescape
func reluBackwardAVX512(dst, dy, y *float32, n int)

func addBias(dst, x []float32, bias float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		addBiasAVX512(&dst[0], &x[0], bias, i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		addBiasAVX2(&dst[i], &x[i], bias, n)
		i += n
	}
	addBiasGeneric(dst[i:], x[i:], bias)
}

func addBiasReLU(dst, x []float32, bias float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		addBiasReLUAVX512(&dst[0], &x[0], bias, i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		addBiasReLUAVX2(&dst[i], &x[i], bias, n)
		i += n
	}
	addBiasReLUGeneric(dst[i:], x[i:], bias)
}

func reluBackward(dst, dy, y []float32) {
	i := 0
	if useAVX512 && len(dst) >= 16 {
		i = len(dst) &^ 15
		reluBackwardAVX512(&dst[0], &dy[0], &y[0], i)
	}
	if n := (len(dst) - i) &^ 7; useAVX2 && n > 0 {
		reluBackwardAVX2(&dst[i], &dy[i], &y[i], n)
		i += n
	}
	reluBackwardGeneric(dst[i:], dy[i:], y[i:])
}
