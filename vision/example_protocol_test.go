package vision_test

import (
	"fmt"
	"log"

	"pixelgrad/testdata/photos"
	"pixelgrad/vision"
)

// Score what bicubic interpolation makes of a photograph, as the tables of super-resolution do.
func ExampleGrayPSNR() {
	photo, err := vision.ReadFS(photos.FS, "alpaca_0.jpg")
	if err != nil {
		log.Fatal(err)
	}
	const scale = 2
	target := vision.CropToMultiple(photo, scale)
	small := vision.ResizeMATLAB(target, 1.0/scale)
	enlarged := vision.ResizeMATLAB(small, scale)
	y, want := vision.Luma(enlarged), vision.Luma(target)
	fmt.Printf("%.2f dB, SSIM %.4f\n", vision.GrayPSNR(y, want, scale), vision.GraySSIM(y, want, scale))
	// Output: 29.66 dB, SSIM 0.8618
}
