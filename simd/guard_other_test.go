//go:build !unix

package simd

import "testing"

// Without mmap the elements are not guarded; the checks around them remain.
func guarded(t testing.TB, n int) []float32 { return make([]float32, n) }

func guardedFront(t testing.TB, n int) []float32 { return make([]float32, n) }
