package vision

import (
	"bytes"
	"image/jpeg"
	"testing"
)

// testPhoto is a picture with smooth areas, edges and fine texture, like a photograph. It
// is the same on every machine.
func testPhoto(w, h int) *RGB {
	p := NewRGB(w, h)
	state := uint32(1)
	for y := range h {
		for x := range w {
			state = state*1664525 + 1013904223
			noise := int(state >> 28)
			edge := 0
			if (x/37+y/29)%3 == 0 {
				edge = 60
			}
			i := 3 * (y*w + x)
			p.Pix[i] = uint8(min(255, 255*x/w/2+edge+noise))
			p.Pix[i+1] = uint8(min(255, 255*y/h/2+edge+noise))
			p.Pix[i+2] = uint8(min(255, 255*(x+y)/(w+h)/2+2*edge+noise))
		}
	}
	return p
}

func benchmarkJPEG(b *testing.B) []byte {
	var f bytes.Buffer
	if err := jpeg.Encode(&f, testPhoto(500, 375), &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	return f.Bytes()
}

// One photograph of VOC's usual size, decoded.
func BenchmarkDecode(b *testing.B) {
	data := benchmarkJPEG(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(bytes.NewReader(data), "benchmark"); err != nil {
			b.Fatal(err)
		}
	}
}

// Only the conversion from YCbCr, which enlarges the colour planes smoothly.
func BenchmarkFromYCbCr(b *testing.B) {
	m, err := jpeg.Decode(bytes.NewReader(benchmarkJPEG(b)))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		FromImage(m)
	}
}

// One photograph of VOC's usual size, resized to the workshop's three squares.
func BenchmarkResize(b *testing.B) {
	p := testPhoto(500, 375)
	var r resizer
	var squares [3]RGB
	b.ReportAllocs()
	for b.Loop() {
		for i, n := range [3]int{72, 144, 288} {
			squares[i].W, squares[i].H = n, n
			r.resize(&squares[i], p)
		}
	}
}
