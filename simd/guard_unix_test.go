//go:build unix

package simd

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded returns n elements in memory of their own, between two forbidden pages. The
// elements end exactly where the second page begins. A kernel that reads or writes one
// element too far is killed at once.
func guarded(t testing.TB, n int) []float32 {
	page := unix.Getpagesize()
	size := (4*n + page - 1) / page * page
	mem, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	for _, guard := range [][]byte{mem[:page], mem[page+size:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	all := unsafe.Slice((*float32)(unsafe.Pointer(&mem[page])), size/4)
	return all[size/4-n:]
}

// guardedFront is guarded, but the elements begin exactly where the first page ends.
func guardedFront(t testing.TB, n int) []float32 {
	page := unix.Getpagesize()
	return guarded(t, (n+page/4)*4/page*page/4)[:n]
}
