//go:build !(darwin || dragonfly || freebsd || linux || windows)

package atomicfile

func isSystemsFull(error) bool { return false }

// freeBytes does not know.
func freeBytes(string) (n int64, known bool) { return 0, false }
