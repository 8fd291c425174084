package atomicfile

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isSystemsHeld reports whether an error may come from another program that has a file open.
// "Access denied" is among them, though it has other causes, too.
func isSystemsHeld(err error) bool {
	for _, e := range []error{windows.ERROR_SHARING_VIOLATION, windows.ERROR_LOCK_VIOLATION, windows.ERROR_ACCESS_DENIED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// renameNew is os.Rename if there is no file by the new name, and otherwise fs.ErrExist.
func renameNew(from, to string) error {
	a, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	b, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(a, b, 0)
}
