package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pixelgrad/cmd/internal/report"
	"pixelgrad/cmd/internal/runs"
	"pixelgrad/internal/atomicfile"
	"pixelgrad/internal/smallclip"
)

// A text can be read while others write it.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// wait asks until what is asked for is there.
func wait(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !there(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s in a minute", what)
		}
	}
}

// TestUI watches a training, and stops it by the page's button: it must be saved, and go on.
func TestUI(t *testing.T) {
	want := uninterrupted(t)
	dir := filepath.Join(t.TempDir(), "run")
	o := parse(t, practised(dir, "-ui", "127.0.0.1:0"))
	var out, log text
	ended := make(chan error)
	var begin, end time.Time // of the epoch that is stopped
	told := reader(func(line string) {
		io.WriteString(&out, line)
		if strings.HasPrefix(line, "  memory") {
			begin = time.Now()
		}
	})
	go func() { ended <- run(context.Background(), o, told, &log) }()
	wait(t, "address", func() bool { return strings.Contains(out.String(), "http://") })
	_, rest, _ := strings.Cut(out.String(), "http://")
	address, _, _ := strings.Cut(rest, " ")
	get := func(path string) string {
		r, err := http.Get("http://" + address + path)
		if err != nil {
			return ""
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != http.StatusOK {
			return ""
		}
		return string(body)
	}
	post := func(path string) {
		r, err := http.Post("http://"+address+path, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	}
	saved := &checkpoints{dir: filepath.Join(dir, checkpointFolder)}
	undo := atomicfile.Inject(func(op atomicfile.Op, path string) error {
		if op == atomicfile.OpCreate && path == saved.path(1) { // after the step, and after the epoch
			end = time.Now()
		}
		// Behind the epoch, and before the last state of the page.
		if op == atomicfile.OpCreate && filepath.Base(path) == runs.PredictionsFile && !strings.Contains(get(""), "/pictures/multi-0-144.png") {
			t.Error("the page does not show the prediction of an epoch that has ended")
		}
		return nil
	})
	defer undo()
	post("pause") // from its first step on
	var events text
	go func() {
		if r, err := http.Get("http://" + address + "events"); err == nil {
			io.Copy(&events, r.Body) // to the end of the training
			r.Body.Close()
		}
	}()
	var page string
	wait(t, "network on the page", func() bool { page = get(""); return strings.Contains(page, `id="net-multi"`) })
	wait(t, "checkpoint", func() bool { list, err := saved.list(); return err == nil && len(list) > 0 })
	wait(t, "message of the first step", func() bool { return strings.Contains(events.String(), "SuperResNetMulti: Epoch 1/2") })
	paused := time.Now() // or a little earlier
	time.Sleep(100 * time.Millisecond)
	if list, err := saved.list(); err != nil || len(list) != 1 || list[0] != 1 {
		t.Errorf("checkpoints %v, %v while it is paused, want that of the first step", list, err)
	}
	if !strings.Contains(page, "/pictures/photo-0-72.png") || get("pictures/photo-0-72.png") == "" {
		t.Error("the page shows no photograph")
	}
	pause := time.Since(paused)
	post("stop")
	if err := <-ended; err != nil || log.String() != "" || !strings.Contains(out.String(), "It was stopped after step 1 of 12.") {
		t.Errorf("%v\n%s\n%s", err, log.String(), out.String())
	}
	undo()
	if took := end.Sub(begin) - pause; secondsOf(t, dir) > took.Seconds()+0.002 {
		t.Errorf("an epoch of %.3f s in %v without the pause of %v", secondsOf(t, dir), took, pause)
	}
	if _, log, err := runWith(t, context.Background(), []string{"-resume", dir}); err != nil || log != "" {
		t.Fatal(err, log)
	}
	if got := results(t, dir); got != want {
		t.Errorf("results %s, want %s", got, want)
	}
	if _, err := os.Stat(filepath.Join(dir, report.PageFile)); err != nil {
		t.Error(err)
	}
}

// TestReportUnfinished wants the page of a run that was stopped to name what is not trained yet, and
// one that is made again to have the time and the memory of the training, and not its own.
func TestReportUnfinished(t *testing.T) {
	t.Setenv("PIXELGRAD_WEIGHTS", t.TempDir())
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := runWith(t, &cancelAfter{context.Background(), 41}, []string{"-model", "all", "-limit", "10", "-epochs", "50", "-threads", "1", "-out", dir}); err != nil {
		t.Fatal(err)
	}
	r, err := report.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"SuperResNetMulti", "SuperResNetResidualBlock", "SuperResNetDilated", "SuperResNetWithVGG", "SuperResNetGlobalResidual"}; len(r.Networks) != 1 || !slices.Equal(r.Waiting, want) {
		t.Errorf("%d networks, and %q wait, want %q", len(r.Networks), r.Waiting, want)
	}
	r.Facts[0].Value, r.Networks[0].Facts[0].Value = "another machine", "a year"
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, log, err := runWith(t, context.Background(), []string{"-report", dir}); err != nil {
		t.Fatal(err, log)
	}
	again, err := report.Read(dir)
	if err != nil || !slices.Equal(again.Facts, r.Facts) || !slices.Equal(again.Networks[0].Facts, r.Networks[0].Facts) || !slices.Equal(again.Waiting, r.Waiting) {
		t.Errorf("made again: %+v, %v, want %+v", again, err, r)
	}
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		seconds         float64
		want, remaining string
	}{{0, "0 ms", "0 s"}, {0.25, "250 ms", "1 s"}, {4, "4.0 s", "4 s"}, {59.97, "1 min 0 s", "60 s"}, {173, "2 min 53 s", "2 min 53 s"}, {3599.7, "1 h 0 min", "1 h 0 min"}, {9000, "2 h 30 min", "2 h 30 min"}} {
		if got, left := duration(c.seconds), remaining(c.seconds); got != c.want || left != c.remaining {
			t.Errorf("%v s: %q and %q, want %q and %q", c.seconds, got, left, c.want, c.remaining)
		}
	}
}

// TestUITaken wants an address that is taken to be told before photographs are read.
func TestUITaken(t *testing.T) {
	dir := t.TempDir()
	_, _, err := runWith(t, context.Background(), quick(dir, "-ui", "256.0.0.1:80"))
	if err == nil || !strings.Contains(err.Error(), "-ui: expected an address") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "run")); err == nil {
		t.Error("a folder was left")
	}
}

// TestWords compares descriptions with what a network draws, by a small CLIP; and says why it does
// not without one.
func TestWords(t *testing.T) {
	path := smallclip.Write(t)
	dir := t.TempDir()
	args := func(name string, more ...string) []string {
		return append([]string{"-model", "multi", "-epochs", "1", "-steps", "1", "-out", filepath.Join(dir, name)}, more...)
	}
	if _, log, err := runWith(t, context.Background(), args("a", "-clip-weights", path, "-gelu", "quick", "-heads", "2,2")); err != nil {
		t.Fatal(err, log)
	}
	r, err := report.Read(filepath.Join(dir, "a"))
	if err != nil || r.Words == nil || len(r.Words.Texts) != 10 || len(r.Words.Cosine) != 10 || len(r.Words.Pictures) != 10 || r.Words.Random || r.Words.Network != "SuperResNetMulti" {
		t.Fatalf("%+v, %v", r, err)
	}
	// A description of the second photograph stands beside its picture, and not the first one's.
	photos, err := findPhotographs(parse(t, []string{"-limit", "10"}), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	second := filepath.Join(dir, "second.tsv")
	if err := os.WriteFile(second, []byte(photos.set.Val[1].Name+"\ta photograph\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, log, err := runWith(t, context.Background(), args("second", "-limit", "10", "-descriptions", second, "-clip-weights", path, "-gelu", "quick", "-heads", "2,2")); err != nil {
		t.Fatal(err, log)
	}
	if r, err = report.Read(filepath.Join(dir, "second")); err != nil || r.Words == nil || len(r.Words.Pictures) != 1 || r.Words.Names[0] != photos.set.Val[1].Name {
		t.Fatalf("%+v, %v", r, err)
	}
	if row := r.Networks[0].Outputs[1].Rows[0]; row.Name != photos.set.Val[0].Name || row.Prediction.Version == r.Words.Pictures[0].Version {
		t.Errorf("%s beside the description of %s is the picture of %s", r.Words.Pictures[0].File, r.Words.Names[0], row.Name)
	}
	t.Setenv("PIXELGRAD_WEIGHTS", t.TempDir())
	if _, log, err := runWith(t, context.Background(), args("b")); err != nil || log != "" {
		t.Fatal(err, log)
	}
	if r, err = report.Read(filepath.Join(dir, "b")); err != nil || r.Words != nil || len(r.LeftOut) != 1 || r.LeftOut[0].What != step8 || !strings.Contains(r.LeftOut[0].Why, "weights get clip-vit-b32") {
		t.Errorf("without CLIP: %+v, %v", r.LeftOut, err)
	}
	descriptions := filepath.Join(dir, "d.tsv")
	if err := os.WriteFile(descriptions, []byte("nobody_0\ta photograph that is not there\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runWith(t, context.Background(), args("c", "-descriptions", descriptions)); err == nil || !strings.Contains(err.Error(), "-descriptions: ") || !strings.Contains(err.Error(), "nobody_0") {
		t.Errorf("a description of nothing: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "c", runs.WeightsFile)); err == nil {
		t.Error("something was trained")
	}
}

// TestTensorBoard wants an event file, also of a training that goes on.
func TestTensorBoard(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if _, log, err := runWith(t, &cancelAfter{context.Background(), 42}, practised(dir, "-tensorboard")); err != nil || log != "" {
		t.Fatal(err, log)
	}
	list, err := (&checkpoints{dir: filepath.Join(dir, checkpointFolder)}).list()
	if err != nil || len(list) == 0 || list[0] > 11 {
		t.Fatal(list, err)
	}
	if _, log, err := runWith(t, context.Background(), []string{"-resume", dir}); err != nil || log != "" {
		t.Fatal(err, log)
	}
	files, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v; want a file for each of two processes", files, err)
	}
	// The second one has whole epochs, and begins a session in the step behind the checkpoint: what
	// was shown of earlier ones stays.
	session := string([]byte{2 << 3, byte(list[0] + 1), 7<<3 | 2, 2, 1 << 3, 1})
	for i, wants := range [][]string{{"loss/train 288", "learning rate", "gradient norm"}, {session, "loss/validation 144", "psnr/validation 288", "prediction 144/"}} {
		text, err := os.ReadFile(files[i])
		for _, want := range wants {
			if err != nil || !strings.Contains(string(text), want) {
				t.Errorf("%s: no %q, %v", files[i], want, err)
			}
		}
	}
	if want := uninterrupted(t); results(t, dir) != want {
		t.Error("the results are others with -tensorboard")
	}
}
