package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// role is a variable of the environment that makes a command of this test's program.
const role = "PIXELGRAD_CLI_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "patient": // ends after Ctrl-C, as training does
		Command{Name: "patient", Stopping: "saving", Run: func(ctx context.Context, args []string, s Streams) error {
			fmt.Fprintln(s.Out, "ready")
			<-ctx.Done()
			return nil
		}}.Main()
	case "short":
		Command{Name: "short", Run: func(ctx context.Context, args []string, s Streams) error {
			fmt.Fprintln(s.Out, "done")
			return nil
		}}.Main()
	case "deaf": // does not look at its context
		Command{Name: "deaf", Run: func(ctx context.Context, args []string, s Streams) error {
			fmt.Fprintln(s.Out, "ready")
			<-ctx.Done()
			fmt.Fprintln(s.Out, "once")
			time.Sleep(time.Minute)
			return nil
		}}.Main()
	case "listener", "lasting talker", "talker", "stuffed":
		makeRole(os.Getenv(role))
	}
	os.Exit(m.Run())
}

// workFile is a variable of the environment that names the file with the work of a command.
const workFile = "PIXELGRAD_CLI_TEST_WORK"

// talker writes many lines, whatever becomes of them, and then its work. It returns errors
// of writing, if there are any, in that.
func talker(ctx context.Context, s Streams) error {
	var failed error
	for i := range 5_000 {
		_, err1 := fmt.Fprintf(s.Out, "line %d of the results\n", i)
		_, err2 := fmt.Fprintf(s.Log, "line %d of the messages\n", i)
		failed = errors.Join(failed, err1, err2)
	}
	return os.WriteFile(os.Getenv(workFile), fmt.Appendf(nil, "done, %v", failed), 0o666)
}

// listener answers each line of its input, and ends with it; "interrupted" tells that its
// context is done.
func listener(ctx context.Context, s Streams) error {
	context.AfterFunc(ctx, func() { fmt.Fprintln(s.Out, "interrupted") })
	fmt.Fprintln(s.Out, "ready")
	for in := bufio.NewScanner(s.In); in.Scan(); {
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond): // a signal may be on its way
		}
		fmt.Fprintln(s.Out, "there")
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Second): // a terminal that closes ends the input, too
	}
	return os.WriteFile(os.Getenv(workFile), fmt.Appendf(nil, "done, %v", ctx.Err()), 0o666)
}

// makeRole makes a command of this test's program.
func makeRole(name string) {
	c := Command{Name: name, Stopping: "saving", Lasting: name != "talker" && name != "stuffed"}
	c.Run = func(ctx context.Context, args []string, s Streams) error {
		switch name {
		case "listener":
			return listener(ctx, s)
		case "stuffed": // with messages until it cannot write any more
			go func() {
				for {
					os.Stderr.WriteString("more\n")
				}
			}()
			time.Sleep(100 * time.Millisecond)
			fmt.Fprintln(s.Out, "ready")
			time.Sleep(time.Minute)
			return nil
		}
		return talker(ctx, s)
	}
	c.Main()
}

// TestUnrelatedEnvironment starts a command with a variable that some other program reads.
func TestUnrelatedEnvironment(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"1", "on", "AVX2,FMA"} {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), role+"=short", "PIXELGRAD_SIMD=", "SIMD="+value)
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != "done\n" {
			t.Errorf("SIMD=%s: %v, printed %q; want done", value, err, out)
		}
	}
}

// TestSignals sends Ctrl-C to a process: once to one that ends itself, twice to one that
// does not.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("os.Process.Signal has no Ctrl-C there")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	begin := func(name string) (*exec.Cmd, io.Reader, *bytes.Buffer) {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), role+"="+name)
		log := new(bytes.Buffer)
		cmd.Stderr = log
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd, out, log
	}
	await := func(r io.Reader, word string) {
		t.Helper()
		b := make([]byte, len(word)+1)
		if _, err := io.ReadFull(r, b); err != nil || string(b) != word+"\n" {
			t.Fatalf("%q, %v; want %s", b, err, word)
		}
	}
	cmd, out, log := begin("patient")
	await(out, "ready")
	cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil || log.String() != "\npatient: saving; once more ends at once\n" && log.Len() != 0 {
		t.Errorf("one Ctrl-C: %v, messages %q", err, log) // it may end before the message
	}

	cmd, out, _ = begin("deaf")
	await(out, "ready")
	cmd.Process.Signal(os.Interrupt)
	await(out, "once")
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(20 * time.Second); ; { // the first one is still being noted
		cmd.Process.Signal(os.Interrupt)
		select {
		case err := <-ended:
			if err == nil {
				t.Error("two Ctrl-C: it ended by itself")
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill()
			t.Fatal("two Ctrl-C did not end it")
		}
	}
}

func TestStatus(t *testing.T) {
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		err    error
		status int
		log    string
	}{
		{nil, 0, ""},
		{flag.ErrHelp, 0, ""},
		{errors.New("no such file"), 1, "x: no such file\n"},
		{Usagef("-n %d", 3), 2, "x: -n 3 (-help lists the flags)\n"},
		{fmt.Errorf("get: %w", Usage(errors.New("no"))), 2, "x: get: no (-help lists the flags)\n"},
		{Interrupted(done), 1, "x: interrupted\n"},
	} {
		var log strings.Builder
		run := func(context.Context, []string, Streams) error { return c.err }
		if status := (Command{Name: "x", Run: run}).Status(context.Background(), nil, Streams{Log: &log}); status != c.status || log.String() != c.log {
			t.Errorf("%v: status %d, messages %q; want %d, %q", c.err, status, log.String(), c.status, c.log)
		}
	}
	if Interrupted(context.Background()) != nil || !errors.Is(Interrupted(done), context.Canceled) || Usage(nil) != nil {
		t.Error("Interrupted or Usage")
	}
}

type values struct {
	threads, batch, small int
	rate                  float64
	seed                  uint64
	out                   string
	json                  bool
}

// parse reads a command line with every shared flag.
func parse(args string, names ...string) (v values, rest []string, help string, err error) {
	f := NewFlags("x")
	f.Threads(&v.threads)
	f.Batch(&v.batch, 0, "; 0: as many as fit")
	f.Int(&v.small, "small", 2, 2, 4, "2 to 4", "a small `number`")
	f.Positive(&v.rate, "rate", 0.5, "a `rate`")
	f.Seed(&v.seed, "all")
	f.Out(&v.out, "`file` for it")
	f.JSON(&v.json)
	var b strings.Builder
	rest, err = f.Parse(strings.Fields(args), "How to use it.\n\n", &b, names...)
	return v, rest, b.String(), err
}

func TestParseAny(t *testing.T) {
	f := NewFlags("any")
	var n int
	f.Int(&n, "n", 1, 1, 9, "1 to 9", "")
	rest, err := f.ParseAny(strings.Fields("a - -n 3 b -- -n 4"), "", io.Discard)
	if err != nil || n != 3 || strings.Join(rest, " ") != "a - b -n 4" || !f.Given("n") {
		t.Errorf("n is %d, arguments %q, %v", n, rest, err)
	}
	if _, err := f.ParseAny([]string{"-n", "10"}, "", io.Discard); !errors.As(err, new(usageError)) {
		t.Errorf("-n 10: error %v, want one of usage", err)
	}
	if _, err := f.ParseAny([]string{"-h"}, "", io.Discard); err != flag.ErrHelp {
		t.Errorf("-h: error %v", err)
	}
}

func TestParse(t *testing.T) {
	v, rest, _, err := parse("-threads 3 a -batch 8 -o x b -json -seed 18446744073709551615 -- -c", "A", "B", "C")
	if err != nil || v.threads != 3 || v.batch != 8 || v.out != "x" || !v.json || v.seed != math.MaxUint64 || v.rate != 0.5 || strings.Join(rest, " ") != "a b -c" {
		t.Errorf("%+v, %q, %v", v, rest, err)
	}
	for args, want := range map[string]string{
		"-threads -1":       "-threads -1: expected a number from 1 to 4096, or 0 for one a processor",
		"-threads 4097":     "-threads 4097",
		"-batch -1":         "or 0 for the default",
		"-batch 65537":      "-batch 65537",
		"-small 5":          "-small 5: expected 2 to 4",
		"-rate NaN":         "-rate NaN: expected a positive number such as 0.5",
		"-rate Inf":         "-rate +Inf",
		"-rate 0":           "-rate 0",
		"-seed -1":          "-seed",
		"-nonsense":         "-nonsense",
		"-o":                "needs an argument",
		"photos":            `unexpected argument "photos": all settings are flags`,
		"-threads 1 x -o y": `unexpected argument "x"`,
	} {
		if _, _, _, err := parse(args); !errors.As(err, new(usageError)) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one of usage that has %q", args, err, want)
		}
	}
	for args, want := range map[string]string{"": "expected a FILE and OUT", "x": "expected OUT", "x y z": `expected a FILE and OUT, found also "z"`} {
		if _, _, _, err := parse(args, "a FILE", "OUT"); !errors.As(err, new(usageError)) || err.Error() != want {
			t.Errorf("%q: error %v, want %q", args, err, want)
		}
	}
	for _, args := range []string{"-h", "--help", "-threads 3 -help", "a -help"} {
		_, _, help, err := parse(args)
		if err != flag.ErrHelp || !strings.HasPrefix(help, "How to use it.\n\n") || !strings.Contains(help, "-threads") {
			t.Errorf("%s: %v\n%s", args, err, help)
		}
	}
}

func ExampleFlags() {
	var threads int
	f := NewFlags("sum")
	f.Threads(&threads)
	files, err := f.Parse([]string{"a.csv", "-threads", "2"}, "Sum a file.\n", io.Discard, "a FILE")
	fmt.Println(files, threads, err)
	// Output: [a.csv] 2 <nil>
}
