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
		out, log, err := runWith(t, context.Background(), practised(dir))
		if err != nil || log != "" || !strings.Contains(out, "schedule cosine, warm-up of 3 steps") {
			t.Fatal(err, log, out)
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

// A reader is told of every text that a run prints.
type reader func(text string)

func (r reader) Write(p []byte) (int, error) {
	r(string(p))
	return len(p), nil
}

// TestSavedFirst looks at what is on the disk when the line about an epoch is printed, and at what
// TensorBoard can read when a checkpoint is begun: who is killed then must have all of it. Those
// behind the epochs cannot be written, so that there is none to call the best; the last one is tried
// once more at the end, and so are the tables.
func TestSavedFirst(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	saved := &checkpoints{dir: filepath.Join(dir, checkpointFolder)}
	best := filepath.Join(saved.dir, bestFile)
	lines := func(name string) int {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		return bytes.Count(text, []byte("\n"))
	}
	begun := map[string]int{} // how often each file was
	defer atomicfile.Inject(func(op atomicfile.Op, path string) error {
		if op != atomicfile.OpCreate {
			return nil
		}
		begun[path]++
		if filepath.Base(path) == runs.StepsFile && begun[path] == 3 { // after the last epoch
			return syscall.EROFS
		}
		if filepath.Dir(path) != saved.dir || path == best {
			return nil
		}
		steps := 1
		for ; saved.path(steps) != path; steps++ {
		}
		events, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
		if err != nil || len(events) != 1 {
			t.Fatal(events, err)
		}
		text, err := os.ReadFile(events[0])
		if n := bytes.Count(text, []byte("gradient norm")); err != nil || n != steps {
			t.Errorf("TensorBoard can read of %d steps at the checkpoint of step %d, %v", n, steps, err)
		}
		if list, err := saved.list(); err != nil || len(list) != min(steps-1, keptCheckpoints) {
			t.Errorf("checkpoints %v before that of step %d, %v: want the last two", list, steps, err)
		}
		if steps == 6 && begun[path] == 2 || steps == 12 { // after the step, and after the epoch
			return syscall.EIO
		}
		return nil
	})()
	epochs := 0
	out := reader(func(line string) {
		if !strings.HasPrefix(line, "Epoch [") {
			return
		}
		epochs++
		if n := lines(runs.MetricsFile); n != 1+epochs {
			t.Errorf("%s has %d lines when epoch %d is printed", runs.MetricsFile, n, epochs)
		}
		if n := lines(runs.StepsFile); n != 1+6*epochs {
			t.Errorf("%s has %d lines when epoch %d is printed", runs.StepsFile, n, epochs)
		}
		if _, err := os.Stat(filepath.Join(dir, runs.WeightsFile)); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(best); err == nil {
			t.Errorf("epoch %d: a best checkpoint, of an epoch whose own could not be written", epochs)
		}
	})
	var log bytes.Buffer
	err := run(context.Background(), parse(t, practised(dir, "-tensorboard")), out, &log)
	if err == nil || !strings.Contains(err.Error(), saved.path(12)) || !strings.Contains(err.Error(), runs.StepsFile) || epochs != 2 || !strings.Contains(log.String(), saved.path(6)) {
		t.Errorf("%d epochs, %v\n%s", epochs, err, log.String())
	}
	if n := begun[saved.path(12)]; n != 3 {
		t.Errorf("the last checkpoint was tried %d times, want after the step, after the epoch, and at the end", n)
	}
}

// TestTimes wants the seconds of all epochs together to be no more than passed between the last line
// before the first step and that about the last epoch.
func TestTimes(t *testing.T) {
	dir := t.TempDir()
	var begin, end time.Time
	out := reader(func(line string) {
		switch {
		case strings.HasPrefix(line, "  memory"):
			begin = time.Now()
		case strings.HasPrefix(line, "Epoch ["):
			end = time.Now()
		}
	})
	if err := run(context.Background(), parse(t, quick(dir, "-save-every", "1")), out, out); err != nil {
		t.Fatal(err)
	}
	if sum := secondsOf(t, filepath.Join(dir, "run")); !(sum > 0 && sum < end.Sub(begin).Seconds()+0.002) { // they are rounded to 1 ms
		t.Errorf("epochs of %.3f s in %.3f s", sum, end.Sub(begin).Seconds())
	}
}

// secondsOf adds up times.csv.
func secondsOf(t *testing.T, dir string) (sum float64) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, runs.TimesFile))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var epoch int
		var seconds float64
		if n, _ := fmt.Sscanf(line, "%d,%f", &epoch, &seconds); n == 2 {
			sum += seconds
		}
	}
	return sum
}

// TestDue asks when it is time to save: after so many steps, or so much time since the last save.
func TestDue(t *testing.T) {
	c := &checkpoints{dir: t.TempDir(), every: runs.Every{Steps: 3}}
	for steps := 1; steps < 10; steps++ {
		if got := c.due(steps); got != (steps%3 == 0) {
			t.Errorf("every 3 steps: due after %d: %v", steps, got)
		}
	}
	c.every = runs.Every{Time: time.Minute}
	for _, ago := range []time.Duration{59 * time.Second, time.Minute} {
		if c.at = time.Now().Add(-ago); c.due(1) != (ago == time.Minute) {
			t.Errorf("every minute: due after %v: %v", ago, c.due(1))
		}
	}
	if err := c.save(1, func(string) error { return nil }); err != nil || c.due(2) {
		t.Errorf("every minute: due at once after a save: %v, %v", c.due(2), err)
	}
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
			// What is closed or removed has its name, and is on the disk; where the best cannot
			// be a second name of the last it is a copy: nothing is lost.
			quiet := strings.HasPrefix(ops[first], string(atomicfile.OpRemove)) || strings.HasPrefix(ops[first], string(atomicfile.OpClose)) || strings.HasSuffix(ops[first], bestFile)
			if err == nil && log == "" && !quiet {
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
