//go:build !noasm

package simd

//go:noescape
func fmaPeakAVX2(rounds int)

//go:noescape
func fmaPeakAVX512(rounds int)

func fmaPeak(rounds int) float64 {
	switch {
	case rounds <= 0:
		return 0
	case useAVX512:
		fmaPeakAVX512(rounds)
		return float64(rounds) * 2 * 24 * 16
	case useAVX2:
		fmaPeakAVX2(rounds)
		return float64(rounds) * 2 * 12 * 8
	}
	return fmaPeakGeneric(rounds)
}
