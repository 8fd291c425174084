package vision

import (
	"context"
	"os"
	"testing"
	"time"
)

// TestPhotographs measures the figures in docs/preprocessing.md on a real dataset:
// the time for each photograph, and the scores of plain interpolation.
// PIXELGRAD_PHOTOS names its folder; without it the test is skipped.
func TestPhotographs(t *testing.T) {
	dir := os.Getenv("PIXELGRAD_PHOTOS")
	if dir == "" {
		t.Skip("PIXELGRAD_PHOTOS is not set: it would name a folder of photographs")
	}
	d, err := OpenDir(dir, DatasetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(d.Rule)
	start := time.Now()
	c, err := BuildCache(t.Context(), d, d.Val, CacheOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	t.Logf("%d photographs decoded and resized to %+v on one thread in %.2f s: %.1f ms each",
		c.Len(), c.Sizes, took.Seconds(), 1000*took.Seconds()/float64(c.Len()))
	mid, large, err := Baselines(context.Background(), c, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct {
		what string
		Score
	}{
		{"mid, bilinear", mid.Bilinear}, {"mid, bicubic (Pillow)", mid.Bicubic}, {"mid, bicubic (PyTorch)", mid.BicubicTorch},
		{"large, bilinear", large.Bilinear}, {"large, bicubic (Pillow)", large.Bicubic}, {"large, bicubic (PyTorch)", large.BicubicTorch},
	} {
		t.Logf("%-24s PSNR of all together %.2f dB, mean of the pictures' %.2f dB", s.what, s.PSNR, s.MeanPSNR)
	}
	start = time.Now()
	l := NewLoader(c, 16, LoaderOptions{Seed: 1, Shuffle: true})
	n := 0
	for range l.Epoch(0) {
		n++
	}
	t.Logf("%d batches of 16 filled in %.1f ms each", n, 1000*time.Since(start).Seconds()/float64(n))
}
