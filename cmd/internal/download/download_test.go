package download

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"pixelgrad/internal/filelock"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// content is the file that the tests download.
var content = func() []byte {
	b := make([]byte, 300_000)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}()

var contentSum = sumOf(content)

func sumOf(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// quick are settings for a server that is near: it waits for nothing but what a
// test is about.
func quick() *settings {
	s := defaults
	s.dial, s.header, s.idle = 10*time.Second, 10*time.Second, 10*time.Second
	s.tries, s.refill = 4, 100_000
	s.pause = func(int) time.Duration { return 0 }
	return &s
}

// A server counts requests, from 1, and keeps their headers.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	headers []http.Header
}

type answer func(n int, w http.ResponseWriter, r *http.Request)

func serve(t *testing.T, a answer) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.headers = append(s.headers, r.Header)
		n := len(s.headers)
		s.mu.Unlock()
		a(n, w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.headers)
}

// honest does what HTTP says.
func honest(_ int, w http.ResponseWriter, r *http.Request) { tagged(`"one"`)(0, w, r) }

// tagged is honest about a file of this ETag, "" for none.
func tagged(etag string) answer {
	return func(_ int, w http.ResponseWriter, r *http.Request) {
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// raw sends bytes as they are and closes the connection.
func raw(w http.ResponseWriter, b []byte) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	conn.Write(b)
	conn.Close()
}

// whole is an answer with all of the file, as bytes on the wire.
func whole(etag string, body []byte) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nETag: %s\r\n\r\n%s", len(content), etag, body)
}

// partial is an answer with part of the file.
func partial(contentRange, etag string, body []byte) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 206 Partial Content\r\nContent-Range: %s\r\nContent-Length: %d\r\nETag: %s\r\n\r\n%s", contentRange, len(body), etag, body)
}

// then answers the first requests one by one, and the others like the last.
func then(answers ...answer) answer {
	return func(n int, w http.ResponseWriter, r *http.Request) {
		answers[min(n, len(answers))-1](n, w, r)
	}
}

// cutAt sends the beginning of the file, with its ETag, and cuts the connection.
func cutAt(k int, etag string) answer {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { raw(w, whole(etag, content[:k])) }
}

// status answers with a status and a short text.
func status(code int) answer {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
}

// fixed answers with bytes on the wire.
func fixed(b []byte) answer {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { raw(w, b) }
}

// request is a request for content, into a new folder.
func request(t *testing.T, url string) Request {
	return Request{URL: url + "/file.pth", Path: filepath.Join(t.TempDir(), "weights", "file.pth"), Size: int64(len(content)), SHA256: contentSum}
}

// left returns the names in the folder of a request.
func left(t *testing.T, r Request) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(r.Path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// arrived fails unless the file is there, right, and alone.
func arrived(t *testing.T, r Request) {
	t.Helper()
	got, err := os.ReadFile(r.Path)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file has %d bytes (%v), want the %d that were served", len(got), err, len(content))
	}
	if names := left(t, r); len(names) != 1 {
		t.Errorf("the folder has %v, want the file alone", names)
	}
}

// begun puts a part and its sidecar there, as an interrupted download leaves them.
func begun(t *testing.T, r Request, part []byte, sidecar string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(r.Path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.Path+".part", part, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.Path+".part.json", []byte(strings.ReplaceAll(sidecar, "URL", r.URL)), 0o666); err != nil {
		t.Fatal(err)
	}
}

// refused fails unless err is one line with all of want.
func refused(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", want)
		return
	}
	for _, w := range append(want, "") {
		if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line with %q", err, w)
		}
	}
}

func TestGet(t *testing.T) {
	s := serve(t, honest)
	r := request(t, s.URL)
	phases := map[Phase]int64{}
	r.Progress = func(p Phase, done, total int64) {
		if total != r.Size || done < phases[p] || done > total {
			t.Errorf("%s: %d of %d after %d", p, done, total, phases[p])
		}
		phases[p] = done
	}
	r.Log = func(msg string) { t.Errorf("message %q", msg) }
	if fetched, err := quick().get(context.Background(), r); err != nil || !fetched {
		t.Fatalf("Get = %v, %v", fetched, err)
	}
	arrived(t, r)
	if phases[Downloading] != r.Size || phases[Checking] != r.Size {
		t.Errorf("progress %v, want all of both", phases)
	}
	// It is there now: also with a sum of which only the beginning is known.
	r.SHA256 = r.SHA256[:8]
	clear(phases)
	if fetched, err := Get(context.Background(), r); err != nil || fetched || s.requests() != 1 {
		t.Errorf("again: Get = %v, %v, %d requests", fetched, err, s.requests())
	}
	arrived(t, r)
}

// A connection may be cut anywhere in an answer, be it the first or a later one.
func TestCut(t *testing.T) {
	first := whole(`"one"`, content)
	head := bytes.Index(first, []byte("\r\n\r\n")) + 4
	for _, k := range []int{0, 1, 12, 20, head - 1, head, head + 1, head + 1000, head + 299_999} {
		t.Run(fmt.Sprintf("first/%d", k), func(t *testing.T) {
			s := serve(t, then(fixed(first[:k]), honest))
			r := request(t, s.URL)
			if _, err := quick().get(context.Background(), r); err != nil {
				t.Fatal(err)
			}
			arrived(t, r)
		})
	}
	second := partial("bytes 1000-299999/300000", `"one"`, content[1000:])
	head = bytes.Index(second, []byte("\r\n\r\n")) + 4
	for _, k := range []int{0, 1, 12, 20, head - 1, head, head + 1, head + 298_999} {
		t.Run(fmt.Sprintf("second/%d", k), func(t *testing.T) {
			s := serve(t, then(cutAt(1000, `"one"`), fixed(second[:k]), honest))
			r := request(t, s.URL)
			if _, err := quick().get(context.Background(), r); err != nil {
				t.Fatal(err)
			}
			arrived(t, r)
			if got := s.headers[1].Get("Range"); got != "bytes=1000-" {
				t.Errorf("the second request's range is %q", got)
			}
		})
	}
}

// What an earlier process left is used if it can be.
func TestResume(t *testing.T) {
	half := content[:150_000]
	for _, c := range []struct {
		name, etag, sidecar string
		part                []byte
		wantRange, ifRange  string
		requests            int
	}{
		{"strong tag", `"one"`, `{"url":"URL","etag":"\"one\"","last_modified":"Tue, 01 Jan 2019 00:00:00 GMT"}`, half, "bytes=150000-", `"one"`, 1},
		{"no tag", "", `{"url":"URL"}`, half, "bytes=150000-", "", 1},
		{"weak tag, as nginx makes it", `W/"one"`, `{"url":"URL","etag":"W/\"one\""}`, half, "bytes=150000-", "", 1},
		{"another tag", `"two"`, `{"url":"URL","etag":"\"one\""}`, half, "bytes=150000-", `"one"`, 1},
		{"another weak tag", `W/"two"`, `{"url":"URL","etag":"W/\"one\""}`, half, "bytes=150000-", "", 2},
		{"empty part", `"one"`, `{"url":"URL","etag":"\"one\""}`, nil, "", "", 1},
		{"another address", `"one"`, `{"url":"http://a.invalid/","etag":"\"one\""}`, half, "", "", 1},
		{"broken sidecar", `"one"`, `{"url":"URL`, half, "", "", 1},
		{"hostile sidecar", `"one"`, `[` + strings.Repeat("[", 1<<17), half, "", "", 1},
		{"longer than the file", `"one"`, `{"url":"URL","etag":"\"one\""}`, append(slices.Clone(content), 1), "", "", 1},
		{"complete, but not renamed", `"one"`, `{"url":"URL","etag":"\"one\""}`, content, "", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, tagged(c.etag))
			r := request(t, s.URL)
			begun(t, r, c.part, c.sidecar)
			if fetched, err := quick().get(context.Background(), r); err != nil || !fetched {
				t.Fatalf("Get = %v, %v", fetched, err)
			}
			arrived(t, r)
			if s.requests() != c.requests {
				t.Fatalf("%d requests, want %d", s.requests(), c.requests)
			}
			if c.requests > 0 {
				if h := s.headers[0]; h.Get("Range") != c.wantRange || h.Get("If-Range") != c.ifRange || h.Get("Accept-Encoding") != "identity" {
					t.Errorf("request %v, want range %q if %q", h, c.wantRange, c.ifRange)
				}
			}
		})
	}
	t.Run("by date", func(t *testing.T) {
		date := time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)
		s := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", date, bytes.NewReader(content))
		})
		r := request(t, s.URL)
		begun(t, r, half, `{"url":"URL","last_modified":"Tue, 01 Jan 2019 00:00:00 GMT"}`)
		if _, err := quick().get(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		arrived(t, r)
		if h := s.headers[0]; len(s.headers) != 1 || h.Get("If-Range") != "Tue, 01 Jan 2019 00:00:00 GMT" {
			t.Errorf("%d requests, the first %v", len(s.headers), h)
		}
	})
}

// Answers that are wrong once, and are got over.
func TestRecovers(t *testing.T) {
	cut := cutAt(1000, `"one"`)
	rest := content[1000:]
	for _, c := range []struct {
		name     string
		answer   answer
		requests int
		message  string
	}{
		{"range ignored", then(cut, fixed(whole(`"one"`, content))), 2, "sends the whole file"},
		{"changed, and If-Range obeyed", then(cut, tagged(`"two"`)), 2, "sends the whole file"},
		{"changed, and If-Range ignored", then(cut, fixed(partial("bytes 1000-299999/300000", `"two"`, rest)), honest), 3, "has changed"},
		{"range begins too early", then(cut, fixed(partial("bytes 0-299999/300000", `"one"`, content)), honest), 3, `"bytes 0-299999/300000"`},
		{"range begins too late", then(cut, fixed(partial("bytes 2000-299999/300000", `"one"`, content[2000:])), honest), 3, "starting anew"},
		{"range is shorter than its body", then(cut, fixed(partial("bytes 1000-1999/300000", `"one"`, rest)), honest), 3, "starting anew"},
		{"range is longer than its body", then(cut, fixed(partial("bytes 1000-299999/300000", `"one"`, rest[:500])), honest), 3, "starting anew"},
		{"range of a larger file", then(cut, fixed(partial("bytes 1000-299999/300001", `"one"`, rest)), honest), 3, "starting anew"},
		{"range beyond the end", then(cut, fixed(partial("bytes 1000-300000/*", `"one"`, append(slices.Clone(rest), 1))), honest), 3, "starting anew"},
		{"range without sense", then(cut, fixed(partial("bytes -1-x/9999999999999999999999", `"one"`, rest)), honest), 3, "starting anew"},
		{"no range", then(cut, fixed(partial("", `"one"`, rest)), honest), 3, "starting anew"},
		{"416", then(cut, status(416), honest), 3, "nothing after byte 1000"},
		{"in small pieces", func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				cut(n, w, r)
				return
			}
			var from int
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			to := min(from+100_000, len(content))
			raw(w, partial(fmt.Sprintf("bytes %d-%d/*", from, to-1), `"one"`, content[from:to]))
		}, 4, "cut at byte 1000"},
		{"busy", then(status(503), status(429), status(500), honest), 4, "503 Service Unavailable"},
		{"no length, and cut", then(fixed(append([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"one\"\r\n\r\n3e8\r\n"), content[:1000]...)), honest), 2, "cut at byte 1000"},
		{"no length, closed early", then(fixed(append([]byte("HTTP/1.0 200 OK\r\nETag: \"one\"\r\n\r\n"), content[:1000]...)), honest), 2, "cut at byte 1000"},
		{"no length", fixed(append([]byte("HTTP/1.0 200 OK\r\n\r\n"), content...)), 1, ""},
		{"not HTTP", then(fixed([]byte("220 smtp.example ready\r\n")), honest), 2, "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.answer)
			r := request(t, s.URL)
			var log []string
			r.Log = func(msg string) { log = append(log, msg) }
			if _, err := quick().get(context.Background(), r); err != nil {
				t.Fatalf("%v\n%s", err, strings.Join(log, "\n"))
			}
			arrived(t, r)
			if s.requests() != c.requests || !strings.Contains(strings.Join(log, "\n"), c.message) {
				t.Errorf("%d requests, want %d; messages %q, want %q", s.requests(), c.requests, log, c.message)
			}
		})
	}
}

// A connection that is cut more often than there are tries is no reason to give
// up, as long as enough comes each time.
func TestManyCuts(t *testing.T) {
	s := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		from := 0
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		if from == 0 {
			raw(w, whole(`"one"`, content[:20_000]))
			return
		}
		answer := partial(fmt.Sprintf("bytes %d-299999/300000", from), `"one"`, content[from:])
		raw(w, answer[:len(answer)-max(len(content)-from-20_000, 0)])
	})
	r := request(t, s.URL)
	often := quick()
	often.tries, often.refill = 2, 20_000
	if _, err := often.get(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	arrived(t, r)
	if s.requests() != 15 {
		t.Errorf("%d requests, want 15", s.requests())
	}
}

// Answers that are wrong for good. None may leave a file, or go on for ever.
func TestRefuses(t *testing.T) {
	wrong := bytes.Repeat([]byte("x"), len(content))
	stall := func(_ int, w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	slow := quick()
	slow.header, slow.idle, slow.tries = 20*time.Millisecond, 20*time.Millisecond, 2
	for _, c := range []struct {
		name     string
		settings *settings
		answer   answer
		requests int
		left     []string
		want     []string
	}{
		{"404", quick(), status(404), 1, nil, []string{"404 Not Found"}},
		{"403", quick(), status(403), 1, nil, []string{"403 Forbidden"}},
		{"204", quick(), status(204), 1, nil, []string{"204 No Content"}},
		{"304", quick(), status(304), 1, nil, []string{"304 Not Modified"}},
		{"301 to nowhere", quick(), status(301), 1, nil, []string{"301"}},
		{"500 for ever", quick(), status(500), 4, nil, []string{"500 Internal Server Error", "last of 4 tries"}},
		{"a long status", quick(), fixed([]byte("HTTP/1.1 403 " + strings.Repeat("x\x1b", 10_000) + "\r\n\r\n")), 1, nil, []string{`"403 x\x1bx`, "…"}},
		{"416 at once", quick(), status(416), 1, nil, []string{"416"}},
		{"206 at once", quick(), fixed(partial("bytes 0-299999/300000", `"one"`, content)), 1, nil, []string{"expected the whole file", "206"}},
		{"416 for ever", quick(), then(cutAt(1000, `"one"`), status(416)), 3, nil, []string{"416"}},
		{"another size", quick(), func(_ int, w http.ResponseWriter, _ *http.Request) { w.Write([]byte("hello")) }, 1, nil, []string{"expected 300000 bytes, the server has 5"}},
		{"login page", quick(), func(_ int, w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>log in</html>")) }, 1, nil, []string{"the server has 19 (a web page"}},
		{"longer, without a length", quick(), func(_ int, w http.ResponseWriter, _ *http.Request) {
			for range 10 {
				w.Write(content)
			}
		}, 1, nil, []string{"expected 300000 bytes, the server sends more"}},
		{"wrong bytes", quick(), func(_ int, w http.ResponseWriter, _ *http.Request) { w.Write(wrong) }, 1, nil, []string{contentSum, sumOf(wrong), "deleted"}},
		{"right bytes after wrong ones", quick(), then(fixed(whole(`"one"`, wrong[:1000])), honest), 2, nil, []string{contentSum, "deleted"}},
		{"gzip", quick(), func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(content)
		}, 1, nil, []string{`encodes it as "gzip"`}},
		{"sent round in circles", quick(), func(_ int, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/file.pth", http.StatusFound)
		}, 1 + maxRedirects, nil, []string{"more than 5 times"}},
		{"sent to a local file", quick(), func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(302)
		}, 1, nil, []string{"file:///etc/passwd"}},
		{"cut at once, for ever", quick(), fixed(nil), 4, nil, []string{"last of 4 tries"}},
		{"no range, and always cut", quick(), cutAt(1000, `"one"`), 4, []string{"file.pth.part", "file.pth.part.json"}, []string{"cut at byte 1000 of 300000", "1.0 kB of 300.0 kB are kept"}},
		{"a byte a connection", quick(), func(n int, w http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				raw(w, whole(`"one"`, content[:1]))
				return
			}
			raw(w, partial(fmt.Sprintf("bytes %d-%d/*", n-1, n-1), `"one"`, content[n-1:n]))
		}, 4, []string{"file.pth.part", "file.pth.part.json"}, []string{"only up to byte 4 of 300000"}},
		{"a new tag for each request", quick(), func(n int, w http.ResponseWriter, r *http.Request) {
			raw(w, whole(fmt.Sprintf(`"%d"`, n), content[:200_000]))
		}, 4, []string{"file.pth.part", "file.pth.part.json"}, []string{"cut at byte 200000"}},
		{"a length that is never kept", quick(), func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				raw(w, whole(`"one"`, content[:1000]))
				return
			}
			raw(w, fmt.Appendf(nil, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1000-299999/300000\r\nContent-Length: 299000\r\n\r\n"))
		}, 4, []string{"file.pth.part", "file.pth.part.json"}, []string{"cut at byte 1000"}},
		{"endless header", quick(), func(_ int, w http.ResponseWriter, _ *http.Request) {
			raw(w, append([]byte("HTTP/1.1 200 OK\r\nX: "), bytes.Repeat([]byte("x"), 1<<18)...))
		}, 4, nil, []string{"headers exceeded 65536 bytes", "last of 4 tries"}},
		{"stalls before the header", slow, stall, 2, nil, []string{"timeout awaiting response headers"}},
		{"stalls after the header", slow, func(n int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "300000")
			w.WriteHeader(200)
			w.(http.Flusher).Flush()
			stall(n, w, r)
		}, 2, nil, []string{"nothing arrived for 20ms, at byte 0"}},
		{"stalls in the file", slow, func(n int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "300000")
			w.Write(content[:1000])
			w.(http.Flusher).Flush()
			stall(n, w, r)
		}, 2, []string{"file.pth.part", "file.pth.part.json"}, []string{"nothing arrived for 20ms, at byte 1000 of 300000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.answer)
			r := request(t, s.URL)
			fetched, err := c.settings.get(context.Background(), r)
			refused(t, err, c.want...)
			if fetched || s.requests() != c.requests {
				t.Errorf("fetched %v, %d requests, want %d", fetched, s.requests(), c.requests)
			}
			if names := left(t, r); !slices.Equal(names, append([]string{}, c.left...)) {
				t.Errorf("left: %q, want %q", names, c.left)
			}
		})
	}
}

// A part that is wrong is not kept, and a file that is wrong is not touched.
func TestWrongFiles(t *testing.T) {
	s := serve(t, honest)
	get := func(r Request) error {
		fetched, err := quick().get(context.Background(), r)
		if fetched {
			t.Error("Get says that it fetched the file")
		}
		return err
	}
	t.Run("complete part", func(t *testing.T) {
		r := request(t, s.URL)
		begun(t, r, make([]byte, len(content)), `{"url":"URL"}`)
		refused(t, get(r), contentSum, sumOf(make([]byte, len(content))), r.Path, "deleted")
		if names := left(t, r); len(names) != 0 {
			t.Errorf("left: %v", names)
		}
	})
	t.Run("another file", func(t *testing.T) {
		for _, other := range [][]byte{[]byte("mine"), make([]byte, len(content))} {
			r := request(t, s.URL)
			if err := os.MkdirAll(filepath.Dir(r.Path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(r.Path, other, 0o666); err != nil {
				t.Fatal(err)
			}
			refused(t, get(r), r.Path, "another file", "delete it")
			if got, err := os.ReadFile(r.Path); err != nil || !bytes.Equal(got, other) {
				t.Errorf("the other file was changed: %v", err)
			}
		}
	})
	t.Run("folder", func(t *testing.T) {
		r := request(t, s.URL)
		if err := os.MkdirAll(r.Path, 0o777); err != nil {
			t.Fatal(err)
		}
		refused(t, get(r), r.Path, "expected a file or nothing")
	})
	t.Run("file for a folder", func(t *testing.T) {
		r := request(t, s.URL)
		if err := os.WriteFile(filepath.Dir(r.Path), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		refused(t, get(r), filepath.Dir(r.Path))
	})
	t.Run("part is a link", func(t *testing.T) {
		r := request(t, s.URL)
		begun(t, r, nil, "")
		victim := filepath.Join(t.TempDir(), "victim")
		if err := os.WriteFile(victim, []byte("mine"), 0o666); err != nil {
			t.Fatal(err)
		}
		os.Remove(r.Path + ".part")
		if err := os.Symlink(victim, r.Path+".part"); err != nil {
			t.Skip(err)
		}
		refused(t, get(r), r.Path+".part", "found a link")
		if got, err := os.ReadFile(victim); err != nil || string(got) != "mine" {
			t.Errorf("what the link leads to: %q, %v", got, err)
		}
	})
	if s.requests() != 0 {
		t.Errorf("%d requests, want none", s.requests())
	}
}

// A full disk keeps what fits, and the next download goes on from there.
func TestDiskFull(t *testing.T) {
	s := serve(t, honest)
	r := request(t, s.URL)
	full := quick()
	full.write = func(f *os.File, b []byte, off int64) (int, error) {
		room := max(min(100_000-off, int64(len(b))), 0)
		n, err := f.WriteAt(b[:room], off)
		if n < len(b) && err == nil {
			err = &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
		}
		return n, err
	}
	_, err := full.get(context.Background(), r)
	refused(t, err, r.Path+".part: the disk is full", "100.0 kB of 300.0 kB are kept")
	if !errors.Is(err, syscall.ENOSPC) || s.requests() != 1 {
		t.Errorf("error %v after %d requests, want one that wraps ENOSPC after 1", err, s.requests())
	}
	if _, err := quick().get(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	arrived(t, r)
	if got := s.headers[1].Get("Range"); got != "bytes=100000-" {
		t.Errorf("the range of the second download is %q", got)
	}
}

// Ctrl-C in every phase keeps the part.
func TestInterrupted(t *testing.T) {
	s := serve(t, honest)
	for _, phase := range []Phase{Downloading, Checking} {
		t.Run(string(phase), func(t *testing.T) {
			r := request(t, s.URL)
			ctx, cancel := context.WithCancel(context.Background())
			r.Progress = func(p Phase, done, total int64) {
				if p == phase && done > 0 {
					cancel()
				}
			}
			_, err := quick().get(ctx, r)
			refused(t, err, "interrupted")
			if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "context") {
				t.Errorf("error %v, want one that wraps Canceled and does not say so", err)
			}
			if names := left(t, r); !slices.Equal(names, []string{"file.pth.part", "file.pth.part.json"}) {
				t.Errorf("left: %q", names)
			}
			r.Progress = nil
			if _, err := quick().get(context.Background(), r); err != nil {
				t.Fatal(err)
			}
			arrived(t, r)
		})
	}
	t.Run("pause", func(t *testing.T) {
		s := serve(t, status(503))
		r := request(t, s.URL)
		ctx, cancel := context.WithCancel(context.Background())
		patient := quick()
		patient.pause = func(int) time.Duration { cancel(); return time.Hour }
		_, err := patient.get(ctx, r)
		refused(t, err, "interrupted")
		if names := left(t, r); len(names) != 0 {
			t.Errorf("left: %q", names)
		}
	})
}

// How long to wait is the server's wish, within limits.
func TestPauses(t *testing.T) {
	for failed, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 40: longestPause} {
		if got := defaults.pause(failed); got != want {
			t.Errorf("after %d failures: %v, want %v", failed, got, want)
		}
	}
	for header, want := range map[string]string{"": "follows in 0s", "-5": "follows in 0s", "soon": "follows in 0s", "7": "follows in 7s", "99999999999": "follows in 30s"} {
		s := serve(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(503)
		})
		r := request(t, s.URL)
		ctx, cancel := context.WithCancel(context.Background())
		var log string
		r.Log = func(msg string) { log = msg; cancel() }
		quick().get(ctx, r)
		if !strings.HasSuffix(log, want) {
			t.Errorf("Retry-After %q: message %q, want %q", header, log, want)
		}
	}
}

func TestRedirects(t *testing.T) {
	s := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if n := len(r.URL.Path); n < len("/file.pth")+maxRedirects {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
			return
		}
		honest(0, w, r)
	})
	r := request(t, s.URL)
	begun(t, r, content[:1000], `{"url":"URL","etag":"\"one\""}`)
	if _, err := quick().get(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	arrived(t, r)
	if h := s.headers[len(s.headers)-1]; len(s.headers) != 1+maxRedirects || h.Get("Range") != "bytes=1000-" || h.Get("If-Range") != `"one"` {
		t.Errorf("%d requests, the last %v", len(s.headers), h)
	}
	check := func(from, to string) error {
		a, _ := http.NewRequest("GET", from, nil)
		b, _ := http.NewRequest("GET", to, nil)
		return quick().client().CheckRedirect(b, []*http.Request{a})
	}
	refused(t, check("https://a.invalid/", "http://user:secret@a.invalid/"), "not a safe address")
	if err := check("https://a.invalid/", "http://user:secret@a.invalid/"); strings.Contains(err.Error(), "secret") {
		t.Errorf("a password is shown: %v", err)
	}
	for _, to := range []string{"http://b.invalid/", "https://b.invalid/"} {
		if err := check("http://a.invalid/", to); err != nil {
			t.Errorf("http to %s: %v", to, err)
		}
	}
}

// A server whose certificate nobody knows is not asked again and again.
func TestCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { t.Error("a request came through") }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	r := request(t, s.URL)
	r.Log = func(msg string) { t.Errorf("message %q", msg) }
	_, err := quick().get(context.Background(), r)
	refused(t, err, s.URL, "does not prove who it is")
	if e := (*ServerError)(nil); !errors.As(err, &e) {
		t.Errorf("error of type %T, want a ServerError", err)
	}
}

func TestUnreachable(t *testing.T) {
	s := serve(t, honest)
	r := request(t, s.URL)
	s.Close()
	_, err := quick().get(context.Background(), r)
	refused(t, err, r.URL, "last of 4 tries")
	if names := left(t, r); len(names) != 0 {
		t.Errorf("left: %q", names)
	}
}

// Two at once: one works, the other is told so; nothing stays in the way.
func TestLock(t *testing.T) {
	var r Request
	s := serve(t, func(n int, w http.ResponseWriter, req *http.Request) {
		// The first is in the middle of its download now.
		_, err := quick().get(context.Background(), r)
		refused(t, err, r.Path, "another process", "wait")
		if !errors.Is(err, filelock.ErrBusy) {
			t.Errorf("error %v does not wrap filelock.ErrBusy", err)
		}
		honest(n, w, req)
	})
	r = request(t, s.URL)
	// What a process leaves that was killed.
	begun(t, r, nil, "")
	if runtime.GOOS == "linux" {
		if err := os.WriteFile(r.Path+".lock", nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := quick().get(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	arrived(t, r)
}

// The lock's file is deleted and made again all the time; there must be no
// moment in which two have it.
func TestLockExclusive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var holders atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 300 {
				unlock, err := filelock.Lock(path)
				if errors.Is(err, filelock.ErrBusy) {
					runtime.Gosched()
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d have the lock", n)
				}
				runtime.Gosched()
				holders.Add(-1)
				unlock()
			}
		})
	}
	wg.Wait()
}

// Many at once: whoever gets in finishes, and the others find the file or wait.
func TestLockRace(t *testing.T) {
	s := serve(t, honest)
	r := request(t, s.URL)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				_, err := quick().get(context.Background(), r)
				if errors.Is(err, filelock.ErrBusy) {
					time.Sleep(time.Millisecond)
					continue
				}
				if err != nil {
					t.Error(err)
				}
				return
			}
		})
	}
	wg.Wait()
	arrived(t, r)
	if s.requests() != 1 {
		t.Errorf("%d requests, want 1", s.requests())
	}
}

// The proxy of the environment is read once a process, so that this needs one of
// its own. Its server is not asked: the address does not exist.
func TestProxy(t *testing.T) {
	if path := os.Getenv("DOWNLOAD_TEST_PATH"); path != "" {
		_, err := quick().get(context.Background(), Request{URL: "http://weights.invalid/file.pth", Path: path, Size: int64(len(content)), SHA256: contentSum})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	if runtime.GOOS == "js" {
		t.Skip("no processes")
	}
	var host string
	s := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
		host = r.URL.Host
		honest(n, w, r)
	})
	r := request(t, s.URL)
	cmd := exec.Command(os.Args[0], "-test.run=^TestProxy$")
	cmd.Env = append(os.Environ(), "DOWNLOAD_TEST_PATH="+r.Path, "HTTP_PROXY="+s.URL, "http_proxy="+s.URL, "NO_PROXY=", "no_proxy=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	arrived(t, r)
	if host != "weights.invalid" {
		t.Errorf("the proxy was asked for %q", host)
	}
}

func TestContentRange(t *testing.T) {
	for s, want := range map[string][3]int64{
		"bytes 0-0/1":       {0, 1, 1},
		"bytes 100-199/200": {100, 200, 200},
		"bytes 100-199/*":   {100, 200, -1},
	} {
		if begin, end, total, ok := contentRange(s); !ok || [3]int64{begin, end, total} != want {
			t.Errorf("%q: %d %d %d %v, want %v", s, begin, end, total, ok, want)
		}
	}
	for _, s := range []string{"", "bytes", "bytes 1-2", "bytes */200", "items 1-2/3", "bytes 2-1/3", "bytes -1-2/3", "bytes 1--2/3", "bytes 1-2/x",
		"bytes 0-9223372036854775807/*", "bytes 0-99999999999999999999/*"} {
		if begin, end, total, ok := contentRange(s); ok {
			t.Errorf("%q: %d %d %d, want nothing", s, begin, end, total)
		}
	}
}

func TestUnknownSum(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a request without a sum did not panic")
		}
	}()
	Get(context.Background(), Request{URL: "http://weights.invalid/", Path: "x", Size: 1})
}

func ExampleGet() {
	server := httptest.NewServer(http.FileServerFS(fstest.MapFS{"hello.txt": {Data: []byte("hello, world\n")}}))
	defer server.Close()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	r := Request{
		URL:    server.URL + "/hello.txt",
		Path:   filepath.Join(dir, "hello.txt"),
		Size:   13,
		SHA256: "853ff93762a06ddbf722c4ebe9ddd66d8f63ddaea97f521c3ecc20da7c976020",
	}
	for range 2 {
		fmt.Println(Get(context.Background(), r))
	}
	// Output:
	// true <nil>
	// false <nil>
}
