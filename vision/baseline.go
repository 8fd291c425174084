package vision

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"pixelgrad/tensor"
)

// Score says how near enlarged pictures come to the true ones, in dB.
type Score struct {
	PSNR     float64 // of the mean squared error over all pictures together
	MeanPSNR float64 // the mean of the single pictures' PSNR
}

// Baseline holds the scores of plain interpolation to one size.
type Baseline struct{ Bilinear, Bicubic, BicubicTorch Score }

// Baselines returns the scores that a network has to beat. It enlarges the X square of
// every photograph in the cache to the two larger sizes, with [Bilinear], [Bicubic] and
// [BicubicTorch], and compares the results with the true squares. The score is 0 for a
// size that the cache does not have. threads is the number of photographs that are
// processed at once (0: GOMAXPROCS); the result does not depend on it. If ctx is cancelled, the
// work stops at the next photograph, and the error is that of ctx. Baselines panics if the cache
// is empty.
func Baselines(ctx context.Context, c *Cache, threads int) (mid, large Baseline, err error) {
	if c.Len() == 0 {
		panic(fmt.Sprintf("vision: Baselines: the cache of sizes %+v is empty", c.Sizes))
	}
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	enlargers := [3]func(x *tensor.Tensor, h, w int) *tensor.Tensor{Bilinear, Bicubic, BicubicTorch}
	mse := make([][2][3]float64, c.Len()) // by photograph, to add them in order
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(threads, c.Len()) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(mse) {
					return
				}
				x := c.Picture(i, c.Sizes.X).Tensor()
				for j, side := range [2]int{c.Sizes.Mid, c.Sizes.Large} {
					if side == 0 {
						continue
					}
					target := c.Picture(i, side).Tensor()
					for k, enlarge := range enlargers {
						y := enlarge(x, side, side)
						mse[i][j][k] = MSE(y, target)
						tensor.Release(y)
					}
					tensor.Release(target)
				}
				tensor.Release(x)
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return Baseline{}, Baseline{}, err
	}
	score := func(j, k int) Score {
		sum, db := 0.0, 0.0
		for i := range mse {
			sum += mse[i][j][k]
			db += Decibels(mse[i][j][k])
		}
		n := float64(len(mse))
		return Score{PSNR: Decibels(sum / n), MeanPSNR: db / n}
	}
	if c.Sizes.Mid > 0 {
		mid = Baseline{score(0, 0), score(0, 1), score(0, 2)}
	}
	if c.Sizes.Large > 0 {
		large = Baseline{score(1, 0), score(1, 1), score(1, 2)}
	}
	return mid, large, nil
}
