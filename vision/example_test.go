package vision_test

import (
	"bytes"
	"context"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing/fstest"

	"pixelgrad/tensor"
	"pixelgrad/vision"
)

// ramp returns a picture that grows brighter from left to right.
func ramp(w, h int) *vision.RGB {
	p := vision.NewRGB(w, h)
	for i := range p.Pix {
		p.Pix[i] = uint8(i / 3 % w * 255 / (w - 1))
	}
	return p
}

func ExampleResize() {
	small := vision.Resize(ramp(100, 75), 4, 4)
	for x := range 4 {
		fmt.Print(small.Pix[3*x], " ")
	}
	fmt.Println()
	// Output: 32 93 161 222
}

func ExampleDecode() {
	_, err := vision.Decode(bytes.NewReader([]byte("GIF89a…")), "cat.jpg")
	fmt.Println(err)
	// Output: vision: cat.jpg: expected a JPEG or PNG picture, found a GIF; convert it first
}

func ExamplePSNR() {
	truth := tensor.FromSlice([]float32{0.5, 0.5, 0.5, 0.5}, 1, 1, 2, 2)
	guess := tensor.FromSlice([]float32{0.5, 0.6, 0.5, 0.4}, 1, 1, 2, 2)
	fmt.Printf("%.1f dB\n", vision.PSNR(guess, truth))
	// Output: 23.0 dB
}

// From a folder of photographs to the batches of an epoch.
func ExampleBuildCache() {
	folder := fstest.MapFS{}
	for i := range 10 {
		var file bytes.Buffer
		if err := png.Encode(&file, ramp(40+i, 30)); err != nil {
			fmt.Println(err)
			return
		}
		folder[fmt.Sprintf("photo%d.png", i)] = &fstest.MapFile{Data: file.Bytes()}
	}
	d, err := vision.OpenFS(folder, "photos", vision.DatasetOptions{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Rule)
	cache, err := vision.BuildCache(context.Background(), d, d.Train, vision.CacheOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	loader := vision.NewLoader(cache, 3, 1, true)
	for i, b := range loader.Epoch(0) {
		fmt.Println("batch", i, b.X.Shape(), b.Mid.Shape(), b.Large.Shape())
	}
	// Output:
	// 8 photographs to train on and 2 to validate with, drawn with seed 1 from the 10 in photos
	// batch 0 [3 3 72 72] [3 3 144 144] [3 3 288 288]
	// batch 1 [3 3 72 72] [3 3 144 144] [3 3 288 288]
	// batch 2 [2 3 72 72] [2 3 144 144] [2 3 288 288]
}

func ExampleGrid() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	x := ramp(72, 72)
	g := vision.Grid{
		Columns: []string{"Input", "Bicubic"},
		Rows: []vision.GridRow{{
			Name:  "ramp",
			Cells: []vision.GridCell{{Image: x}, {Image: vision.Resize(x, 144, 144), Caption: "28.1 dB"}},
		}},
	}
	m := g.Draw()
	err = vision.WritePNG(filepath.Join(dir, "predictions.png"), m)
	fmt.Println(m.Bounds().Dx(), "pixels wide,", err)
	// Output: 348 pixels wide, <nil>
}
