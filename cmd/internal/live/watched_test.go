//go:build unix

package live

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pixelgrad/cmd/internal/report"
)

// crowd is how many browsers of each kind the tests below have: streams that are never read, and
// connections that ask for nothing.
const crowd = 500

// gather opens the connections of a crowd, and returns when the server has answered all streams.
func gather(t testing.TB, s *Server) (leave func()) {
	t.Helper()
	address := s.listener.Addr().String()
	var all []net.Conn
	for i := range 2 * crowd {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, c); i%2 == 0 {
			fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: %s\r\n\r\n", address)
		}
	}
	await(t, s, func() bool { return s.active == crowd })
	return func() {
		for _, c := range all {
			c.Close()
		}
		await(t, s, func() bool { return s.active == 0 && s.connections == 0 })
	}
}

// await waits until a condition of the server holds.
func await(t testing.TB, s *Server, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		done, active, connections := holds(), s.active, s.connections
		s.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after 30 s there are %d requests on %d connections", active, connections)
		}
	}
}

// six is the report of six networks after ten epochs; epoch n changes one of them.
func six(n int) *report.Report {
	r := example(10)
	for i := range 6 {
		net := &report.Network{Step: 2 + i%5, Name: fmt.Sprint("network", i), Title: fmt.Sprint("Network ", i), Epochs: 10}
		for k := range 2 {
			o := example(10).Networks[0].Outputs[0]
			for j := range 4 {
				p := report.Picture{File: fmt.Sprintf("network%d-%d-%d.png", i, k, j), Side: 144 << k}
				if i == n%6 {
					p.Version = fmt.Sprint(n)
				}
				o.Rows = append(o.Rows, report.Row{Name: "photograph", Prediction: p, Bicubic: p, Truth: p})
			}
			net.Outputs = append(net.Outputs, o)
		}
		r.Networks = append(r.Networks, net)
	}
	return r
}

// TestCrowd bounds what a training waits for when a crowd watches that does not read, and what
// memory the crowd takes.
func TestCrowd(t *testing.T) {
	s, _ := begin(t, "127.0.0.1:0")
	if err := s.SetReport(six(0)); err != nil {
		t.Fatal(err)
	}
	memory := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse + m.StackInuse)
	}
	before := memory()
	leave := gather(t, s)
	defer leave()
	var slowest, reports time.Duration
	for i := range 20 {
		start := time.Now()
		if err := s.SetReport(six(i)); err != nil {
			t.Fatal(err)
		}
		reports = max(reports, time.Since(start))
		for range 100 {
			start := time.Now()
			s.SetNow(0.5, "step")
			slowest = max(slowest, time.Since(start))
			runtime.Gosched()
		}
	}
	// Far more than on an idle machine, where they take microseconds and some milliseconds.
	if slowest > 500*time.Millisecond || reports > 2*time.Second {
		t.Errorf("with %d streams that nobody reads, SetNow takes up to %v and SetReport up to %v", crowd, slowest, reports)
	}
	if each := (memory() - before) / (2 * crowd); each > 64<<10 {
		t.Errorf("each connection takes %d bytes", each)
	}
	t.Logf("SetNow at most %v, SetReport at most %v, %d bytes a connection", slowest, reports, (memory()-before)/(2*crowd))
}

// TestTooMany: connections above the bound are closed, and those below it are served.
func TestTooMany(t *testing.T) {
	s, _ := begin(t, "127.0.0.1:0")
	http := func() int { status, _ := request(t, s, "GET", "/page.css"); return status }
	if http() != 200 {
		t.Fatal("not served")
	}
	var all []net.Conn
	defer func() {
		for _, c := range all {
			c.Close()
		}
	}()
	for range maxConnections - 10 {
		c, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	if http() != 200 {
		t.Error("not served below the bound")
	}
	for range 100 {
		c, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	last := all[len(all)-1]
	last.SetReadDeadline(time.Now().Add(3 * time.Second)) // before the server gives up a connection that says nothing
	if _, err := last.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("a connection above the bound: %v, want that it is closed", err)
	}
	for _, c := range all {
		c.Close()
	}
	await(t, s, func() bool { return s.connections <= 2 })
	if http() != 200 {
		t.Error("not served afterwards")
	}
}

// BenchmarkCrowd measures how much work a training loses while a crowd of browsers has its page
// open: 500 streams that are never read, and 500 connections that ask for nothing. It works for
// two seconds with them and two seconds without, in turn, with a new report every second:
//
//	go test ./cmd/internal/live -run - -bench Crowd -benchtime 30x
//
// The losses are medians, in percent: of the work in a second, and of the work in a second of the
// processor, which other programs disturb less.
func BenchmarkCrowd(b *testing.B) {
	s, err := Listen("127.0.0.1:0", b.TempDir(), func() {})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close("")
	epochs := 0
	work := func() (perSecond, perProcessorSecond float64) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		var done atomic.Int64
		var group sync.WaitGroup
		start, used := time.Now(), processor()
		for thread := range runtime.GOMAXPROCS(0) {
			group.Go(func() {
				x, next := 1.0, start
				for i := 0; ctx.Err() == nil; i++ {
					for range 100_000 {
						x = x*0.999 + 1e-3
					}
					done.Add(1)
					if thread > 0 {
						continue
					}
					s.SetNow(x, fmt.Sprint("step ", i))
					if time.Now().After(next) {
						s.SetReport(six(epochs))
						epochs++
						next = next.Add(time.Second)
					}
				}
			})
		}
		group.Wait()
		n := float64(done.Load())
		return n / time.Since(start).Seconds(), n / (processor() - used).Seconds()
	}
	var losses, ofProcessor []float64
	measure := func(watch bool) (wall, cpu float64) {
		if watch {
			defer gather(b, s)()
		}
		runtime.GC()
		return work()
	}
	for first := false; b.Loop(); first = !first {
		watched, watchedP := measure(first)
		alone, aloneP := measure(!first)
		if !first {
			watched, watchedP, alone, aloneP = alone, aloneP, watched, watchedP
		}
		losses = append(losses, 100*(1-watched/alone))
		ofProcessor = append(ofProcessor, 100*(1-watchedP/aloneP))
	}
	median := func(v []float64) float64 { slices.Sort(v); return v[len(v)/2] }
	b.ReportMetric(median(losses), "%lost")
	b.ReportMetric(median(ofProcessor), "%lost-of-processor")
}

// processor returns the time that this process has used of all processors.
func processor() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
