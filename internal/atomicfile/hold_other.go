//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import "os"

const notFollowing = 0 // isAt notices links

// hold cannot tell who else has a file.
func hold(*os.File) grip { return nobody }

// rename closes a file, for Windows does not rename open ones, and gives it its name.
func rename(f *os.File, target string) error {
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), target)
}
