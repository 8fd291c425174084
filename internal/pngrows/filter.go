package pngrows

import "math/bits"

// The filters of section 9.2. Each byte is replaced by its difference from what the bytes
// around it let one expect: a to the left, b above, c above on the left.
const (
	filterNone = iota
	filterSub
	filterUp
	filterAverage
	filterPaeth
)

// every is which pixels are looked at to choose a filter. All of them would take as long as
// the compression itself.
const every = 5

// appendFiltered appends the name of a filter and the row that it makes. It takes the filter
// with the smallest sum of differences, as section 12.7 recommends, over every fifth pixel.
func appendFiltered(dst, row, above []byte, perPixel int) []byte {
	kind := choose(row, above, perPixel)
	dst = append(dst, byte(kind))
	at := len(dst)
	dst = append(dst, row...)
	out := dst[at:]
	above = above[:len(row)]
	out = out[:len(row)]
	n := min(perPixel, len(row))
	switch kind {
	case filterSub:
		left := row[:len(row)-n]
		for i, a := range left {
			out[n+i] -= a
		}
	case filterUp:
		for i, b := range above {
			out[i] -= b
		}
	case filterAverage:
		for i := range n {
			out[i] -= above[i] / 2
		}
		left, b, out := row[:len(row)-n], above[n:], out[n:]
		for i, a := range left {
			out[i] -= byte((int(a) + int(b[i])) / 2)
		}
	case filterPaeth:
		for i := range n {
			out[i] -= above[i]
		}
		left, b, c, out := row[:len(row)-n], above[n:], above[:len(row)-n], out[n:]
		for i, a := range left {
			out[i] -= paeth(a, b[i], c[i])
		}
	}
	return dst
}

// choose returns the filter for a row.
func choose(row, above []byte, perPixel int) int {
	var sums [5]int
	for at := perPixel; at+perPixel <= len(row); at += every * perPixel {
		for i := at; i < at+perPixel; i++ {
			x, a, b, c := row[i], row[i-perPixel], above[i], above[i-perPixel]
			sums[filterNone] += size(x)
			sums[filterSub] += size(x - a)
			sums[filterUp] += size(x - b)
			sums[filterAverage] += size(x - byte((int(a)+int(b))/2))
			sums[filterPaeth] += size(x - paeth(a, b, c))
		}
	}
	best := 0
	for kind, sum := range sums {
		if sum < sums[best] {
			best = kind
		}
	}
	return best
}

// size is how far a difference is from 0, in either direction.
func size(d byte) int {
	if d > 128 {
		return 256 - int(d)
	}
	return int(d)
}

// paeth returns which of a, b and c is nearest to a+b−c; the first of them if several are.
func paeth(a, b, c byte) byte {
	pa, pb := int(b)-int(c), int(a)-int(c)
	pc := abs(pa + pb)
	pa, pb = abs(pa), abs(pb)
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(v int) int {
	s := v >> (bits.UintSize - 1) // without a branch, which noise would mislead
	return (v ^ s) - s
}
