// Package vision turns photographs into the tensors that a network trains on, and
// tensors back into pictures. It reads JPEG, PNG, WebP, GIF, BMP and TIFF files, resizes
// them, divides a set of photographs, fills batches, measures errors in dB and draws grids
// of pictures.
//
// From a folder to a batch:
//
//	OpenDir → BuildCache → NewLoader → Loader.Epoch
//
// From a tensor to a file:
//
//	FromTensor → Grid → WritePNG
//
// # Where to read
//
//   - image.go: the type RGB, and tensors made from it; ycbcr.go: the colours of a JPEG
//   - decode.go: files; formats.go: their kinds; exif.go: how they are turned; memory.go:
//     large ones
//   - resize.go: Pillow's bicubic resizing, which every training photograph goes through
//   - dataset.go, folder.go, split.go, voc.go, lists.go: the photographs of a folder, and
//     which of them validate
//   - cache.go, batches.go: photographs decoded once, and batches made from them;
//     alteration.go: parts of photographs, flipped and turned
//   - matlab.go, protocol.go: MATLAB's bicubic resizing, and scores as published tables have them
//   - metrics.go: MSE, PSNR and SSIM; interpolate.go, baseline.go: what a network has to beat
//   - grid.go, heatmap.go: pictures for people
//
// Package vision decodes and resizes as Pillow does, because most networks were trained
// on Pillow's output. docs/preprocessing.md has the measured differences, the times, and
// the scores of plain interpolation.
package vision
