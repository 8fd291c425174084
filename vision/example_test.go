package vision_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"

	"pixelgrad/tensor"
	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
)

// A photograph is read, made smaller and enlarged again. The PSNR says how much was
// lost, and the result is written as a PNG file.
func Example() {
	photo, err := vision.ReadFile("../testdata/photos/alpaca_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	small := vision.Resize(photo, 72, 72)
	large := vision.Resize(small, photo.W, photo.H)
	fmt.Printf("%d×%d → %d×%d → %d×%d: %.1f dB\n", photo.W, photo.H, small.W, small.H, large.W, large.H,
		vision.PSNR(large.Tensor(), photo.Tensor()))

	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := vision.WritePNG(filepath.Join(dir, "large.png"), large); err != nil {
		log.Fatal(err)
	}
	// Output: 288×288 → 72×72 → 288×288: 24.8 dB
}

// Photographs that are embedded in the program.
func ExampleReadFS() {
	photo, err := vision.ReadFS(photos.FS, "red-panda_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(photo.Bounds().Size(), len(photo.Pix), "samples")
	// Output: (288,288) 248832 samples
}

// Any picture of the standard library becomes a tensor in [0,1] and a picture again.
func ExampleFromImage() {
	m := image.NewGray(image.Rect(0, 0, 2, 1))
	m.Pix[0], m.Pix[1] = 51, 255
	x := vision.FromImage(m).Tensor()
	fmt.Println(x.Shape(), x.Data())
	fmt.Println(vision.FromTensor(x, 0).Pix)
	// Output:
	// [1 3 1 2] [0.2 1 0.2 1 0.2 1]
	// [51 51 51 255 255 255]
}

// The photographs in a folder, divided into two parts. The squares of one photograph
// stay on one side.
func ExampleOpenDir() {
	d, err := vision.OpenDir("../testdata/photos", vision.DatasetOptions{Seed: 1, Group: vision.PhotoOfCrop})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(d.Train), "to train on,", len(d.Val), "to validate with")
	fmt.Println("the first one:", d.Train[0].Name)
	// Output:
	// 147 to train on, 36 to validate with
	// the first one: air-balloon_0
}

// The three ways of plain interpolation, on one photograph.
func ExampleBicubic() {
	photo, err := vision.ReadFS(photos.FS, "alpaca_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	truth := photo.Tensor()
	x := vision.Resize(photo, 72, 72).Tensor()
	fmt.Printf("Bilinear     %.1f dB\n", vision.PSNR(vision.Bilinear(x, 288, 288), truth))
	fmt.Printf("Bicubic      %.1f dB\n", vision.PSNR(vision.Bicubic(x, 288, 288), truth))
	fmt.Printf("BicubicTorch %.1f dB\n", vision.PSNR(vision.BicubicTorch(x, 288, 288), truth))
	// Output:
	// Bilinear     24.4 dB
	// Bicubic      24.8 dB
	// BicubicTorch 24.9 dB
}

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
	_, err := vision.Decode(bytes.NewReader([]byte("%PDF-1.7 …")), "cat.jpg")
	fmt.Println(err)
	// Output: vision: cat.jpg: expected a JPEG, PNG, WebP, GIF, BMP or TIFF picture, found a PDF; convert it to JPEG or PNG first
}

func ExamplePSNR() {
	truth := tensor.FromSlice([]float32{0.5, 0.5, 0.5, 0.5}, 1, 1, 2, 2)
	guess := tensor.FromSlice([]float32{0.5, 0.6, 0.5, 0.4}, 1, 1, 2, 2)
	fmt.Printf("%.1f dB\n", vision.PSNR(guess, truth))
	// Output: 23.0 dB
}

// The PSNR of each picture of a batch.
func ExamplePicturePSNR() {
	truth := tensor.FromSlice([]float32{0.5, 0.5, 0.5, 0.5}, 2, 1, 1, 2)
	guess := tensor.FromSlice([]float32{0.6, 0.5, 0.5, 0.51}, 2, 1, 1, 2)
	fmt.Printf("%.1f dB\n", vision.PicturePSNR(guess, truth))
	// Output: [23.0 43.0] dB
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
	loader := vision.NewLoader(cache, 3, vision.LoaderOptions{Seed: 1, Shuffle: true})
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

// A table of numbers between texts and pictures.
func ExampleHeatMap() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	h := vision.HeatMap{
		Title:    "Which text fits which picture?",
		Rows:     []string{"a dark picture", "a bright picture"},
		Columns:  []string{"black", "ramp"},
		Pictures: []image.Image{vision.NewRGB(72, 72), ramp(72, 72)},
		Values:   [][]float64{{0.31, 0.12}, {0.09, 0.27}},
	}
	m := h.Draw()
	err = vision.WritePNG(filepath.Join(dir, "matrix.png"), m)
	fmt.Println(m.Bounds().Dx(), "pixels wide,", err)
	// Output: 504 pixels wide, <nil>
}
