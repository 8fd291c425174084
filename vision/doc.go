// Package vision turns photographs into the numbers that a network trains on,
// and numbers back into pictures: reading JPEG and PNG files, resizing, dividing
// a set of photographs, filling batches, measuring in dB, drawing grids.
//
// The way from a folder to a batch is
//
//	OpenDir → BuildCache → NewLoader → Loader.Epoch
//
// and the way back FromTensor → Grid → WritePNG.
//
// # How near to Pillow
//
// Most networks were trained on what Pillow decodes and resizes, so it is the
// yardstick. Differences in levels (0…255) over all samples of 20 photographs of
// 481×321 pixels (JPEG, 4:2:0), Pillow 9.4.0 with libjpeg-turbo:
//
//	                                     largest    mean   beyond 1 level
//	Resize to 72, 144, 288, same pixels        0  0          0 %
//	Resize from 72 to 144, 288                 0  0          0 %
//	Decode, JPEG                               3  0.039      0.53 %
//	Decode and Resize to 72, 144, 288          3  0.048      0.17 %
//
//	image/jpeg without ycbcr.go               56  0.749     18.7 %
//	nfnt/resize, bicubic, 8-bit pixels        17  0.974     16.0 %
//	nfnt/resize, bicubic, 16-bit pixels       16  0.173      0.13 %
//	nfnt/resize, 16 bits, from 72 up           9  0.217      0.20 %
//
// What remains in Decode is the rounding of the inverse cosine transform. The
// lower half shows what was tried first, and why the data does not go that way:
// github.com/nfnt/resize weights pixels in 8 bits (or 16), and repeats the edge
// where Pillow leaves out what is not there. It scales the pictures in a [Grid],
// which are for people. Measured by
//
//	python3 testdata/golden/resize_photos.py PHOTOS OUT
//	PIXELGRAD_PILLOW=OUT go test -run TestAgainstPillow -v ./vision
//
// # How fast
//
// Decoding a photograph of 500×375 pixels takes 4.3 ms and resizing it to the
// three squares 7.1 ms on one core of a server of 2021 (AMD EPYC, 2.4 GHz): the
// 5,011 of VOC 2007 take half a minute on two. A batch of 16 is filled in 4 ms.
//
//	go test -run xxx -bench . ./vision
//
// # What plain interpolation scores
//
// On the 100 validation photographs of BSDS500, enlarged from 72 pixels, in dB:
//
//	            to 144: mean  together    to 288: mean  together
//	Bilinear           27.01     26.10           24.34     23.42
//	Bicubic            27.93     27.00           24.79     23.84
//	BicubicTorch       28.13     27.19           24.89     23.93
//
// "mean" is the mean of the pictures' PSNR, "together" the PSNR of the mean
// squared error of all. Published tables have the mean; the mean over batches
// lies between the two.
//
//	PIXELGRAD_PHOTOS=DIR go test -run TestPhotographs -v ./vision
package vision
