package atomicfile

import (
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
)

// Op is something that is asked of the disk so that a file appears.
type Op string

// The operations. Each is asked of the disk in do, and nowhere else.
const (
	OpCreate     Op = "create"      // make the temporary file
	OpChmod      Op = "chmod"       // give it the old file's permissions
	OpWrite      Op = "write"       // a part of its bytes
	OpSync       Op = "sync"        // have it on the disk
	OpClose      Op = "close"       // it is closed all the same
	OpLink       Op = "link"        // a second name for a file, in Link
	OpRename     Op = "rename"      // the temporary file's name becomes the final one
	OpSyncFolder Op = "sync folder" // have the name on the disk
	OpRemove     Op = "remove"      // take the temporary file away
)

// injected is what tests have asked for before every operation.
var injected atomic.Pointer[func(Op, string) error]

// Inject is for tests, of any package: from now on, fault is called before each operation,
// and its error, if it returns one, stands in place of what the operation would have done.
// path is that of the file that is being written, as it was given (of OpSyncFolder: its
// folder), and not the temporary one. undo ends it.
func Inject(fault func(op Op, path string) error) (undo func()) {
	before := injected.Swap(&fault)
	return func() { injected.Store(before) }
}

// Partial is the error of a fault at OpWrite after which half of the bytes are in the file.
type Partial struct{ Err error }

func (p Partial) Error() string { return p.Err.Error() }
func (p Partial) Unwrap() error { return p.Err }

// do asks the disk for something, unless a test wants it to fail.
func do(op Op, path string, ask func() error) (err error) {
	if fault := injected.Load(); fault != nil {
		err = (*fault)(op, path)
	}
	if err == nil {
		err = ask()
	}
	switch e := err.(type) { // of the temporary file, whose name would only confuse
	case *fs.PathError:
		if e.Path != path {
			err = fmt.Errorf("%s: %w", e.Op, e.Err)
		}
	case *os.LinkError:
		err = fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return err
}
