package download

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncAll makes everything in a folder last, with all else on its disk: one call
// a photograph would take a minute for PASCAL VOC. Where that cannot be done it
// does nothing, as on other systems.
func syncAll(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	err = unix.Syncfs(int(d.Fd()))
	if errors.Is(err, unix.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}
