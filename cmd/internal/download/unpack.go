package download

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode"

	"pixelgrad/cmd/internal/format"
)

// Limits are what an archive may have at most.
type Limits struct {
	Entries int   // files and folders
	Bytes   int64 // of all files together
}

// Unpack unpacks the folder root of a tar archive, which is not compressed, into
// the folder dir, and returns how many files that were: with root
// "VOCdevkit/VOC2007" it makes dir/VOCdevkit/VOC2007. That folder must not be
// there before, and appears only when everything is in it; until then its
// content is in a hidden folder of dir.
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
	unlock, err := lock(archive)
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

	u := unpacker{dir: inside, root: root, limits: limits, seen: map[string]bool{}}
	counted := &counter{r: f, ctx: ctx, report: func(n int64) { progress(Unpacking, n, st.Size()) }}
	if err := u.unpack(tar.NewReader(counted)); err != nil {
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
	return u.files, syncFolder(filepath.Join(dir, parent))
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

// unpacker writes the entries of an archive below a folder.
type unpacker struct {
	dir     *os.Root
	root    string
	limits  Limits
	entries int
	files   int
	bytes   int64
	seen    map[string]bool // names that the archive has listed
}

func (u *unpacker) unpack(t *tar.Reader) error {
	for {
		h, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after entry %d: the archive is broken or cut off: %w", u.entries, err)
		}
		if err := u.entry(h, t); err != nil {
			return fmt.Errorf("entry %s: %w", format.Quote(h.Name), err)
		}
	}
}

// entry writes one file or folder.
func (u *unpacker) entry(h *tar.Header, content io.Reader) error {
	if u.entries++; u.entries > u.limits.Entries {
		return fmt.Errorf("expected at most %d entries, found more", u.limits.Entries)
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeSymlink, tar.TypeLink:
		return fmt.Errorf("expected files and folders, found a link to %s", format.Quote(h.Linkname))
	default:
		return fmt.Errorf("expected files and folders, found the type %q", h.Typeflag)
	}
	isDir := h.Typeflag == tar.TypeDir
	name := h.Name
	if isDir {
		name = strings.TrimSuffix(name, "/")
	}
	if err := checkName(name); err != nil {
		return err
	}
	if name != u.root && !strings.HasPrefix(name, u.root+"/") && !(isDir && strings.HasPrefix(u.root, name+"/")) {
		return fmt.Errorf("expected names inside %s", u.root)
	}
	if u.seen[name] {
		return errors.New("this name is in the archive twice")
	}
	u.seen[name] = true
	if isDir {
		return tooOften(u.dir.MkdirAll(name, 0o777))
	}
	if h.Size > u.limits.Bytes-u.bytes {
		return fmt.Errorf("expected at most %d bytes in all files, found %d more than that", u.limits.Bytes, h.Size-(u.limits.Bytes-u.bytes))
	}
	u.bytes += h.Size
	u.files++
	if err := u.dir.MkdirAll(path.Dir(name), 0o777); err != nil {
		return tooOften(err)
	}
	// O_EXCL: names that differ only on other systems, as a and A, are one file on some.
	f, err := u.dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return tooOften(err)
	}
	_, err = io.Copy(f, content)
	if err == io.ErrUnexpectedEOF {
		err = errors.New("the archive is cut off here")
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// tooOften says what it means if there is something by that name.
func tooOften(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("another entry of the archive has this name, or that of a folder in it: %w", err)
	}
	return err
}

// checkName refuses names that are not plain relative ones, on every system
// alike: also those that mean something else on Windows.
func checkName(name string) error {
	switch {
	case name == "" || path.Clean(name) != name || !filepath.IsLocal(filepath.FromSlash(name)) || name == ".":
		return errors.New("expected a relative name without . and .. in it")
	case len(name) > 1024:
		return fmt.Errorf("the name has %d bytes, expected at most 1024", len(name))
	case strings.ContainsAny(name, `\:`) || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New(`expected a name without \, : and control characters`)
	}
	return nil
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
