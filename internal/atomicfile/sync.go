package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
)

// SyncFolder makes the names in a folder last: a file that was made or renamed there
// is still there after a power cut. Windows has no such call and needs none.
//
// Some file systems, of networks and of FUSE, cannot do that: they answer EINVAL, or
// that they do not support it. And a process may write to a folder that it may not read,
// and so not open. In both cases nothing better can be done, and there is no error; when
// the names last is then the file system's affair. All else is an error.
func SyncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.Close()
	err = do(OpSyncFolder, dir, d.Sync)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) { // ENOSYS, ENOTSUP, EOPNOTSUPP
		return nil
	}
	return err
}
