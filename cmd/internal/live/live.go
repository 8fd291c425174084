// Package live serves the page of a training while it goes on: curves that grow, the newest
// pictures, how far it is, and two buttons, pause and stop.
//
// The training only ever leaves its newest state with the server; it waits for nobody. Browsers
// get it as server-sent events, each from a goroutine of its own, which may be late: it then
// leaves states out. So a slow, broken or idle browser costs nothing.
//
// Whoever can open the page can stop the training. So it is served on this machine alone, unless
// another address is named; then a token in the address is asked for. Requests that come by
// another name than the server's (DNS rebinding) or from pages of others (CSRF) are refused, and
// the page may load nothing from elsewhere.
//
// Read live.go first, then guard.go for who may come in, and events.go for what browsers get.
package live

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"pixelgrad/cmd/internal/report"
)

//go:embed live.js
var script string

// Now is how far the training is.
type Now struct {
	Share    float64 `json:"share"` // of all steps, from 0 to 1
	Text     string  `json:"text"`
	Paused   bool    `json:"paused"`
	Stopping bool    `json:"stopping"` // somebody wants it to end
	Ended    bool    `json:"ended"`
}

// A Server serves the page of one training.
type Server struct {
	name     string // of this server, which no other has
	listener net.Listener
	http     *http.Server
	guard    *guard
	stop     func() // what the button Stop does
	pictures *os.Root

	mu       sync.Mutex
	now      Now
	resume   chan struct{} // closed when the training may go on; nil if it is not paused
	report   *report.Report
	files    map[string]bool // pictures that may be asked for
	sections []section
	order    []byte        // their IDs, as the data of an event
	version  int           // counts what has changed
	changed  chan struct{} // closed at the next change

	connections int
	active      int       // requests, streams among them
	last        time.Time // when one began or ended
}

// Bounds on what browsers may take.
const (
	maxConnections = 1024
	writeBuffer    = 64 << 10 // bytes that the system keeps for a browser that does not read
)

// section is a part of the page with the version at which it changed, and the data of its event,
// which all streams share.
type section struct {
	report.Section
	version int
	event   []byte
}

// Listen starts a server at address, such as 127.0.0.1:8080; port 0 stands for any free one.
// folder is that of the pictures. stop is called, once or more, when somebody wants the training
// to end. Close ends the server.
func Listen(address, folder string, stop func()) (*Server, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("expected an address such as 127.0.0.1:8080, found %q: %w", address, err)
	}
	pictures, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		pictures.Close()
		return nil, fmt.Errorf("expected an address that is free, such as 127.0.0.1:0: %w", err)
	}
	s := &Server{name: rand.Text(), listener: l, stop: stop, pictures: pictures, changed: make(chan struct{}), report: &report.Report{Title: "Training"}}
	s.now.Text = "Waiting for the first step." // as the page says without a script
	s.guard = newGuard(host, l.Addr().(*net.TCPAddr))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /page.css", static("text/css", report.Style))
	mux.HandleFunc("GET /page.js", static("text/javascript", report.Script))
	mux.HandleFunc("GET /live.js", static("text/javascript", script))
	mux.HandleFunc("GET /pictures/{name}", s.servePicture)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /events", s.serveEvents)
	mux.HandleFunc("POST /pause", s.servePause)
	mux.HandleFunc("POST /resume", s.serveResume)
	mux.HandleFunc("POST /stop", s.serveStop)
	s.http = &http.Server{
		Handler:           s.guard.wrap(s.count(mux)),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10,
		ConnState:      s.connect,
		ErrorLog:       discard,
	}
	go s.http.Serve(l)
	return s, nil
}

// URL is where the page is, with the token if one is asked for.
func (s *Server) URL() string { return s.guard.url() }

// connect counts connections, and closes those that are too many.
func (s *Server) connect(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		if s.connections++; s.connections > maxConnections {
			c.Close()
		} else if t, ok := c.(*net.TCPConn); ok {
			t.SetWriteBuffer(writeBuffer)
		}
	case http.StateClosed, http.StateHijacked:
		s.connections--
	}
}

// count counts the requests that are being answered.
func (s *Server) count(next http.Handler) http.Handler {
	change := func(d int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.active, s.last = s.active+d, time.Now()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		change(+1)
		defer change(-1)
		next.ServeHTTP(w, r)
	})
}

// Close ends the server, within three seconds. Browsers are told that the training has ended
// with text, and may still ask for the pictures of what they were told last.
func (s *Server) Close(text string) error {
	s.mu.Lock()
	s.now.Ended, s.now.Paused, s.now.Text = true, false, text
	s.wake()
	s.release()
	s.mu.Unlock()
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		s.mu.Lock()
		quiet := s.active == 0 && time.Since(s.last) > 300*time.Millisecond
		s.mu.Unlock()
		if quiet {
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	return errors.Join(err, s.pictures.Close())
}

// SetNow tells how far the training is. It returns at once.
func (s *Server) SetNow(share float64, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Share, s.now.Text = share, text // the next tick of serveEvents takes it
}

// SetReport shows a report, which may be changed afterwards: it is copied.
func (s *Server) SetReport(r *report.Report) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	shown := &report.Report{}
	if err := json.Unmarshal(text, shown); err != nil {
		return err
	}
	sections, err := shown.Sections()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.report, s.files = shown, shown.Files()
	before := map[string]section{}
	for _, b := range s.sections {
		before[b.ID] = b
	}
	s.version++
	s.sections = nil
	var ids []string
	for _, now := range sections {
		ids = append(ids, now.ID)
		next, ok := before[now.ID]
		if !ok || next.HTML != now.HTML {
			event, err := json.Marshal(now) // has no line breaks
			if err != nil {
				return err
			}
			next = section{now, s.version, event}
		}
		s.sections = append(s.sections, next)
	}
	s.order, err = json.Marshal(ids)
	s.wake()
	return err
}

// wake has all streams look at what has changed.
func (s *Server) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Wait returns at once, or, while the training is paused, when it may go on or ctx is done.
// It returns how long that took.
func (s *Server) Wait(ctx context.Context) time.Duration {
	start := time.Now()
	for {
		s.mu.Lock()
		resume := s.resume
		s.mu.Unlock()
		if resume == nil || ctx.Err() != nil {
			return time.Since(start)
		}
		select {
		case <-resume:
		case <-ctx.Done():
		}
	}
}

// release lets the training go on.
func (s *Server) release() {
	if s.resume != nil {
		close(s.resume)
		s.resume = nil
	}
}

func (s *Server) servePause(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.resume == nil && !s.now.Ended && !s.now.Stopping {
		s.resume = make(chan struct{})
		s.now.Paused = true
		s.wake()
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) serveResume(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release()
	s.now.Paused = false
	s.wake()
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) serveStop(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.now.Stopping = !s.now.Ended
	s.mu.Unlock()
	s.stop()
	s.serveResume(w, r)
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	shown := s.report // is never changed, only replaced
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(30 * time.Second))
	shown.Live(w)
}

// servePicture serves one of the files that the report names, and no other.
func (s *Server) servePicture(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.mu.Lock()
	known := s.files[name]
	s.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	f, err := s.pictures.Open(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "private, max-age=86400, immutable") // the query names the version
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(30 * time.Second))
	io.Copy(w, f)
}

func static(kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(30 * time.Second))
		io.Copy(w, strings.NewReader(text))
	}
}
