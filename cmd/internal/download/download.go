// Package download fetches large files whose size and SHA-256 are known, and
// unpacks archives of photographs.
//
// A file appears under its name only when it is whole and right. Until then
// three others are beside it:
//
//	NAME.part        the bytes that have arrived
//	NAME.part.json   which version of the file on the server they are from
//	NAME.lock        held while a process works on it
//
// The first two stay when a download is interrupted, and the next one goes on
// from there. Servers, and the network between, are taken for unreliable and
// hostile: all they can cause is an error.
package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"pixelgrad/cmd/internal/format"
	"pixelgrad/internal/atomicfile"
	"pixelgrad/internal/filelock"
)

// Request says what to download, and how the right file is recognised.
type Request struct {
	URL    string
	Path   string // of the finished file; its folder is made if it is missing
	Size   int64  // in bytes
	SHA256 string // in hexadecimal; if not all of it is known, its first 8 or more digits

	Progress Progress         // may be nil
	Log      func(msg string) // is told of every mishap that is got over, in a line; may be nil
}

// Progress is called while something goes on, with how many bytes of how many
// are done. After a mishap done may be less than before.
type Progress func(phase Phase, done, total int64)

// Phase is what is going on.
type Phase string

// The phases of a download and of an unpacking.
const (
	Downloading Phase = "Downloading"
	Checking    Phase = "Checking"
	Unpacking   Phase = "Unpacking"
)

// settings are what tests change.
type settings struct {
	dial, header, idle time.Duration // for a connection, for an answer, and between two parts of it

	tries  int                            // in a row that may fail
	refill int64                          // so many new bytes, and the counting of tries begins again
	pause  func(failed int) time.Duration // after so many failures in a row
	write  func(f *os.File, b []byte, off int64) (int, error)
}

var defaults = settings{
	dial:   20 * time.Second,
	header: 30 * time.Second,
	idle:   30 * time.Second,
	tries:  6,
	refill: 1 << 20,
	pause:  func(failed int) time.Duration { return min(time.Second<<min(failed-1, 5), longestPause) }, // 1, 2, 4, 8, 16, 30 s
	write:  (*os.File).WriteAt,
}

// longestPause is how long a server may ask us to wait before the next try.
const longestPause = 30 * time.Second

// Get makes sure that a file is at r.Path: it checks the one that is there, or
// downloads it. It reports whether it had to.
//
// A connection that is cut, an answer that stalls and a server that is busy are
// tried again, with growing pauses and a limit. Proxies are taken from the
// environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).
//
// Errors name the address or the file, what was expected, what was found, and
// what to do: another file is at r.Path; another process works on it (filelock.ErrBusy);
// the server refuses, or offers a file of another size; the sum is wrong, and
// the part was deleted; the disk is full, or ctx is done, and the part was kept.
func Get(ctx context.Context, r Request) (fetched bool, err error) { return defaults.get(ctx, r) }

func (s *settings) get(ctx context.Context, r Request) (fetched bool, err error) {
	if r.Size <= 0 || len(r.SHA256) < 8 || len(r.SHA256) > 64 || strings.Trim(r.SHA256, "0123456789abcdef") != "" {
		panic(fmt.Sprintf("download: Get %s: size %d, SHA-256 %q: both must be known", r.URL, r.Size, r.SHA256))
	}
	if r.Progress == nil {
		r.Progress = func(Phase, int64, int64) {}
	}
	if r.Log == nil {
		r.Log = func(string) {}
	}
	// First without the lock: a file may be in a folder that cannot be written to.
	if there, err := r.present(ctx); there || err != nil {
		return false, err
	}
	if err := makeFolder(filepath.Dir(r.Path)); err != nil {
		return false, err
	}
	unlock, err := filelock.Lock(r.Path)
	if err != nil {
		return false, err
	}
	defer unlock()
	// Who had the lock before may have finished the file.
	if there, err := r.present(ctx); there || err != nil {
		return false, err
	}
	p, err := openPart(r)
	if err != nil {
		return false, err
	}
	defer p.close()
	if err := s.fetch(ctx, r, p); err != nil {
		if p.done == 0 {
			p.remove()
			return false, err
		}
		return false, fmt.Errorf("%w; %s of %s are kept in %s, and the next try goes on from there", err, format.Bytes(p.done), format.Bytes(r.Size), p.path)
	}
	if err := r.finish(ctx, p); err != nil {
		return false, err
	}
	return true, nil
}

// present reports whether the right file is there. Another file of that name is
// an error: it is not ours to delete.
func (r *Request) present(ctx context.Context) (bool, error) {
	st, err := os.Stat(r.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case !st.Mode().IsRegular():
		return false, fmt.Errorf("%s: expected a file or nothing, found a folder or a device: choose another folder", r.Path)
	case st.Size() != r.Size:
		return false, fmt.Errorf("%s: expected %d bytes, found another file of %d: delete it, or choose another folder", r.Path, r.Size, st.Size())
	}
	sum, err := r.sum(ctx, r.Path)
	if err == nil && !strings.HasPrefix(sum, r.SHA256) {
		err = fmt.Errorf("%s: expected SHA-256 %s, found another file with %s: delete it, or choose another folder", r.Path, r.SHA256, sum)
	}
	return err == nil, err
}

// finish gives the part its name, if it is the right file.
func (r *Request) finish(ctx context.Context, p *part) error {
	if err := p.f.Sync(); err != nil {
		return fmt.Errorf("%s: %w", p.path, err)
	}
	sum, err := r.sum(ctx, p.path)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(sum, r.SHA256) {
		p.remove()
		return fmt.Errorf("%s: expected SHA-256 %s, found %s in what %s sent, which is deleted: try again; if it stays so, get the file elsewhere and put it there", r.Path, r.SHA256, sum, r.URL)
	}
	p.close() // Windows does not rename open files
	if err := os.Rename(p.path, r.Path); err != nil {
		return err
	}
	os.Remove(p.sidecar())
	return atomicfile.SyncFolder(filepath.Dir(r.Path))
}

// sum returns the SHA-256 of a file as it is on the disk.
func (r *Request) sum(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for done := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return "", interrupted{"interrupted while " + path + " was being checked", err}
		}
		n, err := f.Read(buf)
		h.Write(buf[:n])
		done += int64(n)
		r.Progress(Checking, done, r.Size)
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}

// interrupted is the error that ctx is done, without the words "context
// canceled", which tell a user nothing.
type interrupted struct {
	text  string
	cause error
}

func (e interrupted) Error() string { return e.text }
func (e interrupted) Unwrap() error { return e.cause }

// makeFolder makes a folder and those that it is in.
func makeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("%s: expected a folder that can be made: %w", dir, err)
	}
	return nil
}

// diskFull reports whether an error in writing means that there is no room.
func diskFull(err error) bool {
	if errno := syscall.Errno(0); runtime.GOOS == "windows" && errors.As(err, &errno) {
		return errno == 39 || errno == 112 // ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL
	}
	return errors.Is(err, syscall.ENOSPC)
}

// diskError says of an error in writing a file what to do.
func diskError(path string, err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		err = p.Err // path is said below
	}
	if diskFull(err) {
		return fmt.Errorf("%s: the disk is full (%w): make room, or choose another folder", path, err)
	}
	return fmt.Errorf("%s: cannot be written: %w", path, err)
}
