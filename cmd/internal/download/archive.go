package download

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"pixelgrad/cmd/internal/format"
)

// Limits are what an archive may have at most.
type Limits struct {
	Entries int   // files and folders, also folders that only the names of others have
	Bytes   int64 // of all files together
}

// An archiveReader reads a tar archive of photographs, and lets nothing through that such a
// collection does not need. What it lets through can be written below a folder as it is.
type archiveReader struct {
	tar    *tar.Reader
	root   string // the folder that all files are in
	limits Limits

	headers int             // entries that were looked at
	bytes   int64           // of the files
	known   map[string]kind // names so far
}

func newArchiveReader(r io.Reader, root string, limits Limits) *archiveReader {
	return &archiveReader{tar: tar.NewReader(r), root: root, limits: limits, known: map[string]kind{}}
}

// kind is what a name of an archive stands for.
type kind int

const (
	kindFile    kind = iota + 1
	kindFolder       // with an entry of its own
	kindImplied      // a folder with none so far: the name of another entry leads through it
)

// An item is a file or a folder of an archive.
type item struct {
	name     string // relative, with slashes
	isFolder bool
	size     int64 // of a file
}

// next returns the next file or folder; Read then reads the file. The error is io.EOF after the
// last one, and else names the entry.
func (a *archiveReader) next() (item, error) {
	h, err := a.tar.Next()
	if err == io.EOF {
		return item{}, err
	}
	if err != nil {
		return item{}, fmt.Errorf("after entry %d: the archive is broken or cut off: %w", a.headers, err)
	}
	e, err := a.check(h)
	if err != nil {
		return item{}, inEntry(h.Name, err)
	}
	return e, nil
}

// Read reads from the file that next has returned.
func (a *archiveReader) Read(b []byte) (int, error) {
	n, err := a.tar.Read(b)
	if err == io.ErrUnexpectedEOF {
		err = errors.New("the archive is cut off here")
	}
	return n, err
}

// inEntry says which entry an error is about.
func inEntry(name string, err error) error {
	return fmt.Errorf("entry %s: %w", format.Quote(name), err)
}

// check returns what a header stands for, if that is allowed.
func (a *archiveReader) check(h *tar.Header) (item, error) {
	a.headers++
	e := item{name: h.Name}
	switch h.Typeflag {
	case tar.TypeReg:
		e.size = h.Size
	case tar.TypeDir:
		e.isFolder = true
		e.name = strings.TrimSuffix(h.Name, "/")
	case tar.TypeSymlink, tar.TypeLink:
		return e, fmt.Errorf("expected files and folders, found a link to %s", format.Quote(h.Linkname))
	default:
		return e, fmt.Errorf("expected files and folders, found the type %q", h.Typeflag)
	}
	if err := checkName(e.name); err != nil {
		return e, err
	}
	if e.name != a.root && !strings.HasPrefix(e.name, a.root+"/") && !(e.isFolder && strings.HasPrefix(a.root, e.name+"/")) {
		return e, fmt.Errorf("expected names inside %s", a.root)
	}
	if err := a.enter(e); err != nil {
		return e, err
	}
	if !e.isFolder && e.name == a.root {
		return e, fmt.Errorf("expected the folder %s, found a file", a.root)
	}
	if left := a.limits.Bytes - a.bytes; e.size > left {
		return e, fmt.Errorf("expected at most %d bytes in all files, found %d more than that", a.limits.Bytes, e.size-left)
	}
	a.bytes += e.size
	return e, nil
}

// enter remembers an entry's name and the folders that it leads through, and refuses what
// would be two things by one name.
func (a *archiveReader) enter(e item) error {
	for parent := path.Dir(e.name); parent != "."; parent = path.Dir(parent) {
		k, seen := a.known[parent]
		if k == kindFile {
			return fmt.Errorf("another entry of the archive is a file by the name %s", format.Quote(parent))
		}
		if seen {
			break // and so are those above it
		}
		if err := a.remember(parent, kindImplied); err != nil {
			return err
		}
	}
	switch k := a.known[e.name]; {
	case k == 0 && e.isFolder, k == kindImplied && e.isFolder:
		return a.remember(e.name, kindFolder)
	case k == 0:
		return a.remember(e.name, kindFile)
	case k == kindImplied:
		return errors.New("another entry of the archive has this name for a folder")
	default:
		return errors.New("this name is in the archive twice")
	}
}

func (a *archiveReader) remember(name string, k kind) error {
	a.known[name] = k
	if len(a.known) > a.limits.Entries {
		return fmt.Errorf("expected at most %d entries, found more", a.limits.Entries)
	}
	return nil
}

// checkName refuses names that are not plain relative ones, on every system
// alike: also those that mean something else on Windows.
func checkName(name string) error {
	switch {
	case name == "" || path.Clean(name) != name || !filepath.IsLocal(filepath.FromSlash(name)) || name == ".":
		return errors.New("expected a relative name without . and .. in it")
	case len(name) > 1024:
		return fmt.Errorf("the name has %d bytes, expected at most 1024", len(name))
	case !utf8.ValidString(name): // some systems write other bytes as they are, some change them, some refuse
		return errors.New("expected a name in UTF-8")
	case strings.ContainsAny(name, `\:`) || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New(`expected a name without \, : and control characters`)
	}
	return nil
}
