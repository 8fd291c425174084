//go:build unix

package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A child is a command of this test's program as a process.
type child struct {
	*exec.Cmd
	t    *testing.T
	work string
}

func newChild(t *testing.T, name string) *child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{exec.Command(program), t, filepath.Join(t.TempDir(), "work")}
	c.Env = append(os.Environ(), role+"="+name, workFile+"="+c.work)
	t.Cleanup(func() {
		if c.Process != nil {
			c.Process.Kill()
		}
	})
	return c
}

// ends fails unless the process ends by itself, soon, with status 0 and its work done.
func (c *child) ends(what, work string) {
	c.t.Helper()
	late := time.AfterFunc(30*time.Second, func() { c.Process.Kill() })
	defer late.Stop()
	err := c.Wait()
	got, _ := os.ReadFile(c.work)
	if err != nil || string(got) != work {
		c.t.Errorf("%s: %v, work %q; want none and %q", what, err, got, work)
	}
}

// unread returns the writing end of a pipe that nobody reads.
func unread(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() { w.Close() })
	return w
}

// A lasting command ends with its work done though nobody reads its results, its messages or
// either; another one is ended by the system.
func TestBrokenPipes(t *testing.T) {
	for _, broken := range []struct{ out, log bool }{{true, false}, {false, true}, {true, true}} {
		for _, name := range []string{"lasting talker", "talker"} {
			c := newChild(t, name)
			if broken.out {
				c.Stdout = unread(t)
			}
			if broken.log {
				c.Stderr = unread(t)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("%s, results unread: %v, messages unread: %v", name, broken.out, broken.log)
			if name == "lasting talker" {
				c.ends(what, "done, <nil>")
				continue
			}
			c.Wait()
			if status := c.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGPIPE {
				t.Errorf("%s: %v, want the end by SIGPIPE", what, c.ProcessState)
			}
		}
	}
}

// A lasting command whose reader stands still ends soon after it is told to.
func TestReaderStandsStill(t *testing.T) {
	c := newChild(t, "lasting talker")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	c.Stdout = w // and nobody reads from r
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Read(make([]byte, 1)); err != nil { // it has begun
		t.Fatal(err)
	}
	go io.Copy(io.Discard, log)
	c.Process.Signal(syscall.SIGTERM)
	start := time.Now()
	c.ends("a reader that stands still", "done, <nil>")
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v to end, want less than 5 s", took)
	}
}

// talk starts a listener whose messages go to log, with words before its command line if
// there are any.
func talk(t *testing.T, log *os.File, before ...string) (c *child, say func(send string, want ...string)) {
	t.Helper()
	c = newChild(t, "listener")
	if len(before) > 0 {
		if _, err := exec.LookPath(before[0]); err != nil {
			t.Skip(err)
		}
		env := c.Env
		c.Cmd = exec.Command(before[0], append(before[1:], c.Path)...)
		c.Env = env
	}
	if log != nil {
		c.Stderr = log
	}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	say = func(send string, want ...string) {
		t.Helper()
		if send == "end" {
			in.Close()
		} else if send != "" {
			fmt.Fprintln(in, send)
		}
		for _, w := range want {
			if !lines.Scan() || lines.Text() != w {
				t.Fatalf("after %q it says %q, %v; want %q", send, lines.Text(), lines.Err(), w)
			}
		}
	}
	say("", "ready")
	return c, say
}

// The end of the terminal interrupts, as SIGTERM does, but never ends a process at once. Two
// signals that come together are one.
func TestHangup(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT} {
		c, say := talk(t, nil)
		c.Process.Signal(signal)
		say("", "interrupted")
		c.Process.Signal(signal)
		c.Process.Signal(syscall.SIGHUP)
		say("still there?", "there")
		if signal == syscall.SIGHUP {
			time.Sleep(patience + 200*time.Millisecond)
			c.Process.Signal(signal)
			say("still there?", "there")
		}
		say("end")
		c.ends(signal.String(), "done, context canceled")
	}
}

// Under nohup the end of the terminal does nothing; SIGTERM still interrupts.
func TestNohup(t *testing.T) {
	c, say := talk(t, nil, "sh", "-c", `trap "" HUP; exec "$0"`)
	c.Process.Signal(syscall.SIGHUP)
	say("still there?", "there")
	c.Process.Signal(syscall.SIGTERM)
	say("", "interrupted")
	say("end")
	c.ends("nohup", "done, context canceled")
}

// A process that cannot say that it is saving, because its messages are stuck, is still ended
// by the second signal.
func TestStuckMessages(t *testing.T) {
	c := newChild(t, "stuffed")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	c.Stderr = w
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("it says %q, %v", line, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	start := time.Now()
	for {
		c.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
			status := c.ProcessState.Sys().(syscall.WaitStatus)
			if took := time.Since(start); status.Signal() != syscall.SIGTERM || took < patience {
				t.Errorf("%v after %v, want the end by SIGTERM, not before %v", c.ProcessState, took, patience)
			}
			return
		case <-time.After(20 * time.Millisecond):
		}
		if time.Since(start) > 20*time.Second {
			t.Fatal("two SIGTERM did not end it")
		}
	}
}

// A message that cannot be written because nobody reads it does not end a lasting command.
func TestMessageUnread(t *testing.T) {
	c, say := talk(t, unread(t))
	c.Process.Signal(syscall.SIGHUP)
	say("", "interrupted")
	time.Sleep(100 * time.Millisecond) // for the message
	say("still there?", "there")
	say("end")
	c.ends("messages unread", "done, context canceled")
}
