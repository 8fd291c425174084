package memory

import "golang.org/x/sys/unix"

// huge asks for huge pages, and at once: pages that have been written to would otherwise be
// joined some time later. Linux can do so since 6.1.
func huge(b []byte) bool {
	if unix.Madvise(b, unix.MADV_HUGEPAGE) != nil {
		return false
	}
	return unix.Madvise(b, unix.MADV_COLLAPSE) == nil
}
