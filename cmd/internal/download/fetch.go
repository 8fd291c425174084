package download

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"pixelgrad/cmd/internal/format"
)

// maxRedirects is how often a server may send us on.
const maxRedirects = 5

// ServerError is the error that a file could not be had from a server.
type ServerError struct {
	URL string
	Err error
}

func (e *ServerError) Error() string { return e.URL + ": " + e.Err.Error() }
func (e *ServerError) Unwrap() error { return e.Err }

// local is an error on this side of the connection.
type local struct{ error }

func (l local) Unwrap() error { return l.error }

// permanent is an error that another try would only repeat.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

func permanently(format string, args ...any) error {
	return permanent{fmt.Errorf(format, args...)}
}

// later is an error after which the server wants us to wait.
type later struct {
	error
	wait time.Duration
}

// errIdle is why a stalled answer is given up.
var errIdle = errors.New("nothing arrived")

// client returns an HTTP client that waits for nothing without end.
func (s *settings) client() *http.Client {
	t := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: s.dial}).DialContext,
		TLSHandshakeTimeout:    s.dial,
		ResponseHeaderTimeout:  s.header,
		MaxResponseHeaderBytes: 1 << 16,
		DisableCompression:     true, // the sum is that of the bytes as they are stored
		ForceAttemptHTTP2:      true,
	}
	redirect := func(req *http.Request, via []*http.Request) error {
		switch {
		case len(via) > maxRedirects:
			return permanently("the server sends us on more than %d times, at last to %s", maxRedirects, format.Quote(req.URL.Redacted()))
		case req.URL.Scheme != "https" && (req.URL.Scheme != "http" || via[0].URL.Scheme == "https"):
			return permanently("the server sends us on to %s, which is not a safe address", format.Quote(req.URL.Redacted()))
		}
		return nil
	}
	return &http.Client{Transport: t, CheckRedirect: redirect}
}

// fetch fills the part. It gives up at an error that would only come again, and
// after s.tries failures in a row; there are none in a row once the part has
// grown by s.refill beyond its largest size so far. So whatever a server does,
// it is asked a limited number of times.
func (s *settings) fetch(ctx context.Context, r Request, p *part) error {
	client := s.client()
	defer client.CloseIdleConnections()
	if p.done < r.Size {
		r.Progress(Downloading, p.done, r.Size) // an answer may take its time
	}
	if p.done > 0 && p.done < r.Size {
		r.Log(fmt.Sprintf("going on from %s of %s", format.Bytes(p.done), format.Bytes(r.Size)))
	}
	most, failed := p.done, 0
	for p.done < r.Size {
		err := s.try(ctx, client, r, p)
		if err == nil && p.done < r.Size { // allowed, but not for ever
			err = fmt.Errorf("the server sent the file only up to byte %d of %d", p.done, r.Size)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return interrupted{r.URL + ": interrupted", ctx.Err()}
		}
		if l := (local{}); errors.As(err, &l) {
			return l.error
		}
		err = &ServerError{r.URL, err}
		if final := (permanent{}); errors.As(err, &final) {
			return err
		}
		if p.done-most >= s.refill {
			most, failed = p.done, 0
		}
		failed++
		if failed >= s.tries {
			return fmt.Errorf("%w; that was the last of %d tries", err, failed)
		}
		wait := s.pause(failed)
		if l := (later{}); errors.As(err, &l) {
			wait = max(wait, min(l.wait, longestPause))
		}
		r.Log(fmt.Sprintf("%v; try %d of %d follows in %v", err, failed+1, s.tries, wait))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
	return nil
}

// try asks once for what is missing. It returns nil if everything came that the
// server had promised, which may be less than what is missing.
func (s *settings) try(ctx context.Context, client *http.Client, r Request, p *part) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return permanent{err}
	}
	req.Header.Set("User-Agent", "pixelgrad")
	req.Header.Set("Accept-Encoding", "identity")
	if p.done > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.done))
		if v := p.from.ifRange(); v != "" {
			req.Header.Set("If-Range", v)
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		return explain(err)
	}
	defer resp.Body.Close()
	end, err := accept(resp, r, p)
	if err != nil {
		return err
	}
	// The client's own limits end with the header. This one is wound up again
	// before each reading, so that a slow disk is not held against the server.
	idle := time.AfterFunc(s.idle, func() { cancel(errIdle) })
	defer idle.Stop()
	buf := make([]byte, 256<<10)
	for {
		idle.Reset(s.idle)
		n, err := resp.Body.Read(buf)
		idle.Stop()
		if context.Cause(ctx) == errIdle {
			err = fmt.Errorf("nothing arrived for %v, at byte %d of %d", s.idle, p.done+int64(n), r.Size)
		}
		if int64(n) > end-p.done {
			// Whatever this is, its beginning is not our file.
			if err := p.reset(); err != nil {
				return local{err}
			}
			return permanently("expected %d bytes, the server sends more", r.Size)
		}
		written, werr := s.write(p.f, buf[:n], p.done)
		p.done += int64(max(written, 0))
		if werr != nil {
			return local{diskError(p.path, werr)}
		}
		r.Progress(Downloading, p.done, r.Size)
		switch {
		// With a length the body ends here; otherwise one more reading tells.
		case p.done == end && (err != nil || resp.ContentLength >= 0):
			return nil
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			return fmt.Errorf("the connection was cut at byte %d of %d", p.done, r.Size)
		case err != nil:
			return err
		}
	}
}

// accept looks at an answer's header. If its body can be used it returns at
// which byte of the file the body ends; the part then ends where the body
// begins.
func accept(resp *http.Response, r Request, p *part) (end int64, err error) {
	now := versionOf(r.URL, resp.Header)
	// anew drops the part; the next try asks for the whole file.
	anew := func(format string, args ...any) (int64, error) {
		if err := p.reset(); err != nil {
			return 0, local{err}
		}
		return 0, fmt.Errorf(format+"; starting anew", args...)
	}
	switch c := resp.StatusCode; {
	case c == http.StatusOK || c == http.StatusPartialContent:
		if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
			return 0, permanently("expected the file as it is, the server encodes it as %s", format.Quote(e))
		}
	case c == http.StatusRequestedRangeNotSatisfiable && p.done > 0:
		return anew("the server has nothing after byte %d (%s)", p.done, format.Quote(resp.Status))
	case c == http.StatusRequestTimeout, c == http.StatusTooEarly, c == http.StatusTooManyRequests, c >= 500:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return 0, later{fmt.Errorf("the server answers %s", format.Quote(resp.Status)), time.Duration(min(max(seconds, 0), 3600)) * time.Second}
	default:
		return 0, permanently("expected the file, the server answers %s", format.Quote(resp.Status))
	}

	if resp.StatusCode == http.StatusOK {
		if n := resp.ContentLength; n >= 0 && n != r.Size {
			hint := ""
			if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
				hint = " (a web page; does the network want you to log in?)"
			}
			return 0, permanently("expected %d bytes, the server has %d%s", r.Size, n, hint)
		}
		if p.done > 0 {
			r.Log(fmt.Sprintf("%s: the server does not continue at byte %d, but sends the whole file; starting anew", r.URL, p.done))
		}
		if err := p.begin(now); err != nil {
			return 0, local{err}
		}
		return r.Size, nil
	}

	if p.done == 0 {
		return 0, permanently("expected the whole file, the server answers %s", format.Quote(resp.Status))
	}
	head := resp.Header.Get("Content-Range")
	begin, end, total, ok := contentRange(head)
	length := resp.ContentLength
	if !ok || begin != p.done || end > r.Size || total >= 0 && total != r.Size || length >= 0 && length != end-begin {
		return anew("expected bytes %d to %d of %d, the server sends %d bytes as %s", p.done, r.Size-1, r.Size, length, format.Quote(head))
	}
	if p.from.differs(now) {
		return anew("the file on the server has changed")
	}
	return end, nil
}

// contentRange takes "bytes 100-199/200" apart: begin 100, end 200, total 200.
// An unknown total, *, is -1.
func contentRange(s string) (begin, end, total int64, ok bool) {
	rest, ok1 := strings.CutPrefix(s, "bytes ")
	span, of, ok2 := strings.Cut(rest, "/")
	first, last, ok3 := strings.Cut(span, "-")
	begin, err1 := strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	total, err3 := int64(-1), error(nil)
	if of != "*" {
		total, err3 = strconv.ParseInt(of, 10, 64)
	}
	ok = ok1 && ok2 && ok3 && err1 == nil && err2 == nil && err3 == nil && 0 <= begin && begin <= end && end < 1<<62
	return begin, end + 1, total, ok
}

// explain says why there is no answer, and whether there may be one later.
func explain(err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // without the address, which the caller adds
	}
	if p := (permanent{}); errors.As(err, &p) {
		return p
	}
	if d := (*net.DNSError)(nil); errors.As(err, &d) && d.IsNotFound {
		return permanently("%w: is this machine connected?", err)
	}
	if c := (*tls.CertificateVerificationError)(nil); errors.As(err, &c) {
		return permanently("the server does not prove who it is: %w", err)
	}
	return err
}
