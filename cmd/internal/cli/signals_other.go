//go:build !unix

package cli

import "os"

// hangup returns no signal: Windows has SIGTERM for a terminal that closes.
func hangup() []os.Signal { return nil }

// outlivePipes does nothing: elsewhere than on Unix, a write where nobody reads any more only
// fails.
func outlivePipes() {}
