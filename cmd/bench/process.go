package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A process is one that answers each line with a line of JSON: another run of this
// command, or the peer. While it is not asked, it waits and leaves the machine to
// others.
type process struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
}

// start starts a process, which ends when ctx is done.
func start(ctx context.Context, name string, env []string, messages io.Writer, program string, args ...string) (*process, error) {
	p := &process{name: name, cmd: exec.CommandContext(ctx, program, args...)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = messages
	p.cmd.WaitDelay = time.Second // for what it has started, such as compilers
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// self starts this command once more; its messages go where this one's go.
func self(ctx context.Context, env []string, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, "bench", env, os.Stderr, program, args...)
}

// errEnded is why a process does not answer.
var errEnded = errors.New("it has ended")

// ask sends a line and decodes the answer.
func (p *process) ask(answer any, format string, args ...any) error {
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		return fmt.Errorf("%s: %w: %w", p.name, errEnded, err)
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s: asked for %q, %w: %w", p.name, fmt.Sprintf(format, args...), errEnded, err)
	}
	if err := json.Unmarshal(line, answer); err != nil {
		return fmt.Errorf("%s: asked for %q, it answered %q: %w", p.name, fmt.Sprintf(format, args...), line, err)
	}
	return nil
}

// close lets the process end.
func (p *process) close() {
	p.in.Close()
	p.cmd.Wait()
}

// answers calls f with each line, and writes what it returns as a line of JSON.
func answers(in io.Reader, out io.Writer, f func(line string) (any, error)) error {
	lines := bufio.NewScanner(in)
	e := json.NewEncoder(out)
	for lines.Scan() {
		a, err := f(lines.Text())
		if err != nil {
			return err
		}
		if err := e.Encode(a); err != nil {
			return err
		}
	}
	return lines.Err()
}
