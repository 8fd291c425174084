package vision

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"pixelgrad/internal/memory"
)

// Pictures that together need more than the budget are decoded one after the other, and one
// that needs more than all of it alone.
func TestBudgetShares(t *testing.T) {
	const total = 100
	b := newBudget(total, func() (int64, string) { return 0, memory.Unknown })
	var mu sync.Mutex
	used, most := int64(0), int64(0)
	var wg sync.WaitGroup
	for i := range 60 {
		need := []int64{10, 40, 70, 250}[i%4]
		wg.Go(func() {
			release, err := b.take("a", 1, 1, need)
			if err != nil {
				t.Error(err)
				return
			}
			defer release()
			mu.Lock()
			used += need
			most = max(most, used)
			if used > total && used != need {
				t.Errorf("%d bytes beside the %d of a picture", used-need, need)
			}
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			used -= need
			mu.Unlock()
		})
	}
	wg.Wait()
	if most != 250 {
		t.Errorf("at most %d bytes were taken, want the 250 of the largest picture", most)
	}
	if b.used != 0 {
		t.Errorf("%d bytes are left", b.used)
	}
}

// What the machine's memory does not hold is refused before it is decoded; it is waited for
// while another picture has it.
func TestBudgetRefuses(t *testing.T) {
	free := int64(200e6)
	b := newBudget(1e9, func() (int64, string) { return free, memory.Machine })
	_, err := b.take("big.jpg", 12000, 9000, 500e6)
	for _, want := range []string{"vision: big.jpg: expected", "free memory of 200 MB of the machine", "found 12000×9000 pixels", "take 500 MB", "scale it down"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if b.used != 0 {
		t.Errorf("%d bytes are taken by a picture that was refused", b.used)
	}
	if release, err := b.take("small.jpg", 10, 10, 300); err != nil {
		t.Error(err)
	} else {
		release()
	}
	first, err := b.take("first.jpg", 5000, 5000, 150e6)
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error)
	go func() {
		release, err := b.take("second.jpg", 5000, 5000, 150e6)
		if err == nil {
			release()
		}
		second <- err
	}()
	select {
	case err := <-second:
		t.Errorf("the second picture did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	first()
	if err := <-second; err != nil {
		t.Error(err)
	}
}

// TestDecodeNeedsMemory holds that Decode asks for the memory that it takes.
func TestDecodeNeedsMemory(t *testing.T) {
	old := memoryForPictures
	defer func() { memoryForPictures = old }()
	memoryForPictures = newBudget(1<<30, func() (int64, string) { return 1e6, memory.Machine })
	for _, data := range [][]byte{claim(encodeJPEG(t, testPhoto(16, 16)), 12000, 9000), claim(encodePNG(t, testPhoto(16, 16)), 12000, 9000)} {
		if _, err := Decode(bytes.NewReader(data), "big.jpg"); err == nil || !strings.Contains(err.Error(), "free memory of 1 MB") {
			t.Errorf("error %v, want one about the memory", err)
		}
	}
}

// TestLargePictures measures the figures in docs/preprocessing.md on large pictures.
// PIXELGRAD_LARGE names a folder of them; without it the test is skipped.
func TestLargePictures(t *testing.T) {
	dir := os.Getenv("PIXELGRAD_LARGE")
	if dir == "" {
		t.Skip("PIXELGRAD_LARGE is not set: it would name a folder of large pictures")
	}
	peak := func() string {
		status, _ := os.ReadFile("/proc/self/status")
		for line := range strings.Lines(string(status)) {
			if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
				return strings.TrimSpace(kb)
			}
		}
		return "unknown"
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: expected pictures, found none (%v)", dir, err)
	}
	for _, file := range files {
		debug.FreeOSMemory()
		os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the peak begins anew
		start := time.Now()
		p, err := ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Logf("%-20s %d×%d pixels in %.1f s, peak memory %s", filepath.Base(file), p.W, p.H, time.Since(start).Seconds(), peak())
	}
	os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	d, err := OpenDir(dir, DatasetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := BuildCache(t.Context(), d, append(d.Train, d.Val...), CacheOptions{Threads: 2}); err != nil {
		t.Error(err)
	}
	t.Logf("%d pictures to a cache on two threads: peak memory %s", len(files), peak())
}
