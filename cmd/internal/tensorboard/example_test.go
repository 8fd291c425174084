package tensorboard_test

import (
	"fmt"
	"image"
	"os"
	"path/filepath"

	"pixelgrad/cmd/internal/tensorboard"
)

// A training writes numbers in every step, and pictures after each epoch.
func Example() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	w, err := tensorboard.Create(dir, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	for step := range int64(100) {
		w.Scalar("loss/train 288", step+1, 1/float64(step+1))
	}
	w.Image("prediction 288/bay", 100, image.NewGray(image.Rect(0, 0, 288, 288)))
	if err := w.Close(); err != nil {
		fmt.Println(err)
	}

	files, _ := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	fmt.Println(len(files), "event file")
	// Output: 1 event file
}
