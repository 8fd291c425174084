package filelock

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/windows"
)

// Lock makes this process the only one that works on a file, until it calls
// unlock or ends, however it ends: nobody else can open the lock's file, and the
// system deletes it with its handle. The error wraps ErrBusy if another process
// has it.
func Lock(path string) (unlock func(), err error) {
	name := path + ".lock"
	p, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(p, windows.GENERIC_WRITE|windows.DELETE, 0, nil, windows.OPEN_ALWAYS, windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	if errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
		return nil, fmt.Errorf("%s: %w: wait until it has finished", path, ErrBusy)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return func() { windows.CloseHandle(h) }, nil
}
