package golden

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Orders is what testdata/golden/resize_orders.py writes: hashes of what Pillow's resizing
// and two of torchvision's transforms make of the noise of resize.py, at many sizes.
type Orders struct {
	Pillow string
	Resize []struct {
		W, H              int
		ToW               int    `json:"to_w"`
		ToH               int    `json:"to_h"`
		Bicubic, Bilinear string // of bytes
	}
	CLIP, VGG []Transformed
}

// Transformed is a case of a transform.
type Transformed struct {
	W, H    int
	Numbers string // the hash of the float32 numbers
}

// ReadOrders returns the content of testdata/golden/resize_orders.json, or of the larger
// file that PIXELGRAD_RESIZE names.
func ReadOrders(t testing.TB) (o Orders) {
	t.Helper()
	path := os.Getenv("PIXELGRAD_RESIZE")
	if path == "" {
		_, here, _, _ := runtime.Caller(0)
		path = filepath.Join(filepath.Dir(here), "../../testdata/golden/resize_orders.json")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if len(o.Resize) == 0 || len(o.CLIP) == 0 || len(o.VGG) == 0 {
		t.Fatalf("%s: %d, %d and %d cases, want some of each", path, len(o.Resize), len(o.CLIP), len(o.VGG))
	}
	t.Logf("Pillow %s: %d sizes of pictures, %d of CLIP's transform, %d of VGG16's", o.Pillow, len(o.Resize), len(o.CLIP), len(o.VGG))
	return o
}

// Digest is the hash of bytes that Orders has.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// DigestNumbers is the hash of float32 numbers, little-endian.
func DigestNumbers(x []float32) string {
	data := make([]byte, 0, 4*len(x))
	for _, v := range x {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return Digest(data)
}
