package tensorboard

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// python finds a Python that has TensorBoard: the one that an earlier test has installed, or one
// of the system. If the environment variable PIXELGRAD_TEST_REQUIRE, a list with commas, has
// "tensorboard", it is installed from the Python Package Index where it is missing, in a folder
// of the user's cache, and a failure of that fails the test. Else the test is skipped then.
func python(t *testing.T) string {
	t.Helper()
	required := slices.Contains(strings.Split(os.Getenv("PIXELGRAD_TEST_REQUIRE"), ","), "tensorboard")
	give := t.Skipf
	if required {
		give = t.Fatalf
	}
	has := func(python string) bool {
		return exec.Command(python, "-c", "import tensorboard.main").Run() == nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		give("TensorBoard has no place: %v", err)
	}
	home := filepath.Join(cache, "pixelgrad-test", "tensorboard")
	inside := filepath.Join("bin", "python")
	if runtime.GOOS == "windows" {
		inside = filepath.Join("Scripts", "python.exe")
	}
	if p := filepath.Join(home, inside); has(p) {
		return p
	}
	var system string
	for _, name := range []string{"python3", "python"} {
		if p, err := exec.LookPath(name); err == nil && system == "" {
			system = p
		}
	}
	if system == "" {
		give("TensorBoard needs Python, and there is none")
	}
	if has(system) {
		return system
	}
	if !required {
		t.Skip("TensorBoard is not installed; PIXELGRAD_TEST_REQUIRE=tensorboard installs it")
	}

	// It is made beside its place, so that one of which half was installed is never there.
	must(t, os.MkdirAll(filepath.Dir(home), 0o777))
	made, err := os.MkdirTemp(filepath.Dir(home), "tensorboard.")
	must(t, err)
	defer os.RemoveAll(made)
	for _, command := range [][]string{
		{system, "-m", "venv", made},
		{filepath.Join(made, inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "tensorboard"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	p := filepath.Join(home, inside)
	must(t, os.RemoveAll(home)) // one whose Python has gone
	if err := os.Rename(made, home); err != nil && !has(p) {
		t.Fatal(err)
	}
	if out, err := exec.Command(p, "-c", "import tensorboard.main").CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", p, err, out)
	}
	return p
}

// A session writes the steps from first to last of a training that is shown in the tests below:
// a loss in each step, and each twenty steps a PSNR and two pictures. Losses differ between
// sessions, so that the test sees whose they are.
func session(t *testing.T, dir string, first, last int64, loss float64) *Writer {
	t.Helper()
	w, err := Create(dir, first-1)
	must(t, err)
	for step := first; step <= last; step++ {
		w.Scalar("loss/train 288", step, loss/float64(step))
		if step%20 == 0 {
			w.Scalar("psnr/validation 288", step, psnr(step))
			w.Image("prediction 288/bay \xff", step, picture(24, 12, uint8(step)))
			w.Image("prediction 144/bay", step, picture(12, 6, uint8(step)))
		}
	}
	must(t, w.Flush())
	return w
}

// psnr has what a photograph of one colour leads to.
func psnr(step int64) float64 {
	switch step {
	case 20:
		return math.Inf(1)
	case 40:
		return math.NaN()
	}
	return float64(step) / 4
}

// kill leaves what a killed process does: a part of a record at the end.
func kill(t *testing.T, w *Writer) {
	t.Helper()
	b, err := os.ReadFile(w.path)
	must(t, err)
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	_, err = f.Write(b[:20])
	must(t, err)
	must(t, f.Close())
	must(t, w.Close())
}

// shown is what TensorBoard shows of a run: by tag, a line for each step.
type shown map[string][]string

// want is what it should show of a training until a last step, with a loss that differs up to
// and from a step.
func want(last int64, loss func(step int64) float64) shown {
	s := shown{}
	for step := int64(1); step <= last; step++ {
		s["loss/train 288"] = append(s["loss/train 288"], fmt.Sprint(step, " ", float32(loss(step)/float64(step))))
		if step%20 == 0 {
			s["psnr/validation 288"] = append(s["psnr/validation 288"], fmt.Sprint(step, " ", float32(psnr(step))))
			s["prediction 288/bay \uFFFD"] = append(s["prediction 288/bay \uFFFD"], fmt.Sprint(step, " ", sum(encode(24, 12, step))))
			s["prediction 144/bay"] = append(s["prediction 144/bay"], fmt.Sprint(step, " ", sum(encode(12, 6, step))))
		}
	}
	return s
}

func encode(w, h int, step int64) []byte {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := e.Encode(&b, picture(w, h, uint8(step))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// differ says in which tag two differ, and how.
func (s shown) differ(want shown) string {
	if got, want := slices.Sorted(maps.Keys(s)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
		return fmt.Sprintf("tags: got %q, want %q", got, want)
	}
	for tag := range want {
		if !slices.Equal(s[tag], want[tag]) {
			return fmt.Sprintf("%s:\ngot  %s\nwant %s", tag, strings.Join(s[tag], ", "), strings.Join(want[tag], ", "))
		}
	}
	return ""
}

func first(int64) float64 { return 1 }

// second is of a training that was killed at step 60 and resumed from step 45.
func second(step int64) float64 {
	if step > 45 {
		return 2
	}
	return 1
}

// TestAccumulator reads the files with the class that scripts use, and which forgets, when it is
// told of a new session, the steps that are to come again.
func TestAccumulator(t *testing.T) {
	p := python(t)
	dir := t.TempDir()
	accumulate := func() shown {
		t.Helper()
		var stderr bytes.Buffer
		c := exec.Command(p, filepath.Join("testdata", "accumulate.py"), dir)
		c.Stderr = &stderr
		out, err := c.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", c, err, &stderr)
		}
		complaints(t, stderr.String())
		var found struct {
			Scalars, Images map[string][][]any
		}
		must(t, json.Unmarshal(out, &found))
		s := shown{}
		for tag, values := range found.Scalars {
			for _, v := range values {
				x, err := strconv.ParseFloat(v[1].(string), 64)
				must(t, err)
				s[tag] = append(s[tag], fmt.Sprint(v[0], " ", float32(x)))
			}
		}
		for tag, values := range found.Images {
			size := "24 12"
			if strings.Contains(tag, "144") {
				size = "12 6"
			}
			for _, v := range values {
				if got := fmt.Sprint(v[1], " ", v[2]); got != size {
					t.Errorf("%s: got a size of %s, want %s", tag, got, size)
				}
				s[tag] = append(s[tag], fmt.Sprint(v[0], " ", v[3]))
			}
		}
		return s
	}

	kill(t, session(t, dir, 1, 60, 1))
	if d := accumulate().differ(want(60, first)); d != "" {
		t.Errorf("killed at step 60: %s", d)
	}
	w, err := Create(dir, 45)
	must(t, err)
	must(t, w.Close())
	if d := accumulate().differ(want(45, first)); d != "" {
		t.Errorf("resumed from step 45: %s", d)
	}
	must(t, session(t, dir, 46, 80, 2).Close())
	if d := accumulate().differ(want(80, second)); d != "" {
		t.Errorf("ended at step 80: %s", d)
	}
	must(t, session(t, dir, 1, 20, 2).Close())
	if d := accumulate().differ(want(20, func(int64) float64 { return 2 })); d != "" {
		t.Errorf("started anew: %s", d)
	}
}

// complaints fails if TensorBoard says something of the files.
func complaints(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "tfevents") || strings.Contains(line, "oddly") || strings.Contains(line, "Traceback") {
			t.Errorf("TensorBoard says: %s", line)
		}
	}
}

// TestServer starts TensorBoard itself, with each of its two readers, beside a training that is
// killed and resumed, and a second network. It asks for what the page in a browser asks for.
func TestServer(t *testing.T) {
	p := python(t)
	for _, fast := range []bool{true, false} {
		t.Run(fmt.Sprint("fast=", fast), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			super, multi := filepath.Join(dir, "superresnet"), filepath.Join(dir, "multi")
			must(t, os.Mkdir(super, 0o777))
			must(t, os.Mkdir(multi, 0o777))
			kill(t, session(t, super, 1, 60, 1))
			must(t, session(t, multi, 1, 40, 1).Close())

			s := serve(t, p, dir, fast)
			s.await(t, "superresnet", want(60, first))
			s.await(t, "multi", want(40, first))
			w := session(t, super, 46, 70, 2)
			s.await(t, "superresnet", want(70, second))
			for step := int64(71); step <= 75; step++ {
				w.Scalar("loss/train 288", step, 2/float64(step))
			}
			must(t, w.Close())
			s.await(t, "superresnet", want(75, second))
			s.await(t, "multi", want(40, first))

			var runs []string
			s.get(t, &runs, "data/runs", nil)
			slices.Sort(runs)
			if want := []string{"multi", "superresnet"}; !slices.Equal(runs, want) {
				t.Errorf("runs: got %q, want %q", runs, want)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			complaints(t, s.log.String())
		})
	}
}

// A server is a TensorBoard that runs.
type server struct {
	address string
	mu      sync.Mutex
	log     strings.Builder
}

var announced = regexp.MustCompile(`TensorBoard \S+ at (http://\S+/)`)

// serve starts TensorBoard. It is stopped at the end of the test.
func serve(t *testing.T, python, dir string, fast bool) *server {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, python, "-m", "tensorboard.main", "--logdir", dir, "--host", "127.0.0.1", "--port", "0",
		"--reload_interval", "1", fmt.Sprint("--load_fast=", fast))
	c.WaitDelay = 5 * time.Second // its reader holds the pipe for a moment longer
	r, w := io.Pipe()
	c.Stderr = w
	must(t, c.Start())
	ended := make(chan struct{})
	go func() {
		c.Wait()
		w.Close()
		close(ended)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})

	s := &server{}
	address := make(chan string, 1)
	go func() {
		defer close(address)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			s.mu.Lock()
			s.log.WriteString(lines.Text() + "\n")
			s.mu.Unlock()
			if m := announced.FindStringSubmatch(lines.Text()); m != nil && s.address == "" {
				s.address = m[1]
				address <- m[1]
			}
		}
		io.Copy(io.Discard, r)
	}()
	select {
	case _, ok := <-address:
		if !ok {
			if strings.Contains(s.log.String(), "not available") {
				t.Skip("TensorBoard has no fast reader for this system")
			}
			t.Fatalf("TensorBoard did not start:\n%s", s.log.String())
		}
	case <-time.After(time.Minute):
		t.Fatal("TensorBoard did not start within a minute")
	}
	return s
}

// fetch asks the server.
func (s *server) fetch(path string, query url.Values) ([]byte, error) {
	r, err := http.Get(s.address + path + "?" + query.Encode())
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %v: %s: %s", path, query, r.Status, b)
	}
	return b, err
}

func (s *server) get(t *testing.T, v any, path string, query url.Values) {
	t.Helper()
	b, err := s.fetch(path, query)
	must(t, err)
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v in %s", path, err, b)
	}
}

// show asks for all of a run.
func (s *server) show(t *testing.T, run string) shown {
	t.Helper()
	all := shown{}
	var tags map[string]map[string]any
	s.get(t, &tags, "data/plugin/scalars/tags", nil)
	for tag := range tags[run] {
		var values [][3]any // time, step, value
		s.get(t, &values, "data/plugin/scalars/scalars", url.Values{"run": {run}, "tag": {tag}})
		for _, v := range values {
			x, ok := v[2].(float64)
			if !ok { // "NaN", "Infinity"
				var err error
				x, err = strconv.ParseFloat(fmt.Sprint(v[2]), 64)
				must(t, err)
			}
			all[tag] = append(all[tag], fmt.Sprint(v[1], " ", float32(x)))
		}
	}
	tags = nil
	s.get(t, &tags, "data/plugin/images/tags", nil)
	for tag := range tags[run] {
		var values []struct {
			Step  int64
			Query string
		}
		s.get(t, &values, "data/plugin/images/images", url.Values{"run": {run}, "tag": {tag}})
		for _, v := range values {
			query, err := url.ParseQuery(v.Query)
			must(t, err)
			b, err := s.fetch("data/plugin/images/individualImage", query)
			must(t, err)
			all[tag] = append(all[tag], fmt.Sprint(v.Step, " ", sum(b)))
		}
	}
	return all
}

// await waits until the server has read what was written.
func (s *server) await(t *testing.T, run string, want shown) {
	t.Helper()
	var d string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if d = s.show(t, run).differ(want); d == "" {
			return
		}
	}
	t.Fatalf("%s: %s", run, d)
}
