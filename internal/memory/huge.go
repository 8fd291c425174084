package memory

import "unsafe"

// hugePage is the size of a huge page of Linux on the machines at hand. Where it is larger, the
// system refuses what Huge asks for, and nothing is lost.
const hugePage = 2 << 20

// Huge asks the system to have the pages of a large slice huge, which is to be read again and again
// from memory: then the processor looks up one address in 2 MB, not one in 4 KB. It moves no
// element and takes no more memory, since only huge pages that lie in the slice as a whole are asked
// for. It may take some milliseconds. It returns how many bytes lie in such pages now.
func Huge(s []float32) int {
	start := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	skip := int(-start % hugePage / 4) // elements before the first huge page
	pages := (len(s) - skip) * 4 / hugePage
	if pages <= 0 {
		return 0
	}
	whole := unsafe.Slice((*byte)(unsafe.Pointer(&s[skip])), pages*hugePage)
	if !huge(whole) {
		return 0
	}
	return len(whole)
}
