package live

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pixelgrad/cmd/internal/report"
)

// begin starts a server with a small report and one picture.
func begin(t *testing.T, address string) (s *Server, stopped *atomic.Int32) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a b.png"), []byte("\x89PNG picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret.png"), []byte("secret"), 0o666); err != nil {
		t.Fatal(err)
	}
	stopped = new(atomic.Int32)
	s, err := Listen(address, dir, func() { stopped.Add(1) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close("ended") })
	if err := s.SetReport(example(1)); err != nil {
		t.Fatal(err)
	}
	return s, stopped
}

func example(epochs int) *report.Report {
	n := &report.Network{Step: 2, Name: "superresnet", Title: "SuperResNet", Epochs: 9, Outputs: []report.Output{{Name: "mid", Side: 144}}}
	for e := 1; e <= epochs; e++ {
		v := 1 / float64(20+e)
		n.Outputs[0].Epochs = append(n.Outputs[0].Epochs, report.Epoch{Epoch: e, Train: v, Val: &v})
	}
	return &report.Report{Title: "A <b>training", Networks: []*report.Network{n},
		Data: report.Data{Source: "here", Samples: []report.Sample{{Name: "a", Pictures: []report.Picture{{File: "a b.png", Side: 72, Version: "1"}}}}}}
}

// request sends a request whose headers a test chooses.
func request(t *testing.T, s *Server, method, path string, header ...string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+s.listener.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	// 431 comes from package http itself.
	if csp := resp.Header.Get("Content-Security-Policy"); resp.StatusCode != 431 && !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'") {
		t.Errorf("%s %s: policy %q", method, path, csp)
	}
	return resp.StatusCode, string(b)
}

func TestRequests(t *testing.T) {
	s, stopped := begin(t, "127.0.0.1:0")
	port := s.listener.Addr().(*net.TCPAddr).Port
	own := fmt.Sprintf("http://127.0.0.1:%d", port)
	for _, c := range []struct {
		method, path string
		header       []string
		status       int
		body         string
	}{
		{"GET", "/", nil, 200, "<title>A &lt;b&gt;training</title>"},
		{"GET", "/page.css", nil, 200, ":root"},
		{"GET", "/live.js", nil, 200, "EventSource"},
		{"GET", "/pictures/a%20b.png?v=1", nil, 200, "\x89PNG picture"},
		{"GET", "/", []string{"Host", fmt.Sprintf("localhost:%d", port)}, 200, "training"},

		// By another name, as when a page of others makes its name lead here.
		{"GET", "/", []string{"Host", "evil.example"}, 403, "another name"},
		{"GET", "/", []string{"Host", fmt.Sprintf("evil.example:%d", port)}, 403, "another name"},
		{"GET", "/events", []string{"Host", "127.0.0.1"}, 403, "another name"},
		{"GET", "/", []string{"Host", "localhost:1"}, 403, "another name"},

		// From pages of others.
		{"POST", "/stop", []string{"Origin", "http://evil.example"}, 403, ""},
		{"POST", "/pause", []string{"Origin", "null"}, 403, ""},
		{"POST", "/stop", []string{"Sec-Fetch-Site", "cross-site"}, 403, ""},
		{"POST", "/pause", []string{"Origin", "http://127.0.0.1:1"}, 403, ""},
		{"GET", "/events", []string{"Origin", "http://evil.example"}, 403, "not for others"},
		{"GET", "/page.js", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403, "not for others"},
		{"GET", "/page.js", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "no-cors"}, 200, ""},
		{"GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200, ""}, // a link

		// Nothing but what the report names.
		{"GET", "/pictures/secret.png", nil, 404, ""},
		{"GET", "/pictures/..%2fsecret.png", nil, 404, ""},
		{"GET", "/pictures/%2e%2e/%2e%2e/etc/passwd", nil, 404, ""},
		{"GET", "/pictures/", nil, 404, ""},
		{"GET", "/config.json", nil, 404, ""},
		{"GET", "/stop", nil, 405, ""},
		{"POST", "/", nil, 405, ""},
		{"POST", "/pause", []string{"Origin", own}, 204, ""},
		{"POST", "/resume", []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, 204, ""},
	} {
		status, body := request(t, s, c.method, c.path, c.header...)
		if status != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%s %s %q: %d %.200q, want %d with %q", c.method, c.path, c.header, status, body, c.status, c.body)
		}
	}
	if n := stopped.Load(); n != 0 {
		t.Errorf("stopped %d times by requests that are refused", n)
	}
	if status, _ := request(t, s, "POST", "/stop", "Origin", own); status != 204 || stopped.Load() != 1 {
		t.Errorf("stop: status %d, stopped %d times", status, stopped.Load())
	}
	if status, _ := request(t, s, "GET", "/", "X-Long", strings.Repeat("x", 64<<10)); status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 64 KB: status %d", status)
	}
}

// TestKnown looks at names that a server is called by at HTTP's own port, which browsers leave out.
func TestKnown(t *testing.T) {
	for _, c := range []struct {
		at, host string
		port     int
		want     bool
	}{
		{"127.0.0.1", "127.0.0.1", 80, true},
		{"127.0.0.1", "127.0.0.1:80", 80, true},
		{"127.0.0.1", "localhost", 80, true},
		{"::1", "[::1]", 80, true},
		{"127.0.0.1", "localhost", 8080, false},
		{"127.0.0.1", "evil.example", 80, false},
		{"0.0.0.0", "192.0.2.1", 80, true},
		{"0.0.0.0", "evil.example", 80, false},
		{"127.0.0.1", "", 80, false},
	} {
		g := newGuard("", &net.TCPAddr{IP: net.ParseIP(c.at), Port: c.port})
		if got := g.known(c.host); got != c.want {
			t.Errorf("at %s, port %d, called %q: %v, want %v", c.at, c.port, c.host, got, c.want)
		}
	}
}

// TestToken looks at a server that others can reach.
func TestToken(t *testing.T) {
	s, _ := begin(t, "0.0.0.0:0")
	port := s.listener.Addr().(*net.TCPAddr).Port
	host := fmt.Sprintf("127.0.0.1:%d", port)
	if !strings.Contains(s.URL(), "?token="+s.guard.token) || len(s.guard.token) < 20 {
		t.Errorf("URL %s", s.URL())
	}
	for _, c := range []struct {
		path   string
		header []string
		status int
	}{
		{"/", nil, 403},
		{"/?token=x", nil, 403},
		{"/?token=", nil, 403},
		{"/?token=" + s.guard.token, nil, 200},
		{"/page.css", []string{"Cookie", s.guard.cookie + "=x"}, 403},
		{"/page.css", []string{"Cookie", s.guard.cookie + "=" + s.guard.token}, 200},
		{"/?token=" + s.guard.token, []string{"Host", fmt.Sprintf("evil.example:%d", port)}, 403},
	} {
		header := append([]string{"Host", host}, c.header...)
		if status, _ := request(t, s, "GET", c.path, header...); status != c.status {
			t.Errorf("%s %q: %d, want %d", c.path, header, status, c.status)
		}
	}
}

// events reads events from the stream until f has seen enough.
func events(t *testing.T, s *Server, lastID string, f func(event string, data map[string]any) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+s.listener.Addr().String()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", lastID)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	event := ""
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok && event != "order" {
			var data map[string]any
			if err := json.Unmarshal([]byte(text), &data); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if f(event, data) {
				return
			}
		}
	}
	t.Errorf("the stream has ended too early: %v", lines.Err())
}

func TestEvents(t *testing.T) {
	s, _ := begin(t, "127.0.0.1:0")
	s.SetNow(0.25, "Epoch 3/10")
	got := map[string]bool{}
	events(t, s, "", func(event string, data map[string]any) bool {
		if event == "section" {
			got[data["ID"].(string)] = true
			return false
		}
		if data["text"] != "Epoch 3/10" || data["share"] != 0.25 {
			t.Errorf("now: %v", data)
		}
		return true
	})
	for _, id := range []string{"top", "data", "net-superresnet", "compare", "words", "end"} {
		if !got[id] {
			t.Errorf("no section %s among %v", id, got)
		}
	}
	// A browser that has version 1 gets only what is new.
	if err := s.SetReport(example(2)); err != nil {
		t.Fatal(err)
	}
	var fresh []string
	events(t, s, s.name+"-1", func(event string, data map[string]any) bool {
		if event == "section" {
			fresh = append(fresh, data["ID"].(string))
		}
		return event == "now"
	})
	if len(fresh) != 1 || fresh[0] != "net-superresnet" {
		t.Errorf("after one epoch more: sections %q", fresh)
	}
	go func() {
		time.Sleep(50 * time.Millisecond)
		s.Close("Done.")
	}()
	events(t, s, s.name+"-2", func(event string, data map[string]any) bool {
		return event == "now" && data["ended"] == true && data["text"] == "Done."
	})
}

func TestPause(t *testing.T) {
	s, _ := begin(t, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(context.Background())
	if d := s.Wait(ctx); d > time.Second {
		t.Errorf("not paused: waited %v", d)
	}
	wait := func() chan struct{} {
		done := make(chan struct{})
		go func() { s.Wait(ctx); close(done) }()
		return done
	}
	for i, end := range []func(){
		func() { request(t, s, "POST", "/resume") },
		func() { request(t, s, "POST", "/pause"); request(t, s, "POST", "/stop") },
		cancel,
	} {
		if i == 2 {
			request(t, s, "POST", "/pause") // of a training that stops
			if d := s.Wait(ctx); d > time.Second {
				t.Errorf("paused while it stops: waited %v", d)
			}
			s, _ = begin(t, "127.0.0.1:0")
		}
		request(t, s, "POST", "/pause")
		request(t, s, "POST", "/pause")
		done := wait()
		select {
		case <-done:
			t.Fatalf("%d: paused, and it goes on", i)
		case <-time.After(30 * time.Millisecond):
		}
		end()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d: it does not go on", i)
		}
	}
}

// TestSlow opens streams that are never read while the report changes: the training must not
// notice.
func TestSlow(t *testing.T) {
	s, _ := begin(t, "127.0.0.1:0")
	r := example(9)
	r.Facts = []report.Fact{{Value: strings.Repeat("x", 1<<20)}} // more than the sockets hold
	reports := func() time.Duration {
		start := time.Now()
		for i := range 8 {
			r.Facts[0].Name = fmt.Sprint(i)
			if err := s.SetReport(r); err != nil {
				t.Fatal(err)
			}
			s.SetNow(float64(i), "step")
		}
		return time.Since(start)
	}
	alone := reports()
	for range 50 {
		c, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: %s\r\n\r\n", s.listener.Addr())
	}
	if watched := reports(); watched > 3*alone+2*time.Second {
		t.Errorf("8 reports take %v alone, and %v with 50 browsers that do not read", alone, watched)
	}
	if status, _ := request(t, s, "GET", "/page.js"); status != 200 {
		t.Errorf("another browser: status %d", status)
	}
}
