package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"pixelgrad/cmd/internal/runs"
	"pixelgrad/internal/atomicfile"
	"pixelgrad/nn/train"
	"pixelgrad/vision/superres"
)

// How often the tests of what must survive try. The defaults keep go test short; .ci/endure asks
// for more.
var (
	kills   = flag.Int("kills", 8, "how often TestKilled kills a training")
	resumes = flag.Int("resumes", 6, "how many moments TestResumed stops a training at")
	faults  = flag.Int("faults", 10, "at how many operations TestFaults has the disk fail; 0: at each")
)

// asCommand has the test binary be the command itself.
const asCommand = "PIXELGRAD_TEST_TRAIN"

func TestMain(m *testing.M) {
	shown = 1 // drawing takes longer than these trainings
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process returns the command as a process of its own.
func process(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asCommand+"=1")
	return c
}

// practised are flags of a training in which everything has a state: two outputs, an order, altered
// photographs, a schedule, clipped gradients. It has 12 steps in two epochs.
func practised(dir string, more ...string) []string {
	return append([]string{"-model", "multi", "-limit", "20", "-batch", "3", "-epochs", "2", "-crop", "24", "-augment", "flips,rotations",
		"-schedule", "cosine", "-warmup", "3", "-clip-norm", "0.1", "-save-every", "1", "-out", dir}, more...)
}

// results returns the SHA-256 of the weights and tables of a run, but for how long it took.
func results(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	for _, name := range []string{runs.WeightsFile, runs.MetricsFile, runs.StepsFile} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(h, name, len(text))
		h.Write(text)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// uninterrupted trains as practised says, once for all tests, and returns the results.
func uninterrupted(t *testing.T) string {
	t.Helper()
	once.Do(func() {
		dir := filepath.Join(t.TempDir(), "run")
		if _, log, err := runWith(t, context.Background(), practised(dir)); err != nil || log != "" {
			t.Fatal(err, log)
		}
		whole = results(t, dir)
	})
	if whole == "" {
		t.Fatal("the training without interruptions has failed")
	}
	return whole
}

var (
	once  sync.Once
	whole string
)

// TestResumed stops trainings at random moments, and goes on with other numbers of threads: the
// results must have the same bits.
func TestResumed(t *testing.T) {
	want := uninterrupted(t)
	random := rand.New(rand.NewPCG(1, 2))
	threads := []string{"1", "2", "3", "4", "7"}
	all := 0
	for i := range *resumes {
		dir := filepath.Join(t.TempDir(), "run")
		args := practised(dir, "-threads", threads[i%len(threads)])
		at := 1 + random.IntN(40)
		stopped := 0
		for {
			_, log, err := runWith(t, &cancelAfter{context.Background(), at}, args)
			if err != nil || log != "" {
				t.Fatalf("stopped when asked %d times: %v\n%s", at, err, log)
			}
			if text, err := os.ReadFile(filepath.Join(dir, runs.StepsFile)); err == nil && bytes.Count(text, []byte("\n")) == 13 {
				if rows, err := os.ReadFile(filepath.Join(dir, runs.MetricsFile)); err == nil && bytes.Count(rows, []byte("\n")) == 3 && !bytes.Contains(rows, []byte(",,")) {
					break
				}
			}
			if stopped++; stopped > 50 {
				t.Fatal("it never ends")
			}
			args = []string{"-resume", dir, "-threads", threads[(i+stopped)%len(threads)]}
			if _, err := os.Stat(filepath.Join(dir, runs.ConfigFile)); err != nil {
				args = practised(dir)
			}
			at += 8 // the photographs are asked for, too
		}
		if got := results(t, dir); got != want {
			t.Errorf("stopped %d times: results %s, want %s", stopped, got, want)
		}
		all += stopped
	}
	if all < *resumes {
		t.Errorf("%d trainings were stopped %d times: the test saw little", *resumes, all)
	}
	t.Logf("%d trainings were stopped %d times", *resumes, all)
}

// TestKilled kills processes at random moments. Whatever was there must load, and going on must
// lead to the results of a training that nobody killed.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	want := uninterrupted(t)
	random := rand.New(rand.NewPCG(3, 4))
	killed, trainings := 0, 0
	var longest time.Duration
	for killed < *kills {
		trainings++
		dir := filepath.Join(t.TempDir(), "run")
		args := practised(dir)
		for {
			var log bytes.Buffer
			c := process(args...)
			c.Stderr = &log
			begin := time.Now()
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			// The first one tells how long a whole training takes.
			if longest > 0 && killed < *kills {
				time.Sleep(time.Duration(random.Int64N(int64(longest))))
				c.Process.Kill()
			}
			err := c.Wait()
			if err == nil {
				longest = max(longest, time.Since(begin))
				if log.Len() > 0 {
					t.Errorf("messages after %d kills: %s", killed, log.String())
				}
				break
			}
			if c.ProcessState.ExitCode() != -1 {
				t.Fatalf("after %d kills: %v\n%s", killed, err, log.String())
			}
			killed++
			checkpointsLoad(t, dir)
			args = []string{"-resume", dir}
			if _, err := os.Stat(filepath.Join(dir, runs.ConfigFile)); err != nil {
				args = practised(dir) // killed before there was anything to go on with
			}
		}
		if got := results(t, dir); got != want {
			t.Errorf("after %d kills: results %s, want %s", killed, got, want)
		}
	}
	t.Logf("%d trainings were killed %d times", trainings, killed)
}

// TestFaults has each operation on the disk fail, alone or with all that follow it. Whatever was
// there must load, and the training must lead, or when it goes on lead, to the results of one whose
// disk was well.
func TestFaults(t *testing.T) {
	want := uninterrupted(t)
	var ops []string
	count := func(op atomicfile.Op, path string) error {
		ops = append(ops, fmt.Sprintf("%s of %s", op, filepath.Base(path)))
		return nil
	}
	undo := atomicfile.Inject(count)
	dir := filepath.Join(t.TempDir(), "run")
	_, _, err := runWith(t, context.Background(), practised(dir))
	undo()
	if err != nil || len(ops) < 100 {
		t.Fatalf("%d operations, error %v", len(ops), err)
	}
	stride := 1
	if *faults > 0 {
		stride = max(1, len(ops) / *faults)
	}
	causes := []error{syscall.ENOSPC, syscall.EIO, atomicfile.Partial{Err: syscall.ENOSPC}}
	done := 0
	for first := stride / 2; first < len(ops); first += stride {
		for _, lasting := range []bool{false, true} {
			// With few tries, each is of one kind.
			if *faults > 0 && lasting != (first/stride%2 == 0) {
				continue
			}
			done++
			dir := filepath.Join(t.TempDir(), "run")
			cause := causes[first%len(causes)]
			n := 0
			undo := atomicfile.Inject(func(op atomicfile.Op, path string) error {
				n++
				if n == first+1 || lasting && n > first {
					if p, ok := cause.(atomicfile.Partial); ok && op != atomicfile.OpWrite {
						return p.Err
					}
					return cause
				}
				return nil
			})
			_, log, err := runWith(t, context.Background(), practised(dir))
			undo()
			name := fmt.Sprintf("operation %d, %s, %v, and those behind it %v", first+1, ops[first], cause, lasting)
			if lasting && err == nil && first < len(ops)-1 {
				t.Errorf("%s: no error at the end", name)
			}
			// What is closed or removed has its name, and is on the disk: nothing is lost.
			if err == nil && log == "" && !strings.HasPrefix(ops[first], string(atomicfile.OpRemove)) && !strings.HasPrefix(ops[first], string(atomicfile.OpClose)) {
				t.Errorf("%s: nobody was told", name)
			}
			checkpointsLoad(t, dir)
			if err != nil {
				args := []string{"-resume", dir}
				if _, err := os.Stat(filepath.Join(dir, runs.ConfigFile)); err != nil {
					args = practised(dir)
				}
				if _, log, err := runWith(t, context.Background(), args); err != nil || log != "" {
					t.Errorf("%s: going on: %v\n%s", name, err, log)
					continue
				}
			}
			if got := results(t, dir); got != want {
				t.Errorf("%s: results %s, want %s", name, got, want)
			}
		}
	}
	t.Logf("%d operations, %d trainings with a fault", len(ops), done)
}

// checkpointsLoad wants every file that is called a checkpoint to be one.
func checkpointsLoad(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, checkpointFolder, "*.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, filepath.Join(dir, runs.WeightsFile)) {
		if _, err := os.Stat(path); err != nil {
			continue // there are no weights before the first epoch
		}
		s := &session{options: parse(t, practised(dir))}
		s.resume = true
		all, err := s.prepareAll()
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(path) == runs.WeightsFile {
			err = train.LoadWeights(path, all[0].model)
		} else {
			_, err = loopOf(all[0]).Restore(path)
		}
		if err != nil {
			t.Errorf("after a kill: %v", err)
		}
	}
}

func parse(t *testing.T, args []string) *options {
	t.Helper()
	o, err := parseFlags(args, &strings.Builder{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// loopOf returns a loop with the state of a checkpoint of the model.
func loopOf(r *modelRun) *train.Loop[superres.Input, superres.Output] {
	s := &session{options: &options{Flags: r.flags}, batch: 3, photos: &photographs{}}
	if err := s.makeLoop(r, 16); err != nil {
		panic(err)
	}
	return r.loop
}
