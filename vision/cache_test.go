package vision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// photoFS returns a plain folder with n different photographs. Those whose numbers are in
// broken are truncated.
func photoFS(t testing.TB, n int, broken ...int) fstest.MapFS {
	f := fstest.MapFS{}
	for i := range n {
		p := goldenPicture("smooth", 30+i, 20+i%7)
		data := encodePNG(t, p)
		if i%2 == 1 {
			data = encodeJPEG(t, p)
		}
		if slices.Contains(broken, i) {
			data = data[:len(data)/2]
		}
		f[fmt.Sprintf("p%02d.jpg", i)] = &fstest.MapFile{Data: data}
	}
	return f
}

// everything returns all photographs of a file system, by name.
func everything(t testing.TB, f fstest.MapFS) (*Dataset, []Photo) {
	t.Helper()
	d, err := OpenFS(f, "photos", DatasetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all := append(slices.Clone(d.Train), d.Val...)
	slices.SortFunc(all, func(a, b Photo) int { return strings.Compare(a.Name, b.Name) })
	return d, all
}

func build(t testing.TB, n int, o CacheOptions) *Cache {
	t.Helper()
	d, photos := everything(t, photoFS(t, n))
	c, err := BuildCache(t.Context(), d, photos, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var testSizes = Sizes{X: 6, Mid: 12, Large: 24}

// For any number of threads, the cache holds the planes of the pictures that Read and
// Resize return.
func TestBuildCache(t *testing.T) {
	d, photos := everything(t, photoFS(t, 9))
	for _, threads := range []int{0, 1, 2, 5, 20} {
		calls, last := 0, 0
		c, err := BuildCache(t.Context(), d, photos, CacheOptions{Sizes: testSizes, Threads: threads, Progress: func(done, total int) {
			calls++
			if done != last+1 || total != 9 {
				t.Errorf("progress %d of %d after %d", done, total, last)
			}
			last = done
		}})
		if err != nil {
			t.Fatal(err)
		}
		if calls != 9 || c.Len() != 9 || len(c.Skipped) != 0 {
			t.Errorf("%d progress calls, %d photographs, %d skipped", calls, c.Len(), len(c.Skipped))
		}
		for i, photo := range photos {
			p, err := d.Read(photo)
			if err != nil {
				t.Fatal(err)
			}
			for _, side := range []int{6, 12, 24} {
				if !bytes.Equal(c.Picture(i, side).Pix, Resize(p, side, side).Pix) {
					t.Errorf("%d threads: photograph %d at %d differs from Resize", threads, i, side)
				}
			}
			if c.Names[i] != photo.Name {
				t.Errorf("photograph %d is called %s, want %s", i, c.Names[i], photo.Name)
			}
		}
	}
}

func TestBuildCacheSizes(t *testing.T) {
	c := build(t, 3, CacheOptions{Sizes: Sizes{X: 6, Large: 24}})
	if len(c.Mid) != 0 || len(c.Large) != 3*3*24*24 || len(c.X) != 3*3*6*6 {
		t.Errorf("%d, %d and %d bytes", len(c.X), len(c.Mid), len(c.Large))
	}
	if got := WorkshopSizes.Bytes(5011); got != 5011*3*(72*72+144*144+288*288) {
		t.Errorf("%d bytes for VOC 2007", got)
	}
	if c := build(t, 2, CacheOptions{}); c.Sizes != WorkshopSizes {
		t.Errorf("sizes %v by default", c.Sizes)
	}
}

// One run finds every broken photograph. With SkipBad the others are used.
func TestBuildCacheBroken(t *testing.T) {
	broken := []int{0, 3, 4, 8}
	d, photos := everything(t, photoFS(t, 9, broken...))
	for _, threads := range []int{1, 4} {
		c, err := BuildCache(t.Context(), d, photos, CacheOptions{Sizes: testSizes, Threads: threads})
		var b *BrokenError
		if c != nil || !errors.As(err, &b) || len(b.Errors) != 4 || b.Total != 9 {
			t.Fatalf("error %v, want a BrokenError of 4 photographs", err)
		}
		for i, n := range broken {
			if want := photos[n].File; !strings.Contains(b.Errors[i].Error(), want) || !strings.Contains(err.Error(), want) {
				t.Errorf("error %d is %v, want one that names %s", i, b.Errors[i], want)
			}
		}
		c, err = BuildCache(t.Context(), d, photos, CacheOptions{Sizes: testSizes, Threads: threads, SkipBad: true})
		if err != nil || c.Len() != 5 || len(c.Skipped) != 4 {
			t.Fatalf("error %v, want a cache of 5 and 4 skipped", err)
		}
		if want := []string{"p01", "p02", "p05", "p06", "p07"}; !slices.Equal(c.Names, want) {
			t.Errorf("names %v, want %v", c.Names, want)
		}
		for i, name := range c.Names {
			p, err := d.Read(Photo{File: name + ".jpg"})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(c.Picture(i, 24).Pix, Resize(p, 24, 24).Pix) {
				t.Errorf("picture %d is not that of %s", i, name)
			}
		}
		if len(c.X) != 5*3*36 || len(c.Mid) != 5*3*144 || len(c.Large) != 5*3*576 {
			t.Errorf("%d, %d and %d bytes left", len(c.X), len(c.Mid), len(c.Large))
		}
	}
	d, photos = everything(t, photoFS(t, 8, 0, 1, 2, 3, 4, 5, 6, 7))
	_, err := BuildCache(t.Context(), d, photos, CacheOptions{Sizes: testSizes, SkipBad: true})
	if err == nil || !strings.Contains(err.Error(), "8 of 8") || !strings.Contains(err.Error(), "and 3 more") {
		t.Errorf("nothing but broken photographs: error %v", err)
	}
}

func TestBuildCacheCancelled(t *testing.T) {
	d, photos := everything(t, photoFS(t, 9))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := BuildCache(ctx, d, photos, CacheOptions{Sizes: testSizes, Threads: 2, Progress: func(done, _ int) {
		if done == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want one that wraps context.Canceled", err)
	}
}

// An epoch has every photograph once, each number is exactly b/255, and only the last
// batch is smaller. Different epochs and seeds give different orders.
func TestLoader(t *testing.T) {
	c := build(t, 7, CacheOptions{Sizes: testSizes})
	orders := map[string]string{}
	for _, seed := range []uint64{1, 2} {
		for epoch := range 3 {
			l := NewLoader(c, 3, LoaderOptions{Seed: seed, Shuffle: true})
			var order, sizes []int
			for i, b := range l.Epoch(epoch) {
				if i != len(sizes) {
					t.Errorf("batch %d has number %d", len(sizes), i)
				}
				sizes = append(sizes, b.Len())
				order = append(order, b.Index...)
				if b.Altered {
					t.Error("whole photographs are called altered")
				}
				if !slices.Equal(b.X.Shape(), []int{b.Len(), 3, 6, 6}) || !slices.Equal(b.Mid.Shape(), []int{b.Len(), 3, 12, 12}) || !slices.Equal(b.Large.Shape(), []int{b.Len(), 3, 24, 24}) {
					t.Fatalf("shapes %v, %v, %v", b.X.Shape(), b.Mid.Shape(), b.Large.Shape())
				}
				for j, n := range b.Index {
					for k, v := range c.Mid[n*3*144:][:3*144] {
						if got := b.Mid.Data()[j*3*144+k]; got != float32(v)/255 {
							t.Fatalf("photograph %d, number %d: %v for the byte %d", n, k, got, v)
						}
					}
				}
			}
			if !slices.Equal(sizes, []int{3, 3, 1}) || l.Batches() != 3 {
				t.Errorf("batches of %v photographs, want 3, 3 and 1", sizes)
			}
			if key, what := fmt.Sprint(order), fmt.Sprintf("seed %d, epoch %d", seed, epoch); orders[key] != "" {
				t.Errorf("%s and %s have the same order %v", what, orders[key], order)
			} else {
				orders[key] = what
			}
			slices.Sort(order)
			if !slices.Equal(order, []int{0, 1, 2, 3, 4, 5, 6}) {
				t.Errorf("photographs %v, want each once", order)
			}
		}
	}
}

// The same seed and epoch give the same order, also after other epochs were read. Without
// shuffling, the order is the cache's.
func TestLoaderRepeats(t *testing.T) {
	c := build(t, 7, CacheOptions{Sizes: Sizes{X: 6}})
	order := func(l *Loader, epoch int) (o []int) {
		for _, b := range l.Epoch(epoch) {
			o = append(o, b.Index...)
			if b.Mid != nil || b.Large != nil {
				t.Error("a size that the cache does not have is in the batch")
			}
		}
		return o
	}
	a, b := NewLoader(c, 2, LoaderOptions{Seed: 5, Shuffle: true}), NewLoader(c, 100, LoaderOptions{Seed: 5, Shuffle: true})
	order(a, 0)
	if x, y := order(a, 4), order(b, 4); !slices.Equal(x, y) {
		t.Errorf("orders %v and %v", x, y)
	}
	for range a.Epoch(1) {
		break // leaving early is allowed
	}
	if got := order(NewLoader(c, 2, LoaderOptions{}), 3); !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("not shuffled, the order is %v", got)
	}
}

func TestLoaderTakesNoMemory(t *testing.T) {
	l := NewLoader(build(t, 7, CacheOptions{Sizes: testSizes}), 2, LoaderOptions{Seed: 1, Shuffle: true})
	perEpoch := testing.AllocsPerRun(20, func() {
		for range l.Epoch(3) {
		}
	})
	if perEpoch > 8 { // the iterator and the random numbers, whatever the number of batches
		t.Errorf("an epoch of 4 batches allocates %v times", perEpoch)
	}
}

// The scores of a cache equal those of its pictures one by one, for any number of threads.
func TestBaselines(t *testing.T) {
	c := build(t, 5, CacheOptions{Sizes: testSizes})
	mid, large, err := Baselines(context.Background(), c, 1)
	if err != nil {
		t.Fatal(err)
	}
	mse, db := 0.0, 0.0
	for i := range c.Len() {
		y := Bicubic(c.Picture(i, 6).Tensor(), 12, 12)
		target := c.Picture(i, 12).Tensor()
		mse += MSE(y, target) / 5
		db += PSNR(y, target) / 5
	}
	if got := mid.Bicubic; !(math.Abs(got.PSNR-Decibels(mse)) < 1e-9) || !(math.Abs(got.MeanPSNR-db) < 1e-9) {
		t.Errorf("bicubic %+v, want %v and %v", got, Decibels(mse), db)
	}
	if mid2, large2, _ := Baselines(context.Background(), c, 4); mid2 != mid || large2 != large {
		t.Errorf("%+v %+v on one thread, %+v %+v on four", mid, large, mid2, large2)
	}
	if mid, large, _ := Baselines(context.Background(), build(t, 2, CacheOptions{Sizes: Sizes{X: 6, Large: 24}}), 1); mid != (Baseline{}) || large == (Baseline{}) {
		t.Errorf("without the middle size: %+v, %+v", mid, large)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Baselines(ctx, c, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interruption: %v", err)
	}
}
