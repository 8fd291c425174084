package download

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"

	"pixelgrad/internal/atomicfile"
)

// A part is a file that is not complete yet.
type part struct {
	path string
	f    *os.File
	done int64   // bytes at its beginning that are from version
	from version // the zero value: not known
}

// version tells two versions of a file on a server apart. It is what the
// sidecar has.
type version struct {
	URL          string `json:"url"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
}

func versionOf(url string, h http.Header) version {
	return version{url, h.Get("ETag"), h.Get("Last-Modified")}
}

// ifRange returns the value of the header If-Range, with which a server sends
// the rest of this version or the whole of another. Weak tags must not be used
// there; "" if there is nothing else. (RFC 9110, 13.1.5)
func (v version) ifRange() string {
	if v.ETag != "" && !strings.HasPrefix(v.ETag, "W/") {
		return v.ETag
	}
	return v.LastModified
}

// differs reports whether an answer is certainly from another version: servers
// need not obey If-Range, and not every answer has everything.
func (v version) differs(w version) bool {
	if v.ETag != "" && w.ETag != "" {
		return v.ETag != w.ETag
	}
	return v.LastModified != "" && w.LastModified != "" && v.LastModified != w.LastModified
}

func (p *part) sidecar() string { return p.path + ".json" }

// openPart opens what an earlier download left, or makes an empty part. What
// cannot be the beginning of this file is dropped.
func openPart(r Request) (*part, error) {
	p := &part{path: r.Path + ".part"}
	// A link could make us write somewhere else.
	if st, err := os.Lstat(p.path); err == nil && !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: expected a file or nothing, found a link, a folder or a device: delete it, or choose another folder", p.path)
	}
	f, err := os.OpenFile(p.path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	p.f = f
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	p.done = st.Size()
	if text, err := readSmall(p.sidecar()); err == nil {
		json.Unmarshal(text, &p.from) // on an error the address is wrong, too
	}
	if p.done > r.Size || p.from.URL != r.URL {
		if err := p.reset(); err != nil {
			f.Close()
			return nil, err
		}
	}
	return p, nil
}

// readSmall reads a file, but not more of it than a sidecar can have.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<16))
}

// reset empties the part.
func (p *part) reset() error {
	if err := p.f.Truncate(0); err != nil {
		return diskError(p.path, err)
	}
	p.done, p.from = 0, version{}
	if err := os.Remove(p.sidecar()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// begin empties the part for another version. The order matters: after a crash
// the sidecar must not speak of bytes that are from something else.
func (p *part) begin(v version) error {
	if err := p.reset(); err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	err = atomicfile.Write(p.sidecar(), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return diskError(p.sidecar(), err)
	}
	p.from = v
	return nil
}

// close closes the part and leaves it for the next time. Closing twice does
// nothing.
func (p *part) close() {
	if p.f != nil {
		p.f.Close()
		p.f = nil
	}
}

// remove deletes the part and its sidecar.
func (p *part) remove() {
	p.close()
	os.Remove(p.path)
	os.Remove(p.sidecar())
}
