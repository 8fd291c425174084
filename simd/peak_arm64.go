//go:build !noasm

package simd

//go:noescape
func fmaPeakNEON(rounds int)

func fmaPeak(rounds int) float64 {
	switch {
	case rounds <= 0:
		return 0
	case useNEON:
		fmaPeakNEON(rounds)
		return float64(rounds) * 2 * 24 * 4
	}
	return fmaPeakGeneric(rounds)
}
