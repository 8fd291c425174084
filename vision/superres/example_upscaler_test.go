package superres_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log"

	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
	"pixelgrad/vision/superres"
)

// Double a photograph with the network that is part of the program.
func ExampleUpscaler_Upscale() {
	u, err := superres.Open("fast", superres.Options{Scale: 2})
	if err != nil {
		log.Fatal(err)
	}
	photo, err := vision.ReadFS(photos.FS, "alpaca_0.jpg") // or any other image.Image
	if err != nil {
		log.Fatal(err)
	}
	small := vision.Resize(photo, 101, 67)
	larger, err := u.Upscale(context.Background(), small)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(small.Bounds().Size(), "to", larger.Bounds().Size())
	// Output: (101,67) to (202,134)
}

// Enlarge with weights that others have trained. The file tells the network, and its scale.
func ExampleOpen() {
	u, err := superres.Open("../../testdata/golden/networks.pth", superres.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(u)
	_, err = superres.Open("../../testdata/golden/networks.pth", superres.Options{Scale: 4})
	fmt.Println(err)
	// Output:
	// SRVGGNetCompact ×2, 4 features, 1 convolutions
	// ../../testdata/golden/networks.pth, SRVGGNetCompact ×2, 4 features, 1 convolutions: expected a scale of 2, found 4
}

// A picture that is written while it is computed: the result is never in memory.
func ExampleUpscaler_UpscaleTo() {
	u, err := superres.Open("bicubic", superres.Options{Scale: 4})
	if err != nil {
		log.Fatal(err)
	}
	photo, err := vision.ReadFS(photos.FS, "alpaca_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	var file io.Writer = io.Discard // os.Create("larger.png") in earnest
	err = u.UpscaleTo(context.Background(), vision.Resize(photo, 60, 40), func(larger image.Image) error {
		fmt.Println(larger.Bounds().Size())
		return png.Encode(file, larger)
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: (240,160)
}

// A picture that comes row by row, and goes so. Here the rows are computed, and counted.
func ExampleUpscaler_UpscaleRows() {
	u, err := superres.Open("bicubic", superres.Options{Progress: func(done, total int) {
		if done == total {
			fmt.Println(total, "rows are enlarged")
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	row := image.NewGray(image.Rect(0, 0, 50, 1))
	read := func(y int) (image.Image, error) {
		row.Rect = image.Rect(0, y, 50, y+1) // it is row y now
		row.SetGray(25, y, color.Gray{Y: uint8(y)})
		return row, nil
	}
	n := 0
	write := func(image.Image) error { n++; return nil }
	format := superres.Format{Bounds: image.Rect(0, 0, 50, 100), Gray: true}
	if err := u.UpscaleRows(context.Background(), format, read, write); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, "rows are written")
	// Output:
	// 100 rows are enlarged
	// 200 rows are written
}
