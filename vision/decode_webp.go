package vision

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"

	"golang.org/x/image/webp"
)

func webpConfig(data []byte) (image.Config, error) {
	// The first chunk, VP8X, has a bit for animations.
	if begins(data, "RIFF????WEBPVP8X") && len(data) > 20 && data[20]&2 != 0 {
		return image.Config{}, &kindError{"an animated WebP", "save its first frame as a picture of its own"}
	}
	// EXIF data come last: without them a picture would lie on its side.
	if len(data) >= 8 && int64(len(data)) < 8+int64(binary.LittleEndian.Uint32(data[4:])) {
		return image.Config{}, io.ErrUnexpectedEOF
	}
	return webp.DecodeConfig(bytes.NewReader(data))
}

func decodeWebP(data []byte) (image.Image, error) {
	m, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case *image.YCbCr: // lossy
		return fromVP8(m), nil
	case *image.NYCbCrA: // lossy, with opacity
		colours := fromVP8(&m.YCbCr)
		p := image.NewNRGBA(colours.Bounds())
		for y := range colours.H {
			a := m.A[m.AOffset(m.Rect.Min.X, m.Rect.Min.Y+y):]
			for x := range colours.W {
				px := p.Pix[4*(y*colours.W+x):][:4]
				copy(px, colours.Pix[3*(y*colours.W+x):][:3])
				px[3] = a[x]
			}
		}
		return p, nil
	}
	return m, nil
}

// fromVP8 converts the planes of a lossy WebP. They are not those of a JPEG: black is Y = 16
// and white 235, as in television (ITU-R BT.601):
//
//	R = 1.164·(Y−16) + 1.596·(Cr−128)
//	G = 1.164·(Y−16) − 0.392·(Cb−128) − 0.813·(Cr−128)
//	B = 1.164·(Y−16) + 2.017·(Cb−128)
//
// with 14 fractional bits, of which each product keeps 6. Of the four colour samples around
// a pixel, the nearest counts 9/16, its two neighbours 3/16 each, the farthest 1/16. Both
// are libwebp's arithmetic (dsp/yuv.h, dsp/upsampling.c), and so Pillow's, to the bit.
func fromVP8(m *image.YCbCr) *RGB {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	p := NewRGB(w, h)
	cw, ch := (w+1)/2, (h+1)/2
	us, vs := make([]uint8, w), make([]uint8, w)
	for y := range h {
		near := y / 2
		far := min(max(near-1+2*(y&1), 0), ch-1)
		smooth := func(dst, plane []uint8) {
			n, f := plane[near*m.CStride:][:cw], plane[far*m.CStride:][:cw]
			for x := range dst {
				a := x / 2
				b := a - 1 + 2*(x&1)
				if b < 0 || b >= cw { // at the two sides there is only one column
					dst[x] = uint8((3*int32(n[a]) + int32(f[a]) + 2) >> 2)
					continue
				}
				// The mean of the diagonal is rounded before the nearest is added.
				near, beside, across, farthest := int32(n[a]), int32(n[b]), int32(f[a]), int32(f[b])
				diagonal := (near + 3*(beside+across) + farthest + 8) >> 3
				dst[x] = uint8((diagonal + near) >> 1)
			}
		}
		smooth(us, m.Cb)
		smooth(vs, m.Cr)
		luma := m.Y[y*m.YStride:][:w]
		dst := p.Pix[3*y*w:][:3*w]
		for x, l := range luma {
			yy, u, v := int32(l)*19077>>8, int32(us[x]), int32(vs[x])
			dst[3*x] = clamp8((yy + v*26149>>8 - 14234) >> 6)
			dst[3*x+1] = clamp8((yy - u*6419>>8 - v*13320>>8 + 8708) >> 6)
			dst[3*x+2] = clamp8((yy + u*33050>>8 - 17685) >> 6)
		}
	}
	return p
}
