package atomicfile

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"syscall"
)

// isFull reports whether an error means that there is no room for more bytes.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || isSystemsFull(err)
}

// explainFull says of an error of a full disk how much room is missing. The temporary file
// has been removed.
func (f *file) explainFull(err error) error {
	text := "the disk is full"
	quota := errors.Is(f.full, syscall.EDQUOT)
	if quota {
		text = "the disk is full, as far as this user may fill it (the quota)"
	}
	free, known := freeBytes(filepath.Dir(f.target))
	known = known && !quota // the disk's room is not the user's
	switch {
	case f.size == 0:
		text += ": there is no room for one more file"
	default:
		least := ""
		if !f.counted {
			least = "at least "
		}
		text += fmt.Sprintf(": the file needs %s%s", least, size(f.size))
		if known && free < f.size { // or else others have made room meanwhile
			text += fmt.Sprintf(", and %s are free; make room for %s or more", size(free), size(f.size-free))
		}
	}
	if f.replaces {
		text += "; the old file is kept"
	}
	return fmt.Errorf("%s: %w", text, err)
}

// size writes a number of bytes, rounded up.
func size(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f MB", math.Ceil(float64(n)/1e5)/10)
}
