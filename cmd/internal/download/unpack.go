package download

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"pixelgrad/internal/atomicfile"
	"pixelgrad/internal/filelock"
)

// Unpack unpacks the folder root of a tar archive, which is not compressed, into
// the folder dir, and returns how many files that were: with root
// "VOCdevkit/VOC2007" it makes dir/VOCdevkit/VOC2007. That folder must not be
// there before, and appears only when everything is in it; until then its
// content is in a hidden folder of dir. One that a killed process has left is
// removed when the same archive is unpacked next, for which one process at a time
// has its lock (filelock.ErrBusy).
//
// Archives are taken for hostile. What a photograph collection does not need is
// an error that names the entry, and nothing is left: links and devices, names
// outside root or that some system would misread, two entries of one name, more
// than the limits allow. No link inside dir is followed. Permissions and
// owners of the archive do not matter.
func Unpack(ctx context.Context, archive, dir, root string, limits Limits, progress Progress) (files int, err error) {
	if progress == nil {
		progress = func(Phase, int64, int64) {}
	}
	f, err := os.Open(archive)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if err := makeFolder(dir); err != nil {
		return 0, err
	}
	unlock, err := filelock.Lock(archive)
	if err != nil {
		return 0, err
	}
	defer unlock()

	// Through an os.Root no name leads out of dir, whatever links another process
	// puts there meanwhile.
	target, err := os.OpenRoot(dir)
	if err != nil {
		return 0, err
	}
	defer target.Close()
	if err := checkTarget(target, dir, root); err != nil {
		return 0, err
	}
	hidden := ".unpacking-" + filepath.Base(archive)
	if err := target.RemoveAll(hidden); err != nil { // of a process that was killed
		return 0, err
	}
	if err := target.Mkdir(hidden, 0o777); err != nil {
		return 0, diskError(filepath.Join(dir, hidden), err)
	}
	defer target.RemoveAll(hidden)
	inside, err := target.OpenRoot(hidden)
	if err != nil {
		return 0, err
	}
	defer inside.Close()

	counted := &counter{r: f, ctx: ctx, report: func(n int64) { progress(Unpacking, n, st.Size()) }}
	files, err = newArchiveReader(counted, root, limits).writeTo(inside)
	if err != nil {
		if ctx.Err() != nil {
			return 0, interrupted{archive + ": interrupted while it was being unpacked; it is kept", ctx.Err()}
		}
		if diskFull(err) {
			return 0, fmt.Errorf("%w; %s is kept", diskError(dir, err), archive)
		}
		return 0, fmt.Errorf("%s: %w", archive, err)
	}
	if info, err := inside.Stat(root); err != nil || !info.IsDir() {
		return 0, fmt.Errorf("%s: expected the folder %s in it, found none", archive, root)
	}
	if err := syncAll(dir); err != nil {
		return 0, diskError(dir, err)
	}
	inside.Close() // Windows does not rename open folders
	parent := path.Dir(root)
	if err := target.MkdirAll(parent, 0o777); err != nil {
		return 0, diskError(filepath.Join(dir, parent), err)
	}
	if err := target.Rename(path.Join(hidden, root), root); err != nil {
		return 0, err
	}
	return files, atomicfile.SyncFolder(filepath.Join(dir, parent))
}

// CanUnpack returns the error that Unpack would return about what is in dir
// already, so that it is known before an archive is downloaded for nothing.
func CanUnpack(dir, root string) error {
	target, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer target.Close()
	return checkTarget(target, dir, root)
}

// checkTarget refuses to unpack over something, or through a link.
func checkTarget(target *os.Root, dir, root string) error {
	parts := strings.Split(root, "/")
	for i := range parts {
		name := strings.Join(parts[:i+1], "/")
		info, err := target.Lstat(name)
		at := filepath.Join(dir, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // nor is there anything inside
		case err != nil:
			return err
		case info.Mode()&fs.ModeSymlink != 0:
			return fmt.Errorf("%s: expected a folder or nothing, found a link: choose another folder", at)
		case !info.IsDir():
			return fmt.Errorf("%s: expected a folder or nothing, found a file: choose another folder", at)
		case i == len(parts)-1:
			return fmt.Errorf("%s: %w: move it away, or choose another folder", at, fs.ErrExist)
		}
	}
	return nil
}

// writeTo writes what an archive has below a folder, and returns how many files that were.
func (a *archiveReader) writeTo(dir *os.Root) (files int, err error) {
	for {
		e, err := a.next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return files, err
		}
		if e.isFolder {
			err = dir.MkdirAll(e.name, 0o777)
		} else {
			files++
			err = writeFile(dir, e.name, a)
		}
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("another entry of the archive has this name on this system: %w", err)
		}
		if err != nil {
			return files, inEntry(e.name, err)
		}
	}
}

// writeFile makes a file and the folders that it is in.
func writeFile(dir *os.Root, name string, content io.Reader) error {
	if err := dir.MkdirAll(path.Dir(name), 0o777); err != nil {
		return err
	}
	// O_EXCL: names that differ only on other systems, as a and A, are one file on some.
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// counter is a reader that reports how much was read, and that ends with ctx.
type counter struct {
	r      io.Reader
	ctx    context.Context
	n      int64
	report func(n int64)
}

func (c *counter) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	c.n += int64(n)
	c.report(c.n)
	return n, err
}
