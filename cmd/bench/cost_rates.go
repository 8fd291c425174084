package main

import (
	"pixelgrad/simd"
	"pixelgrad/tensor"
)

// near is about how many numbers a part of the model of the cost works on: more than the first level
// of cache holds, and a fraction of the second, as a convolution's blocks are.
const near = 64 << 10

// A piece is some work of a part, whose time is measured: run does so many calls, of so much size,
// as tensor.ConvWork counts them.
type piece struct {
	calls, size int
	run         func()
}

// rowLengths are the lengths of rows at which a call's time is measured: from both follow that of a
// call and that of a pixel.
var rowLengths = [2]int{24, 288}

// perCall tells whether the time of calls and of numbers are told apart: rows of tiles have many lengths.
func perCall(k tensor.WorkKind) bool {
	switch k {
	case tensor.InputRows, tensor.GradientRows, tensor.OutputRows, tensor.MaskedOutputRows, tensor.AddedOutputRows:
		return true
	}
	return false
}

func numbers(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i%17)/17 - 0.4
	}
	return v
}

// newPiece returns work of a kind and shape, on memory of its own. length is that of rows, where calls
// are told apart.
func newPiece(k tensor.WorkKind, s tensor.WorkShape, length int) piece {
	switch k {
	case tensor.TileProducts:
		return tileProducts(s)
	case tensor.TileGradProducts:
		return tileGradProducts(s)
	case tensor.DirectProducts:
		return directProducts(s)
	case tensor.DirectGradProducts:
		return directGradProducts(s)
	case tensor.PackTiles, tensor.PackDirect:
		return packing(k, s)
	case tensor.CollectTiles, tensor.CollectDirect:
		return collecting(k, s)
	case tensor.InputTiles, tensor.GradientTiles, tensor.OutputTiles:
		return tiles(k, s)
	}
	if perCall(k) {
		return tileRows(k, length)
	}
	return plainRows(k, s.Side)
}

// spread calls f at places, step apart, that are near together.
func spread(step int, f func(at int)) int {
	n := max(1, near/step)
	for i := range n {
		f(i * step)
	}
	return n
}

// tileRows is the steps of the transformations that combine rows of pixels.
func tileRows(k tensor.WorkKind, n int) piece {
	const lines = 6 * (4*simd.MaxWinogradTiles + simd.WinogradOverrun)
	stride := lines / 6
	image, other, memory := numbers(near+8*n+64), numbers(near+8*n+64), numbers(lines+simd.WinogradOverrun)
	var in [6]int32
	var own [4]int32
	e := simd.WinogradEpilogue{Bias: 0.1, ReLU: true, Masked: k == tensor.MaskedOutputRows}
	if k == tensor.AddedOutputRows {
		e.Add = other
	}
	calls := max(1, near/(4*n))
	return piece{calls, calls * n, func() {
		for c := range calls {
			for i := range in {
				in[i] = int32((4*c + i) * n)
			}
			copy(own[:], in[:])
			switch k {
			case tensor.InputRows:
				simd.WinogradInputRows(memory, stride, image, &in, n, n)
			case tensor.GradientRows:
				simd.WinogradGradientRows(memory, stride, image, &own, n, n)
			default:
				simd.WinogradOutputRows(image, &own, memory, stride, n, &e)
			}
		}
	}}
}

// tiles is the steps that have a place for each tile.
func tiles(k tensor.WorkKind, s tensor.WorkShape) piece {
	n, ld := s.Tiles, 4*s.Tiles+32
	channels := 32
	lines, edges := numbers(6*ld+simd.WinogradOverrun), make([]int32, n)
	for i := range edges {
		edges[i] = -1
	}
	if k == tensor.OutputTiles {
		channels = s.Out
	}
	memory := numbers(36 * channels * n)
	return piece{channels, channels * n, func() {
		for c := range channels {
			switch k {
			case tensor.InputTiles:
				simd.WinogradInputTiles(memory[c*36*n:], n, lines[16-s.Dilation:], ld, edges, edges, n, s.Dilation)
			case tensor.GradientTiles:
				simd.WinogradGradientTiles(memory[c*36*n:], n, lines[16:], ld, n, s.Dilation)
			default:
				simd.WinogradOutputTiles(lines[16:], ld, memory[c*n:], channels*n, n, s.Dilation)
			}
		}
	}}
}

// tileProducts is the 36 products of a block of tiles.
func tileProducts(s tensor.WorkShape) piece {
	mr, nr := simd.Tile()
	const block = 256 // channels, as in tensor
	panels := s.Out / mr
	u, v, m := numbers(36*s.Out*s.In), numbers(36*s.In*s.Tiles), numbers(36*s.Out*s.Tiles)
	off := make([]int32, min(block, s.In))
	for c := range off {
		off[c] = int32(c * 36 * s.Tiles)
	}
	return piece{1, 36 * s.Tiles / nr, func() {
		for xi := range 36 {
			for c := 0; c < s.In; c += block {
				k := min(block, s.In-c)
				for column := 0; column < s.Tiles; column += nr {
					simd.GemmTile(m[xi*s.Out*s.Tiles+column:], s.Tiles, u[(xi*s.Out*s.In+c*mr):], s.In*mr, v[(36*c+xi)*s.Tiles+column:], off[:k], panels, c > 0)
				}
			}
		}
	}}
}

// tileGradProducts is the 36 products of the tiles of a block's input and of its gradient.
func tileGradProducts(s tensor.WorkShape) piece {
	_, nt := simd.GradTile()
	sums, v, g := numbers(36*s.In*s.Out), numbers(36*s.In*s.Tiles), numbers(36*s.Out*s.Tiles)
	transposed, off := numbers(s.Tiles*nt), make([]int32, s.In)
	for c := range off {
		off[c] = int32(36 * c * s.Tiles)
	}
	return piece{1, 36 * s.Tiles, func() {
		for xi := range 36 {
			for oc := 0; oc < s.Out; oc += nt {
				for i := 0; i < nt; i += 8 {
					simd.Transpose8(transposed[i:], nt, g[(36*(oc+i)+xi)*s.Tiles:], 36*s.Tiles, s.Tiles)
				}
				simd.WeightGradTile(sums[xi*s.In*s.Out+oc:], s.Out, v[xi*s.Tiles:], off, transposed, s.Tiles)
			}
		}
	}}
}

// A paddedImage is square channels with zeros around them, as a direct convolution reads them.
type paddedImage struct {
	stride, plane, flat int
	offsets             []int32 // of the weights of a block of channels
	channels            int     // in a block
}

func newPaddedImage(s tensor.WorkShape) paddedImage {
	const block = 32 // channels, as in tensor
	pad := s.Kernel / 2 * s.Dilation
	p := paddedImage{stride: s.Side + pad, channels: min(block, s.In)}
	p.plane = pad + (s.Side+2*pad)*p.stride
	p.flat = (s.Side-1)*p.stride + s.Side
	for c := range p.channels {
		for y := range s.Kernel {
			for x := range s.Kernel {
				p.offsets = append(p.offsets, int32(c*p.plane+(y*p.stride+x)*s.Dilation))
			}
		}
	}
	return p
}

// directProducts is the products of some bands of an image.
func directProducts(s tensor.WorkShape) piece {
	const wide = 240 // a band, as in tensor
	mr, nr := simd.Tile()
	band := wide / nr * nr
	p := newPaddedImage(s)
	taps := s.Kernel * s.Kernel
	x, w, sums := numbers(s.In*p.plane+band+simd.MaxTile), numbers(s.Out*s.In*taps), numbers(s.Out*band)
	bands := min(max(1, near/(s.In*band)), p.flat/band)
	return piece{bands, bands * band / nr, func() {
		for b := range bands {
			for c := 0; c < s.In; c += p.channels {
				k := min(p.channels, s.In-c) * taps
				for q := 0; q < band; q += nr {
					simd.GemmTile(sums[q:], band, w[c*taps*mr:], s.In*taps*mr, x[c*p.plane+b*band+q:], p.offsets[:k], s.Out/mr, c > 0)
				}
			}
		}
	}}
}

// directGradProducts is what some positions of an image add to the gradient of the weights.
func directGradProducts(s tensor.WorkShape) piece {
	const run = 512 // positions, as in tensor
	mt, nt := simd.GradTile()
	p := newPaddedImage(s)
	n := min(run, p.flat)
	rows := (len(p.offsets) + mt - 1) / mt * mt
	for len(p.offsets) < rows {
		p.offsets = append(p.offsets, p.offsets[len(p.offsets)-1])
	}
	blocks := (s.In + p.channels - 1) / p.channels
	x, dy := numbers(s.In*p.plane+n+simd.MaxTile), numbers(s.Out*p.plane)
	transposed, sums := numbers(s.Out*n), numbers(blocks*rows*s.Out)
	return piece{1, n, func() {
		for oc := 0; oc < s.Out; oc += nt {
			for i := 0; i < nt; i += 8 {
				simd.Transpose8(transposed[oc*n+i:], nt, dy[(oc+i)*p.plane:], p.plane, n)
			}
		}
		for b := range blocks {
			for oc := 0; oc < s.Out; oc += nt {
				simd.WeightGradTile(sums[b*rows*s.Out+oc:], s.Out, x[b*p.channels*p.plane:], p.offsets, transposed[oc*n:], n)
			}
		}
	}}
}

// packing arranges weights, transformed or as they are.
func packing(k tensor.WorkKind, s tensor.WorkShape) piece {
	const rows = 8
	w := numbers(9 * s.In * s.Out)
	panels := (s.Out + rows - 1) / rows
	u := make([]float32, 36*panels*rows*s.In)
	if k == tensor.PackDirect {
		return piece{1, len(w), func() {
			for i := range w {
				u[i%s.Out*s.In+i/s.Out%s.In] = w[i]
			}
		}}
	}
	return piece{1, panels * rows * s.In, func() {
		var g [9]float32
		var t [rows][36]float32
		for p := range panels {
			for ic := range s.In {
				for i := range rows {
					copy(g[:], w[(min(p*rows+i, s.Out-1)*s.In+ic)*9:])
					t[i] = simd.WinogradWeights(&g)
				}
				for xi := range 36 {
					for i := range rows {
						u[((xi*panels+p)*s.In+ic)*rows+i] = t[i][xi]
					}
				}
			}
		}
	}}
}

// collecting brings gradients of weights into their arrangement, transformed or as they are.
func collecting(k tensor.WorkKind, s tensor.WorkShape) piece {
	sums, dw := numbers(36*s.In*s.Out), make([]float32, 9*s.In*s.Out)
	if k == tensor.CollectDirect {
		return piece{1, s.In * s.Out, func() {
			for i := range s.In * s.Out {
				dw[i%s.Out*s.In+i/s.Out] = sums[i]
			}
		}}
	}
	return piece{1, s.In * s.Out, func() {
		for ic := range s.In {
			for oc := range s.Out {
				var u [36]float32
				for xi := range u {
					u[xi] = sums[(xi*s.In+ic)*s.Out+oc]
				}
				g := simd.WinogradWeightsGradient(&u)
				copy(dw[(oc*s.In+ic)*9:], g[:])
			}
		}
	}}
}

// plainRows is what is done with rows of pixels one by one.
func plainRows(k tensor.WorkKind, w int) piece {
	if k == tensor.AddNumbers {
		w = 1 << 14
	}
	memory, row := numbers(near+2*w), numbers(2*w+4)
	blend := numbers(2*w + 4)
	run := func(at int) {
		switch src := memory[at:][:w]; k {
		case tensor.CopyRows:
			copy(row[:w], src)
		case tensor.StoreRows:
			simd.AddBiasReLU(src, row[:w], 0.1)
		case tensor.MaskedStoreRows:
			simd.ReLUBackward(src, row[:w], src)
		case tensor.MaskRows:
			simd.ReLUBackward(row[:w], src, src)
		case tensor.EnlargeRows:
			h := w / 2
			simd.UpsampleBlend(blend[1:h+1], src[:h], src[h:])
			simd.UpsampleExpand(row[:2*h], blend[:h+2])
		case tensor.ShrinkRows: // of two rows dy, of which one row comes
			if at/w%2 == 0 {
				simd.UpsampleBlendBackward(blend[1:w+1], src, src, src, src)
				simd.UpsampleExpandBackward(row[:w/2], blend[:w/2*2+2])
			}
		case tensor.SumRows:
			simd.Sum(src)
		case tensor.AddNumbers:
			simd.Add(src, src, row[:w])
		}
	}
	calls := spread(w, func(int) {})
	return piece{calls, calls * w, func() { spread(w, run) }}
}
