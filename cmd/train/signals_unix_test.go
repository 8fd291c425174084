//go:build unix

package main

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"pixelgrad/cmd/internal/report"
)

// TestSignals interrupts processes: they must save, leave with status 0 within seconds, and go on to
// the results of one that was not interrupted. Nobody reads what they print.
func TestSignals(t *testing.T) {
	want := uninterrupted(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		dir := filepath.Join(t.TempDir(), "run")
		c := process(practised(dir)...)
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c.Stdout, c.Stderr = write, write
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		write.Close()
		read.Close() // before anything is printed
		saved := &checkpoints{dir: filepath.Join(dir, checkpointFolder)}
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if list, err := saved.list(); err != nil || time.Now().After(deadline) {
				t.Fatalf("%v: no checkpoint in a minute: %v", signal, err)
			} else if len(list) > 0 {
				break
			}
		}
		begin := time.Now()
		c.Process.Signal(signal)
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %v, want status 0", signal, err)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("%v: it left after %v, want 5 s", signal, took)
		}
		list, err := saved.list()
		if err != nil || list[0] >= 12 {
			t.Errorf("%v: checkpoints %v, %v: want one before the end, where it was interrupted", signal, list, err)
		}
		if _, err := os.Stat(filepath.Join(dir, report.PageFile)); err != nil {
			t.Errorf("%v: %v", signal, err)
		}
		if _, log, err := runWith(t, context.Background(), []string{"-resume", dir}); err != nil || log != "" {
			t.Errorf("%v: going on: %v\n%s", signal, err, log)
		}
		if got := results(t, dir); got != want {
			t.Errorf("%v: results %s, want %s", signal, got, want)
		}
	}
}
