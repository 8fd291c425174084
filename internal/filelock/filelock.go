// Package filelock lets one process at a time work on a file or a folder.
package filelock

import "errors"

// ErrBusy is wrapped by the error that another process works on the same file.
var ErrBusy = errors.New("another process is working on it")
