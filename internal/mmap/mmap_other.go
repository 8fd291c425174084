//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package mmap

import (
	"errors"
	"os"
)

// mapFile always fails, so that File falls back on ReadAt: Windows' mappings
// keep a file from being replaced, and WebAssembly has none.
func mapFile(*os.File, int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapFile([]byte) error { return nil }
