//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import "os"

const notFollowing = 0 // isAt notices links

// renamesOpen: Windows does not rename open files.
const renamesOpen = false

// hold cannot tell who else has a file.
func hold(*os.File) grip { return nobody }
