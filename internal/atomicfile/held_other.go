//go:build !windows

package atomicfile

import "os"

func isSystemsHeld(error) bool { return false }

// renameNew is os.Rename if there is no file by the new name, and otherwise fs.ErrExist.
func renameNew(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	os.Remove(from) // if not, it is a leftover, and does no harm
	return nil
}
